//! Checks that the JSON files of pages and components can be read, as one that cannot be read hides what it uses.

use berth_policy::{Finding, Severity};

use crate::Subject;

/// Reports each unreadable file: an error, or a warning if the tools of the dialect accept its comments and trailing
/// commas.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let lenient = subject.layout.dialect.lenient_json;
    let finding = |unreadable: &berth_policy_layout::components::Unreadable| {
        let severity = if unreadable.lenient && lenient { Severity::Warning } else { Severity::Error };
        let message = format!("{} cannot be read: {}.", unreadable.place.path, unreadable.reason);
        Finding::new(severity, "json-unreadable", message)
            .at(unreadable.place.clone())
            .fix("Make it a JSON object, {} at the least, without comments and without a comma after the last member.")
    };
    subject.components.unreadable.iter().map(finding).collect()
}

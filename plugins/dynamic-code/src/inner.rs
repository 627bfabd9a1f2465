//! Code inside of a constant text, which is judged like the script around it.

use berth_policy::Severity;
use berth_policy_javascript::{Source, with_program};

use crate::calls::find_in;

/// Texts inside of texts that are looked into.
const MAX_DEPTH: usize = 4;

/// How grave a constant code is: as what it does, and a note at the least. What does not parse is for people to look at,
/// and so is what is wrapped too often.
pub fn severity(code: &str, depth: usize) -> Severity {
    if depth >= MAX_DEPTH {
        return Severity::Error;
    }
    let source = Source { path: String::new(), text: code.to_owned() };
    let found = with_program(&source, |program| find_in(program, depth + 1));
    let severities = found.unwrap_or_else(|told| told).into_iter().map(|(_, finding)| finding.severity);
    severities.fold(Severity::Note, worse)
}

fn worse(one: Severity, other: Severity) -> Severity {
    match (one, other) {
        (Severity::Error, _) | (_, Severity::Error) => Severity::Error,
        (Severity::Warning, _) | (_, Severity::Warning) => Severity::Warning,
        _ => Severity::Note,
    }
}

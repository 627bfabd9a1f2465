//! Judges code in a constant text like the script around it.

use berth_policy::Severity;
use berth_policy_javascript::{Source, with_program};

use crate::calls::find_in;

/// How many levels of texts inside texts are judged.
const MAX_DEPTH: usize = 4;

/// The severity of constant code: that of its worst finding, and at least a note. Code that does not parse is a
/// warning, and code inside more than four texts an error.
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

//! Findings of an audit as SARIF 2.1.0 (OASIS Standard), for code hosts and editors.
//!
//! The crate `serde-sarif` is not used: it generates types for the whole standard at build time, and needs ten more
//! crates, for the ten members that are written here.

use serde_json::{Value, json};

use super::{Audit, Evaluation};
use crate::policy::Finding;

/// The findings of an audit as one SARIF log with one run for each policy. A policy that gave no verdict has a run that
/// says why.
pub fn sarif(audit: &Audit) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": audit.evaluations.iter().map(|evaluation| run(audit, evaluation)).collect::<Vec<_>>(),
    })
}

fn run(audit: &Audit, evaluation: &Evaluation) -> Value {
    let mut rules: Vec<&str> = evaluation.findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let judged = evaluation.detail.is_empty();
    json!({
        "tool": {"driver": {
            "name": evaluation.policy,
            "semanticVersion": evaluation.policy_version,
            "rules": rules.iter().map(|rule| json!({"id": rule})).collect::<Vec<_>>(),
        }},
        "automationDetails": {"id": format!("{}/{}/{}", audit.mini_app, audit.version, evaluation.policy)},
        "columnKind": "unicodeCodePoints",
        "invocations": [{
            "executionSuccessful": judged,
            "toolExecutionNotifications":
                if judged { json!([]) } else { json!([{"level": "error", "message": {"text": evaluation.detail}}]) },
        }],
        "results": evaluation.findings.iter().map(|finding| result(finding, &rules)).collect::<Vec<_>>(),
    })
}

fn result(finding: &Finding, rules: &[&str]) -> Value {
    let text = match &finding.fix {
        Some(fix) => format!("{} {fix}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        // The words of SARIF are ours.
        "level": finding.severity,
        "message": {"text": text},
    });
    if let Some(place) = &finding.place {
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": encode(&place.path)},
            "region": {"startLine": place.line.max(1), "startColumn": place.column.max(1)},
        }}]);
    }
    result
}

/// The path as a relative URI reference, percent-encoded.
fn encode(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(path, PATH).to_string()
}

//! Findings as compilers print them: `path:line:column rule message`.

use serde::Deserialize;

use super::{
    paint::{Paint, state},
    table::Cell,
};

/// One finding of a policy.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// The policy that found it, when the answer mixes policies.
    #[serde(default)]
    pub policy: Option<String>,
    /// Stable: `eval-call`.
    pub rule: String,
    /// `note`, `warning` or `error`.
    pub severity: String,
    /// What was found.
    pub message: String,
    /// Where.
    #[serde(default)]
    pub place: Option<Place>,
    /// What to do about it.
    #[serde(default)]
    pub fix: Option<String>,
}

/// One-based.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    /// In the package.
    pub path: String,
    /// The line.
    #[serde(default)]
    pub line: Option<u32>,
    /// The column, in Unicode scalar values.
    #[serde(default)]
    pub column: Option<u32>,
}

/// The answer of `…/findings`.
#[derive(Deserialize)]
pub struct Findings {
    /// All of them.
    pub findings: Vec<Finding>,
}

/// All findings, the gravest first, and a summary.
pub fn render(findings: &[Finding], paint: &Paint) -> String {
    if findings.is_empty() {
        return "No findings.".into();
    }
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| rank(&finding.severity));
    let mut lines: Vec<_> = sorted.into_iter().map(|finding| line(finding, paint)).collect();
    lines.push(summary(findings));
    lines.join("\n")
}

fn rank(severity: &str) -> u8 {
    match severity {
        "error" => 0,
        "warning" => 1,
        _ => 2,
    }
}

fn line(finding: &Finding, paint: &Paint) -> String {
    let place = finding.place.as_ref().map_or_else(|| "package".to_owned(), Place::text);
    let severity = state(&finding.severity).render(paint);
    let rule = finding.policy.as_ref().map_or(finding.rule.clone(), |policy| format!("{policy}/{}", finding.rule));
    let head = format!(
        "{}: {severity} {} {}",
        Cell::of(place).render(paint),
        Cell::strong(rule).render(paint),
        Cell::of(&finding.message).render(paint)
    );
    match &finding.fix {
        Some(fix) => format!("{head}\n  fix: {}", Cell::of(fix).render(paint)),
        None => head,
    }
}

impl Place {
    fn text(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", self.path),
            (Some(line), None) => format!("{}:{line}", self.path),
            _ => self.path.clone(),
        }
    }
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity: &str| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [("error", count("error")), ("warning", count("warning")), ("note", count("note"))];
    let words: Vec<_> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    #[test]
    fn v5_findings_read_as_a_compiler_writes_them() {
        let answer = serde_json::json!({"findings": [
            {"rule": "no-icon", "severity": "note", "message": "There is no icon."},
            {"policy": "secrets", "rule": "api-key", "severity": "error", "message": "A key lies open.",
             "place": {"path": "utils/a.js", "line": 3, "column": 14}, "fix": "Keep it on the server."},
        ]});
        let findings: Findings = serde_json::from_value(answer).expect("findings");
        let text = render(&findings.findings, &Paint { styled: false, now: Millis(0) });
        assert_eq!(
            text,
            "utils/a.js:3:14: error secrets/api-key A key lies open.\n  fix: Keep it on the server.\n\
             package: note no-icon There is no icon.\n1 error, 1 note"
        );
    }
}

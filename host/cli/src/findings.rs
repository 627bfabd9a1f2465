//! Prints findings as compilers do: `path:line:column rule message`.

use serde::Deserialize;

use super::{
    paint::{Paint, state},
    table::Cell,
};
use berth_base::text;

/// A finding, as far as it is printed.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// The policy that found it, if the answer has findings of several policies.
    #[serde(default)]
    pub policy: Option<String>,
    /// `enforce`, or `shadow` when it is only recorded.
    #[serde(default)]
    pub mode: Option<String>,
    pub rule: String,
    /// `note`, `warning` or `error`.
    pub severity: String,
    pub message: String,
    #[serde(default)]
    pub place: Option<Place>,
    #[serde(default)]
    pub fix: Option<String>,
}

/// A place in the package. Lines and columns begin with 1.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    pub path: String,
    #[serde(default)]
    pub line: Option<u32>,
    /// Counted in Unicode scalar values.
    #[serde(default)]
    pub column: Option<u32>,
}

#[derive(Deserialize)]
pub struct Findings {
    pub findings: Vec<Finding>,
}

impl Finding {
    fn counts(&self) -> bool {
        self.mode.as_deref() != Some("shadow")
    }
}

/// All findings and a summary: those that count come first, of these the most serious ones first.
pub fn render(findings: &[Finding], paint: &Paint) -> String {
    if findings.is_empty() {
        return "No findings.".into();
    }
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| (!finding.counts(), rank(&finding.severity)));
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
    let shadow = if finding.counts() { "" } else { "(shadow) " };
    let head = format!(
        "{}: {shadow}{severity} {} {}",
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

/// The numbers of findings: `1 error, 2 notes; in shadow, where they decide nothing: 1 error`.
fn summary(findings: &[Finding]) -> String {
    let (count, shadow): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.counts());
    match (counts(&count), counts(&shadow)) {
        (count, shadow) if shadow.is_empty() => count,
        (count, shadow) if count.is_empty() => format!("In shadow, where they decide nothing: {shadow}"),
        (count, shadow) => format!("{count}; in shadow, where they decide nothing: {shadow}"),
    }
}

fn counts(findings: &[&Finding]) -> String {
    let count = |severity: &str| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let words = [("error", "errors"), ("warning", "warnings"), ("note", "notes")];
    let counts = words.into_iter().map(|(one, many)| (count(one), one, many)).filter(|(number, ..)| *number > 0);
    counts.map(|(number, one, many)| text::count(number, one, many)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_base::clock::Millis;

    #[test]
    fn v5_findings_read_as_a_compiler_writes_them() {
        let answer = serde_json::json!({"findings": [
            {"rule": "no-icon", "severity": "note", "message": "There is no icon."},
            {"policy": "secrets", "rule": "api-key", "severity": "error", "message": "A key lies open.",
             "place": {"path": "utils/a.js", "line": 3, "column": 14}, "fix": "Keep it on the server."},
        ]});
        let findings: Findings = serde_json::from_value(answer).expect("findings");
        let text = render(&findings.findings, &Paint { styled: false, width: None, now: Millis(0) });
        assert_eq!(
            text,
            "utils/a.js:3:14: error secrets/api-key A key lies open.\n  fix: Keep it on the server.\n\
             package: note no-icon There is no icon.\n1 error, 1 note"
        );
    }

    #[test]
    fn g12_findings_in_shadow_are_marked_and_counted_apart() {
        let finding = |mode: &str| serde_json::json!({"policy": "p", "mode": mode, "rule": "r", "severity": "error", "message": "M."});
        let answer = |modes: &[&str]| {
            let findings: Vec<_> = modes.iter().map(|mode| finding(mode)).collect();
            let findings: Findings =
                serde_json::from_value(serde_json::json!({ "findings": findings })).expect("findings");
            render(&findings.findings, &Paint { styled: false, width: None, now: Millis(0) })
        };
        assert_eq!(
            answer(&["shadow", "enforce"]),
            "package: error p/r M.\npackage: (shadow) error p/r M.\n\
             1 error; in shadow, where they decide nothing: 1 error"
        );
        assert!(answer(&["shadow"]).ends_with("\nIn shadow, where they decide nothing: 1 error"));
    }
}

//! Prints findings as compilers do: `path:line:column rule message`.

use super::{
    paint::{Paint, state},
    table::Cell,
};
use berth_base::text;
use berth_model::{
    audit::{Findings, NamedFinding, NoVerdict},
    policy::{Finding, Severity, registry::Mode},
};

/// All findings and a summary: those that count come first, of these the most serious ones first.
pub(crate) fn render(found: &Findings, paint: &Paint) -> String {
    let mut sorted: Vec<_> = found.findings.iter().collect();
    sorted.sort_by_key(|one| (!counts(one), std::cmp::Reverse(one.finding.severity)));
    let mut lines: Vec<_> = sorted.iter().map(|one| line(one, paint)).collect();
    lines.extend(found.no_verdict.iter().map(|one| silent(one, paint)));
    lines.push(if sorted.is_empty() { "No findings.".into() } else { summary(&sorted) });
    lines.join("\n")
}

/// A policy that gave no verdict, and why.
fn silent(one: &NoVerdict, paint: &Paint) -> String {
    let shadow = if one.mode == Mode::Enforce { "" } else { "(shadow) " };
    let (policy, outcome) = (Cell::strong(&one.policy).render(paint), state(one.outcome.as_str()).render(paint));
    format!("{policy}: {shadow}no verdict, {outcome}: {}", Cell::of(&one.detail).render(paint))
}

/// Whether it may reject the version.
fn counts(one: &NamedFinding) -> bool {
    one.mode == Mode::Enforce
}

fn line(one: &NamedFinding, paint: &Paint) -> String {
    let NamedFinding { policy, finding, .. } = one;
    let place = finding.place.as_ref().map_or_else(|| "package".to_owned(), ToString::to_string);
    let shadow = if counts(one) { "" } else { "(shadow) " };
    let head = format!(
        "{}: {shadow}{} {} {}",
        Cell::of(place).render(paint),
        state(finding.severity.as_str()).render(paint),
        Cell::strong(format!("{policy}/{}", finding.rule)).render(paint),
        Cell::of(&finding.message).render(paint)
    );
    match &finding.fix {
        Some(fix) => format!("{head}\n  fix: {}", Cell::of(fix).render(paint)),
        None => head,
    }
}

/// A finding alone: its place, severity and rule, and what was found.
pub(crate) fn words(finding: &Finding, paint: &Paint) -> String {
    let place = finding.place.as_ref().map_or_else(|| "package".to_owned(), ToString::to_string);
    format!(
        "{}: {} {} {}",
        Cell::of(place).render(paint),
        state(finding.severity.as_str()).render(paint),
        Cell::strong(&finding.rule).render(paint),
        Cell::of(&finding.message).render(paint)
    )
}

/// The numbers of findings: `1 error, 2 notes; in shadow, where they decide nothing: 1 error`.
fn summary(findings: &[&NamedFinding]) -> String {
    let (count, shadow): (Vec<_>, Vec<_>) = findings.iter().partition(|one| counts(one));
    match (numbers(&count), numbers(&shadow)) {
        (count, shadow) if shadow.is_empty() => count,
        (count, shadow) if count.is_empty() => format!("In shadow, where they decide nothing: {shadow}"),
        (count, shadow) => format!("{count}; in shadow, where they decide nothing: {shadow}"),
    }
}

fn numbers(findings: &[&NamedFinding]) -> String {
    let number = |severity| findings.iter().filter(|one| one.finding.severity == severity).count() as u64;
    let words = Severity::ALL.iter().rev().map(|one| (number(*one), one.as_str()));
    let words = words.filter(|(number, _)| *number > 0);
    words.map(|(number, one)| text::count(number, one, &format!("{one}s"))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::read;

    #[test]
    fn v5_findings_read_as_a_compiler_writes_them() {
        let answer = serde_json::json!({"findings": [
            {"policy": "icons", "mode": "enforce", "rule": "no-icon", "severity": "note", "message": "There is no icon."},
            {"policy": "secrets", "mode": "enforce", "rule": "api-key", "severity": "error", "message": "A key lies open.",
             "place": {"path": "utils/a.js", "line": 3, "column": 14}, "fix": "Keep it on the server."},
        ]});
        let text = render(&read(&answer).expect("findings"), &Paint::plain());
        assert_eq!(
            text,
            "utils/a.js:3:14: error secrets/api-key A key lies open.\n  fix: Keep it on the server.\n\
             package: note icons/no-icon There is no icon.\n1 error, 1 note"
        );
    }

    #[test]
    fn g12_findings_in_shadow_are_marked_and_counted_apart() {
        let finding = |mode: &str| serde_json::json!({"policy": "p", "mode": mode, "rule": "r", "severity": "error", "message": "M."});
        let answer = |modes: &[&str]| {
            let findings: Vec<_> = modes.iter().map(|mode| finding(mode)).collect();
            let findings = read(&serde_json::json!({ "findings": findings })).expect("findings");
            render(&findings, &Paint::plain())
        };
        assert_eq!(
            answer(&["shadow", "enforce"]),
            "package: error p/r M.\npackage: (shadow) error p/r M.\n\
             1 error; in shadow, where they decide nothing: 1 error"
        );
        assert!(answer(&["shadow"]).ends_with("\nIn shadow, where they decide nothing: 1 error"));
    }
}

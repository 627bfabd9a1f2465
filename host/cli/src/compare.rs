//! What changed between two versions, for people.

use berth_model::version::{Comparison, FindingChange, SizeChange, VersionFile};

use super::{
    paint::{Ink, Paint, bytes},
    table::{Card, Cell, Table},
};

/// Two versions beside each other: their sizes and pages, and a line for each file that is not the same in both.
pub fn view(found: Comparison, paint: &Paint) -> String {
    let pages = |pages: &[String]| (!pages.is_empty()).then(|| pages.join(", "));
    let card = Card::default()
        .field("from", Cell::strong(&found.from))
        .field("to", Cell::strong(&found.to))
        .field("package", size(found.packed).as_str())
        .field("inflated", size(found.inflated).as_str())
        .field("same files", Cell::of(found.unchanged))
        .maybe("new pages", pages(&found.pages_added).as_deref())
        .maybe("former pages", pages(&found.pages_removed).as_deref())
        .render(paint);
    let said = [card, manifest(&found, paint), findings(&found, paint)];
    let card = said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    if found.same_bytes {
        return format!("{card}\n\nThe packages have the same bytes.");
    }
    let mut table = Table::new(["", "FILE", "SIZE"]);
    for VersionFile { path, size, .. } in &found.added {
        table.row([Cell::new(Ink::Good, "added"), Cell::strong(path), bytes(*size).into()]);
    }
    for VersionFile { path, size, .. } in &found.removed {
        table.row([Cell::new(Ink::Bad, "removed"), Cell::strong(path), bytes(*size).into()]);
    }
    for file in &found.changed {
        table.row([Cell::new(Ink::Warn, "changed"), Cell::strong(&file.path), size(file.size).into()]);
    }
    format!("{card}\n\n{}", table.render(paint))
}

/// A line for each member of the manifest that is not the same in both; empty where there is none.
fn manifest(found: &Comparison, paint: &Paint) -> String {
    if found.manifest.is_empty() {
        return String::new();
    }
    let value = |value: &Option<String>| Cell::of(value.as_deref().unwrap_or("-"));
    let mut table = Table::new(["MANIFEST", "BEFORE", "AFTER"]);
    for change in &found.manifest {
        table.row([Cell::strong(&change.member), value(&change.before), value(&change.after)]);
    }
    table.render(paint)
}

/// A line for each finding in one of the versions alone; empty where there is none.
fn findings(found: &Comparison, paint: &Paint) -> String {
    let Some(FindingChange { added, removed }) = &found.findings else { return String::new() };
    if added.is_empty() && removed.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["", "POLICY", "FINDING"]);
    for (ink, what, all) in [(Ink::Bad, "added", added), (Ink::Good, "removed", removed)] {
        for named in all {
            table.row([Cell::new(ink, what), Cell::of(&named.policy), Cell::strong(&named.finding.message)]);
        }
    }
    table.render(paint)
}

/// A size and how it changed: `1.2 kB → 1.5 kB`.
fn size(change: SizeChange) -> String {
    format!("{} → {}", bytes(change.before), bytes(change.after))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_file_that_differs_has_a_line() {
        let file = |path: &str| json!({"path": path, "size": 10, "sha256": "0".repeat(64)});
        let size = json!({"before": 10, "after": 2000, "by": 1990});
        let answer = json!({"mini_app": "coffee", "from": "1.0.0", "to": "1.1.0", "same_bytes": false,
            "added": [file("new.js")], "removed": [file("old.js")],
            "changed": [{"path": "app.js", "before": 10, "after": 2000, "by": 1990}],
            "unchanged": 3, "pages_added": ["pages/new"], "pages_removed": [],
            "manifest": [{"member": "/plugins/map/version", "after": "\"1.0.0\""}],
            "findings": {"added": [{"policy": "server-domains", "mode": "enforce", "severity": "warning",
                "rule": "domain-not-set", "message": "It asks another domain."}], "removed": []}, "packed": size, "inflated": size});
        let shown = view(crate::answer::read(&answer).unwrap(), &Paint::plain());
        for part in [
            "added",
            "new.js",
            "removed",
            "old.js",
            "changed",
            "app.js",
            "pages/new",
            "→",
            "/plugins/map/version",
            "It asks another domain.",
        ] {
            assert!(shown.contains(part), "{part}:\n{shown}");
        }
    }
}

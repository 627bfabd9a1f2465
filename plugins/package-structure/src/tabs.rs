//! The tab bar and the entry page.

use std::collections::HashSet;

use berth_policy::{Finding, serde_json::Value};

use crate::Subject;

/// Tabs lead to pages of the main package and have their icons; the entry page is one of the pages.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let main: HashSet<String> = subject.manifest.pages().into_iter().collect();
    let tabs = subject.manifest.members.get("tabBar").and_then(|bar| bar.get("list")).and_then(Value::as_array);
    let tabs = tabs.into_iter().flatten();
    let mut findings: Vec<Finding> =
        tabs.flat_map(|tab| page(subject, &main, tab).into_iter().chain(icons(subject, tab))).collect();
    findings.extend(entry(subject));
    findings
}

fn page(subject: &Subject, main: &HashSet<String>, tab: &Value) -> Option<Finding> {
    let Some(path) = tab.get("pagePath").and_then(Value::as_str) else {
        let finding =
            Finding::error("tab-without-page", "A tab has no pagePath.").at(subject.manifest.place_of("tabBar"));
        return Some(finding.fix("Give every tab the path of a page."));
    };
    if main.contains(path) {
        return None;
    }
    let in_subpackage = subject.manifest.subpackages().iter().any(|sub| sub.pages.iter().any(|page| page == path));
    let reason = if in_subpackage { "is a page of a subpackage" } else { "is not declared" };
    let finding = Finding::error("tab-page-undeclared", format!("The page {path} of the tab bar {reason}."));
    Some(
        finding
            .at(subject.manifest.place_of(path))
            .fix("Tabs lead to pages of the main package: list it under \"pages\"."),
    )
}

fn icons<'s>(subject: &'s Subject, tab: &'s Value) -> impl Iterator<Item = Finding> + 's {
    let icon = |key| tab.get(key).and_then(Value::as_str);
    ["iconPath", "selectedIconPath"].into_iter().filter_map(icon).flat_map(|icon| missing(subject, icon))
}

/// An icon, or what the theme says for a variable, in light and in dark.
fn missing(subject: &Subject, icon: &str) -> Vec<Finding> {
    let Some(variable) = icon.strip_prefix('@') else { return lost(subject, icon, icon).into_iter().collect() };
    let pictures = subject.theme.pictures(variable);
    if pictures.is_empty() {
        let message = format!("The icon {icon} of the tab bar is a variable that the theme does not define.");
        let finding = Finding::error("tab-icon-missing", message).at(subject.manifest.place_of(icon));
        return vec![finding.fix("Define it in the file that themeLocation names, under light and dark.")];
    }
    pictures.into_iter().filter_map(|picture| lost(subject, picture, icon)).collect()
}

/// `written` is what the manifest says for `icon`.
fn lost(subject: &Subject, icon: &str, written: &str) -> Option<Finding> {
    let path = icon.trim_start_matches("./").trim_start_matches('/');
    // A network picture is not ours to find.
    if path.is_empty() || path.contains(':') || subject.has(path) {
        return None;
    }
    let fix = match subject.other_case(path) {
        Some(path) => format!("The file is called {path}; paths are case-sensitive, so write both alike."),
        None => "Add the picture, or correct the path.".into(),
    };
    let finding = Finding::error("tab-icon-missing", format!("The icon {icon} of the tab bar does not exist."));
    Some(finding.at(subject.manifest.place_of(written)).fix(fix))
}

fn entry(subject: &Subject) -> Option<Finding> {
    let path = subject.manifest.members.get("entryPagePath")?.as_str()?;
    let known =
        subject.manifest.all_pages().iter().any(|page| page.trim_start_matches('/') == path.trim_start_matches('/'));
    (!known).then(|| {
        Finding::error("entry-page-undeclared", format!("The entry page {path} is not one of the pages."))
            .at(subject.manifest.place_of(path))
            .fix("List it under \"pages\", or remove entryPagePath: the first page is then the entry.")
    })
}

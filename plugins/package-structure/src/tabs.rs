//! Checks the tab bar and the entry page.

use std::collections::HashSet;

use berth_policy::{Finding, serde_json::Value};
use berth_policy_layout::path;

use crate::{
    Subject,
    theme::{self, Theme},
};

/// Reports tabs that do not lead to pages of the main package, missing icons, and an entry page that is not declared.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let main: HashSet<String> = subject.layout.manifest.pages().into_iter().collect();
    let theme = Theme::of(subject);
    let tabs = subject.layout.manifest.members.get("tabBar").and_then(|bar| bar.get("list")).and_then(Value::as_array);
    let tabs = tabs.into_iter().flatten();
    let mut findings: Vec<Finding> =
        tabs.flat_map(|tab| page(subject, &main, tab).into_iter().chain(icons(subject, &theme, tab))).collect();
    findings.extend(entry(subject));
    findings
}

fn page(subject: &Subject<'_>, main: &HashSet<String>, tab: &Value) -> Option<Finding> {
    let Some(path) = tab.get("pagePath").and_then(Value::as_str) else {
        let finding =
            Finding::error("tab-without-page", "A tab has no pagePath.").at(subject.layout.manifest.place_of("tabBar"));
        return Some(finding.fix("Give every tab the path of a page."));
    };
    let stem = path::clean(path);
    if main.contains(&stem) {
        return None;
    }
    let in_subpackage = subject.layout.subpackages.iter().any(|sub| sub.pages.contains(&stem));
    let reason = if in_subpackage { "is a page of a subpackage" } else { "is not declared" };
    let finding = Finding::error("tab-page-undeclared", format!("The page {path} of the tab bar {reason}."));
    Some(
        finding
            .at(subject.layout.manifest.place_of(path))
            .fix("Tabs lead to pages of the main package: list it under \"pages\"."),
    )
}

fn icons(subject: &Subject<'_>, theme: &Theme, tab: &Value) -> Vec<Finding> {
    // Alipay and those who followed it call them icon and activeIcon.
    let members = ["iconPath", "selectedIconPath", "icon", "activeIcon"];
    let named = members.into_iter().filter_map(|member| tab.get(member)?.as_str());
    named.flat_map(|icon| missing(subject, theme, icon)).collect()
}

/// Reports a missing icon, or what is missing of the values that the theme has for a variable in light and in dark.
fn missing(subject: &Subject<'_>, theme: &Theme, icon: &str) -> Vec<Finding> {
    let Some(variable) = icon.strip_prefix('@') else { return lost(subject, icon, icon).into_iter().collect() };
    // A theme that is not there is told once, and not for each of its variables.
    if theme::check(subject).is_some() {
        return Vec::new();
    }
    let pictures = theme.pictures(variable);
    if pictures.is_empty() {
        let message = format!("The icon {icon} of the tab bar is a variable that the theme does not define.");
        let finding = Finding::error("tab-icon-missing", message).at(subject.layout.manifest.place_of(icon));
        return vec![finding.fix("Define it in the file that themeLocation names, under light and dark.")];
    }
    pictures.into_iter().filter_map(|picture| lost(subject, picture, icon)).collect()
}

/// Reports a missing icon. `written` is the text in the manifest that stands for it.
fn lost(subject: &Subject<'_>, icon: &str, written: &str) -> Option<Finding> {
    let path = path::clean(icon);
    // A network picture is not ours to find.
    if path.is_empty() || path.contains(':') || subject.layout.has(&path) {
        return None;
    }
    let fix = subject.remedy(&[path], "Add the picture, or correct the path.");
    let finding = Finding::error("tab-icon-missing", format!("The icon {icon} of the tab bar does not exist."));
    Some(finding.at(subject.layout.manifest.place_of(written)).fix(fix))
}

fn entry(subject: &Subject<'_>) -> Option<Finding> {
    let path = subject.layout.manifest.members.get("entryPagePath")?.as_str()?;
    let known = subject.layout.pages.contains(&path::clean(path));
    (!known).then(|| {
        Finding::error("entry-page-undeclared", format!("The entry page {path} is not one of the pages."))
            .at(subject.layout.manifest.place_of(path))
            .fix("List it under \"pages\", or remove entryPagePath: the first page is then the entry.")
    })
}

//! Checks the tab bar and the entry page.

use std::collections::HashSet;

use berth_policy::{Finding, serde_json::Value};
use berth_policy_layout::{path, scanner::tags};

use crate::{
    Subject,
    gaps::{self, Lost, Sort},
    theme::{self, Theme},
};

const ICON: Sort = Sort {
    rule: "tab-icon-missing",
    does: "shows in the tab bar the icon",
    fix: "Add the picture, or correct the path.",
    endings: &[],
};

/// Reports tabs that do not lead to pages of the main package, missing icons, and an entry page that is not declared.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let main: HashSet<String> = subject.layout.manifest.pages().into_iter().collect();
    let theme = Theme::of(subject);
    let tabs: Vec<_> = tabs(subject).collect();
    let mut findings: Vec<Finding> = tabs.iter().filter_map(|tab| page(subject, &main, tab)).collect();
    let (mut undefined, mut missing) = (Vec::new(), Vec::new());
    for icon in tabs.iter().flat_map(|tab| icons(tab)) {
        match pictures(subject, &theme, icon) {
            Ok(pictures) => missing.extend(pictures.into_iter().filter_map(|picture| lost(subject, picture, icon))),
            Err(finding) => undefined.push(finding),
        }
    }
    findings.extend(undefined);
    findings.extend(gaps::findings(subject, &ICON, missing));
    findings.extend(entry(subject));
    findings
}

/// The tabs that the manifest has. Alipay calls the list of them `items`.
fn tabs<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Value> {
    let lists: &[&str] = if subject.layout.dialect.name == "Alipay" { &["list", "items"] } else { &["list"] };
    let bar = subject.layout.manifest.members.get("tabBar");
    lists.iter().filter_map(move |list| bar?.get(list)?.as_array()).flatten()
}

/// Whether the pages with tabs have parts that may be a bar: components, or markup that they import.
pub fn may_draw_the_bar(subject: &Subject<'_>) -> bool {
    let mut pages = tabs(subject).filter_map(|tab| Some(path::clean(tab.get("pagePath")?.as_str()?)));
    let imports = |page: &str| {
        let markup = subject.layout.markup_of(page).map(|file| subject.text(&file)).unwrap_or_default();
        tags(&markup).iter().any(|tag| ["import", "include"].contains(&tag.name))
    };
    let uses = |json: &str| subject.components.found.iter().any(|(used, _)| used.json == json);
    uses("app.json") || pages.any(|page| uses(&format!("{page}.json")) || imports(&page))
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

/// The icons of a tab. Alipay and those who followed it call them `icon` and `activeIcon`.
fn icons(tab: &Value) -> impl Iterator<Item = &str> {
    ["iconPath", "selectedIconPath", "icon", "activeIcon"].into_iter().filter_map(|member| tab.get(member)?.as_str())
}

/// The pictures that an icon means: itself, or the values that the theme has for a variable in light and in dark.
fn pictures<'t>(subject: &Subject<'_>, theme: &'t Theme, icon: &'t str) -> Result<Vec<&'t str>, Finding> {
    let Some(variable) = icon.strip_prefix('@') else { return Ok(vec![icon]) };
    let pictures = theme.pictures(variable);
    // A theme that is not there is told once, and not for each of its variables.
    if !pictures.is_empty() || theme::check(subject).is_some() {
        return Ok(pictures);
    }
    let message = format!("The icon {icon} of the tab bar is a variable that the theme does not define.");
    let finding = Finding::error("tab-icon-missing", message).at(subject.layout.manifest.place_of(icon));
    Err(finding.fix("Define it in the file that themeLocation names, under light and dark."))
}

/// A picture that does not exist. `written` is the text in the manifest that stands for it.
fn lost(subject: &Subject<'_>, picture: &str, written: &str) -> Option<Lost> {
    let target = path::clean(picture);
    // A network picture is not ours to find.
    if target.is_empty() || target.contains(':') || subject.layout.has(&target) {
        return None;
    }
    let place = subject.layout.manifest.place_of(written);
    Some(Lost { place, written: picture.into(), target, npm: None, meant: None })
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

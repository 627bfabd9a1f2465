//! Checks `preloadRule`: which subpackages are loaded ahead on which pages.

use berth_policy::{Finding, serde_json::Value};
use berth_policy_layout::path;

use crate::Subject;

/// The name of the main package in `preloadRule`.
const MAIN: &str = "__APP__";

/// Reports pages and subpackages in `preloadRule` that are not declared.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let rules = subject.layout.manifest.members.get("preloadRule").and_then(Value::as_object);
    let rules = rules.into_iter().flatten();
    rules
        .flat_map(|(page, rule)| unknown_page(subject, page).into_iter().chain(unknown_packages(subject, rule)))
        .collect()
}

fn unknown_page(subject: &Subject<'_>, page: &str) -> Option<Finding> {
    let stem = path::clean(page);
    (!subject.layout.pages.contains(&stem)).then(|| {
        Finding::error("preload-undeclared", format!("preloadRule names the page {page}, which is not declared."))
            .at(subject.layout.manifest.place_of(page))
            .fix("Declare the page, or remove it from preloadRule.")
    })
}

fn unknown_packages(subject: &Subject<'_>, rule: &Value) -> Vec<Finding> {
    let packages = rule.get("packages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let known = |package: &&str| {
        let root = path::clean(package);
        *package == MAIN
            || subject.layout.subpackages.iter().any(|sub| sub.root == root || sub.name.as_deref() == Some(package))
    };
    let finding = |package: &str| {
        Finding::error(
            "preload-undeclared",
            format!("preloadRule names the subpackage {package}, which is not declared."),
        )
        .at(subject.layout.manifest.place_of(package))
        .fix("Name a subpackage by its root or its name, or __APP__ for the main package.")
    };
    packages.filter(|package| !known(package)).map(finding).collect()
}

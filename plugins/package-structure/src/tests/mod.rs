mod components;
mod manifest;
mod pages;
mod references;

use berth_policy::{Severity, testing::MemoryPackage};

use super::*;

const GOOD: &str = r##"{
  "pages": ["pages/index/index", "pages/me/me"],
  "subPackages": [{"root": "shop", "pages": ["list/list"]}],
  "entryPagePath": "pages/index/index",
  "tabBar": {"list": [
    {"pagePath": "pages/index/index", "text": "Home", "iconPath": "img/home.png", "selectedIconPath": "/img/home.png"},
    {"pagePath": "pages/me/me", "text": "Me"}
  ]}
}"##;

fn page(package: MemoryPackage, page: &str) -> MemoryPackage {
    package.with(&format!("{page}.js"), "Page({})").with(&format!("{page}.wxml"), "<view/>")
}

fn good() -> MemoryPackage {
    let package = MemoryPackage::default().with("app.json", GOOD).with("app.js", "App({})").with("img/home.png", "png");
    ["pages/index/index", "pages/me/me", "shop/list/list"].into_iter().fold(package, page)
}

fn audit(package: &MemoryPackage) -> Vec<Finding> {
    PackageStructure.audit(package).expect("audits")
}

fn rules(package: &MemoryPackage) -> Vec<String> {
    audit(package).into_iter().map(|finding| finding.rule).collect()
}

fn only(package: &MemoryPackage) -> Finding {
    let mut findings = audit(package);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// The good package with another manifest.
fn declaring(manifest: &str) -> MemoryPackage {
    good().with("app.json", manifest)
}

#[test]
fn a_good_package_passes() {
    assert_eq!(audit(&good()), []);
}

/// The package with the markup of another dialect.
fn in_dialect(package: MemoryPackage, ending: &str) -> MemoryPackage {
    ["pages/index/index", "pages/me/me", "shop/list/list"].into_iter().fold(package, |package, page| {
        package.without(&format!("{page}.wxml")).with(&format!("{page}.{ending}"), "<view/>")
    })
}

#[test]
fn left_overs_are_pointed_out_once_a_sort() {
    let package = good()
        .with("app.js.map", "{}")
        .with("pages/me/me.js.map", "{}")
        .with(".git/HEAD", "x")
        .with("project.private.config.json", "{}")
        .with("node_modules/a/index.js", "x")
        .with("img/.DS_Store", "x");
    let findings = audit(&package);
    let told: Vec<_> = findings.iter().map(|f| (&*f.rule, f.severity)).collect();
    let warning = |rule| (rule, Severity::Warning);
    let expected = ["source-map", "version-control", "private-settings", "installed-packages"].map(warning);
    assert_eq!(told, [&expected[..], &[("editor-files", Severity::Note)]].concat());
    assert!(findings[0].message.ends_with("app.js.map and one more."), "{}", findings[0].message);
}

#[test]
fn names_that_only_look_like_left_overs_pass() {
    let package = good()
        .with("img/map.png", "x")
        .with("miniprogram_npm/a/index.js", "x")
        .with("img/.github.png", "x")
        .with("env.js", "x");
    assert_eq!(audit(&package), []);
}

/// Seen in a game that was packed with the sources of a website.
#[test]
fn sources_of_scripts_are_left_overs_as_those_of_style_sheets_are_and_declarations_of_types_are_none() {
    let finding = only(&good().with("tailwind.config.ts", "").with("lib/a.scss", "").with("lib/b.d.ts", ""));
    assert_eq!((&*finding.rule, finding.severity), ("sources", Severity::Note));
    assert!(finding.message.ends_with("lib/a.scss and one more."), "{finding:?}");
    assert!(finding.fix.is_some_and(|fix| fix.contains("packOptions.ignore")));
    let game =
        MemoryPackage::default().with("game.json", "{}").with("game.js", "").with("app/api/payment/route.ts", "");
    assert_eq!(rules(&game), ["sources"]);
}

fn component(package: MemoryPackage, stem: &str) -> MemoryPackage {
    let package = package.with(&format!("{stem}.js"), "Component({})").with(&format!("{stem}.wxml"), "<view/>");
    package.with(&format!("{stem}.json"), r#"{"component": true}"#)
}

/// The good package, with components that the page `me` uses.
fn using(components: &str) -> MemoryPackage {
    good().with("pages/me/me.json", format!(r#"{{"usingComponents": {components}}}"#))
}

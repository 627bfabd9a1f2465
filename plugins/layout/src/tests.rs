use berth_policy::testing::MemoryPackage;

use super::*;
use crate::{
    components::Components,
    modules::{Target, entries, loaded, resolve},
};

fn layout(manifest: &str, files: &[&str]) -> Layout {
    let package =
        files.iter().fold(MemoryPackage::default().with("app.json", manifest), |package, path| package.with(path, "x"));
    Layout::of(&package).expect("a manifest")
}

const PAGES: &str = r#"{"pages": ["/a/a"], "subPackages": [{"root": "/shop/", "pages": ["./list"]}]}"#;

#[test]
fn f31_slashes_around_paths_mean_nothing() {
    let layout = layout(PAGES, &[]);
    assert_eq!(layout.pages, ["a/a", "shop/list"]);
    assert!(layout.subpackage_of("shop/x.js").is_some() && layout.subpackage_of("shopping/x.js").is_none());
}

#[test]
fn f31_pages_lack_what_their_dialect_asks_for() {
    let built = |sources: &[&str]| Some(Lack::Built(sources.iter().map(|source| (*source).to_owned()).collect()));
    for (files, lack) in [
        (vec!["a/a.js", "a/a.wxml"], None),
        (vec!["a/a.js"], Some(Lack::Markup)),
        (vec!["a/a.wxml"], Some(Lack::Script)),
        (vec!["b.wxml"], Some(Lack::Everything)),
        (vec!["a/a.ts", "a/a.wxml"], built(&["a/a.ts"])),
        (vec!["a/a.js", "a/a.wxml", "a/a.less"], built(&["a/a.less"])),
        (vec!["a/a.ts", "a/a.wxml", "a/a.scss"], built(&["a/a.ts", "a/a.scss"])),
        (vec!["a/a.js", "a/a.wxml", "a/a.less", "a/a.wxss"], None),
        (vec!["a/a.js", "a/a.ts", "a/a.wxml"], None),
        (vec!["a/a.vue", "b.wxml"], built(&["a/a.vue"])),
        (vec!["app-service.js", "page-frame.html"], None),
    ] {
        assert_eq!(layout(PAGES, &files).lack("a/a"), lack, "{files:?}");
    }
}

#[test]
fn wechats_markup_counts_where_the_dialect_takes_it() {
    let manifest = r#"{"pages": ["a/a", "b/b", "c/c"]}"#;
    let of = |ending: &str| {
        let own = [format!("b/b.{ending}"), format!("c/c.{ending}")];
        layout(manifest, &["a/a.js", "a/a.wxml", &own[0], &own[1]]).lack("a/a")
    };
    assert_eq!(of("qml"), None);
    assert_eq!(of("ttml"), Some(Lack::Foreign("a/a.wxml".into())));
    assert_eq!(of("swan"), Some(Lack::Markup));
}

#[test]
fn a_document_of_the_w3c_may_be_named_after_its_folder() {
    let package = MemoryPackage::default().with("manifest.json", r#"{"pages": ["pages/home/home"]}"#);
    let lack = |path: &str| Layout::of(&package.clone().with(path, "x")).expect("a manifest").lack("pages/home/home");
    assert_eq!(lack("pages/home.html"), None);
    assert_eq!(lack("pages/home/home.html"), None);
    assert_eq!(lack("pages/other.html"), Some(Lack::Everything));
}

#[test]
fn a_game_is_not_said_to_be_of_a_vendor() {
    let described =
        |path: &str| Layout::of(&MemoryPackage::default().with(path, "{}")).expect("a manifest").description();
    assert_eq!(["app.json", "game.json"].map(described), ["WeChat", "a game"]);
}

#[test]
fn games_and_plugins_are_told_by_their_manifests() {
    let kind = |path: &str| Layout::of(&MemoryPackage::default().with(path, "{}")).expect("a manifest").kind;
    assert_eq!(["app.json", "game.json", "plugin.json"].map(kind), [Kind::App, Kind::Game, Kind::Plugin]);
}

#[test]
fn scripts_are_found_as_a_device_finds_them() {
    let manifest =
        r#"{"pages": [], "subPackages": [{"root": "shop", "pages": []}], "resolveAlias": {"@/*": "/lib/*"}}"#;
    let files =
        ["a/b.js", "lib/index.js", "shop/lib/own.js", "miniprogram_npm/dayjs/index.js", "lib/data.json", "a/c.ts"];
    let layout = layout(manifest, &files);
    let file = |path: &str| Target::File(path.into());
    for (from, text, target) in [
        ("a/a.js", "./b", file("a/b.js")),
        ("a/a.js", "b.js", file("a/b.js")),
        ("a/a.js", "../lib", file("lib/index.js")),
        ("a/a.js", "/lib/data.json", file("lib/data.json")),
        ("shop/a.js", "/lib/own", file("shop/lib/own.js")),
        ("a/a.js", "/lib/own", Target::Missing("lib/own.js".into())),
        ("a/a.js", "/b", file("a/b.js")),
        ("a/a.js", "@/index", file("lib/index.js")),
        ("a/a.js", "dayjs", file("miniprogram_npm/dayjs/index.js")),
        ("a/a.js", "lodash", Target::Npm("lodash".into())),
        ("a/a.js", "@vant/weapp/toast", Target::Npm("@vant/weapp".into())),
        ("a/a.js", "dayjs/plugin/nowhere", Target::Elsewhere),
        ("a/a.js", "plugin://x", Target::Elsewhere),
        ("a/a.js", "./c", Target::Unbuilt("a/c.ts".into())),
        ("a/a.js", "./c.js", Target::Unbuilt("a/c.ts".into())),
        ("a/a.js", "./d.js", Target::Missing("a/d.js".into())),
    ] {
        assert_eq!(resolve(&layout, from, text), target, "{from} {text}");
    }
}

#[test]
fn a_folder_means_its_main_or_its_index_and_data_are_modules() {
    let package = ["lib/src/main.js", "lib/index.js", "table/index.json", "gone/index.js", "a/data.json"]
        .into_iter()
        .fold(MemoryPackage::default().with("app.json", r#"{"pages": ["a/a"]}"#), |package, path| {
            package.with(path, "x")
        })
        .with("lib/package.json", r#"{"main": "./src/main"}"#)
        .with("gone/package.json", r#"{"main": "dist/gone.js"}"#);
    let layout = Layout::of(&package).expect("a manifest");
    for (text, file) in [
        ("../lib", "lib/src/main.js"),
        ("../table", "table/index.json"),
        ("../table/", "table/index.json"),
        ("../gone", "gone/index.js"),
        ("./data", "a/data.json"),
        ("./data.json", "a/data.json"),
    ] {
        assert_eq!(resolve(&layout, "a/a.js", text), Target::File(file.into()), "{text}");
    }
}

#[test]
fn alipay_reads_npm_packages_where_npm_installs_them() {
    let layout = layout(r#"{"pages": ["a/a"]}"#, &["a/a.axml", "node_modules/mini/index.js"]);
    assert_eq!(resolve(&layout, "a/a.js", "mini"), Target::File("node_modules/mini/index.js".into()));
    assert!(layout.npm_remedy("mini").contains("npm install"));
}

/// Seen in a mini-program of Baidu's that was moved from WeChat: it was told to run npm install, which changes nothing.
#[test]
fn how_npm_packages_come_into_the_package_is_told_for_each_vendor_and_each_folder() {
    let remedy = |markup: &str, path: &str| {
        let page = format!("a/a.{markup}");
        layout(r#"{"pages": ["a/a"]}"#, &["a/a.js", &page]).npm_remedy(path)
    };
    for (markup, path, told) in [
        ("wxml", "../miniprogram_npm/mini/index", "Build npm in the developer tool (Tools, Build npm)"),
        ("qml", "mini", "Build npm in the developer tool (Tools, Build npm)"),
        ("ttml", "mini", "Build npm in the developer tool (the panel NPM)"),
        ("ksml", "mini", "so that miniprogram_npm holds it"),
        ("wxml", "../node_modules/mini/index", "nothing is read from node_modules. Build npm"),
        ("axml", "mini", "run npm install, so that node_modules holds it"),
        ("swan", "mini", "berth pack leaves node_modules behind"),
        (
            "swan",
            "/miniprogram_npm/mini/index",
            "is not in the package. Put it in, with components in Baidu's own markup",
        ),
        ("axml", "../miniprogram_npm/mini/index", "Put it in, with components in Alipay's own markup"),
    ] {
        let remedy = remedy(markup, path);
        assert!(remedy.contains(told), "{markup} {path}: {remedy}");
    }
}

#[test]
fn sources_are_what_a_build_compiles() {
    let mini = layout(r#"{"pages": ["a/a"]}"#, &["a/a.wxml"]);
    for path in ["a.ts", "a.tsx", "a.vue", "a.less", "b/a.scss", "a.pug"] {
        assert!(mini.is_source(path), "{path}");
    }
    for path in ["a.d.ts", "a.js", "ts", "a.wxss"] {
        assert!(!mini.is_source(path), "{path}");
    }
    let package = MemoryPackage::default().with("manifest.json", r#"{"pages": ["a"]}"#).with("a.vue", "x");
    assert!(!Layout::of(&package).expect("a manifest").is_source("a.vue"), "MiniApps of the W3C are documents");
}

#[test]
fn what_is_loaded_begins_with_the_app_pages_components_and_workers() {
    let manifest = r#"{"pages": ["a/a"], "workers": {"path": "/workers/", "isSubpackage": true}}"#;
    let package = ["app.js", "a/a.js", "c/c.js", "workers/w.js", "lib/used.js", "lib/idle.js"]
        .into_iter()
        .fold(MemoryPackage::default().with("app.json", manifest), |package, path| package.with(path, "x"))
        .with("a/a.json", r#"{"usingComponents": {"c": "/c/c"}}"#);
    let layout = Layout::of(&package).expect("a manifest");
    let entries = entries(&layout, &Components::of(&layout, &package));
    let imports = [("a/a.js".to_owned(), vec!["../lib/used".to_owned()])].into();
    let mut loaded: Vec<_> = loaded(&layout, entries, &imports).into_iter().collect();
    loaded.sort();
    assert_eq!(loaded, ["a/a.js", "app.js", "c/c.js", "lib/used.js", "workers/w.js"]);
}

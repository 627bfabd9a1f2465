use serde_json::json;

use super::*;
use crate::{
    Limits,
    evil::{Evil, Item},
};

fn read(files: &[(&str, &str)]) -> Result<Manifest> {
    let items = files.iter().map(|(path, text)| Item::stored(path, text.as_bytes()));
    Manifest::read(&Archive::open(Evil::of(items).build(), &Limits::default()).expect("an archive"))
}

fn app(value: Value) -> Result<Manifest> {
    read(&[("app.json", &value.to_string())])
}

#[track_caller]
fn refused(result: Result<Manifest>, rule: &str) -> Error {
    let error = result.expect_err("a refusal");
    assert_eq!((error.code, error.fields["rule"].as_str()), (Code::PackageManifest, Some(rule)), "{error}");
    error
}

fn w3c() -> Value {
    json!({
        "app_id": "weather", "name": "Weather", "icons": [{"src": "icon.png"}], "pages": ["pages/today"],
        "platform_version": {"min_code": 1}, "version": {"code": 3, "name": "1.0.0"},
    })
}

fn name(text: &str) -> PackageName {
    text.parse().expect("a package name")
}

#[test]
fn a_manifest_json_of_another_kind_is_told_for_what_it_is() {
    let quick = r#"{"package": "com.x", "minPlatformVersion": 1070, "router": {}}"#;
    let error = refused(read(&[("manifest.json", quick), ("app.ux", "")]), "manifest-foreign");
    assert!(error.detail.contains("quick app"), "{error}");
    let uni_app = "{ /* basics */ \"appid\": \"__UNI__1\" }";
    let error = refused(read(&[("manifest.json", uni_app), ("pages.json", "{}")]), "manifest-foreign");
    assert!(error.detail.contains("uni-app") && error.detail.contains("build:mp-weixin"), "{error}");
    refused(read(&[("manifest.json", "{}")]), "manifest-shape");
}

#[test]
fn pages_of_subpackages_are_joined_in_both_spellings() {
    for spelling in ["subPackages", "subpackages"] {
        let manifest = app(json!({
            "pages": ["pages/index", "/pages/me"],
            spelling: [{"root": "/shop/", "name": "shop", "pages": ["list", "cart"], "independent": true}, {"root": "help", "pages": []}],
        }));
        let manifest = manifest.expect("a manifest");
        assert_eq!(manifest.pages, ["pages/index", "pages/me", "shop/list", "shop/cart"]);
        assert_eq!(manifest.subpackages.len(), 2);
        assert_eq!(manifest.subpackages[0].root, "shop");
        assert!(manifest.subpackages[0].independent && manifest.warnings.is_empty(), "{:?}", manifest.warnings);
    }
    let both = json!({"pages": ["a"], "subPackages": [], "subpackages": []});
    refused(app(both), "manifest-shape");
}

#[test]
fn an_app_json_of_the_wrong_shape_is_refused_by_member() {
    for (value, member) in [
        (json!({}), "pages"),
        (json!({"pages": []}), "pages"),
        (json!({"pages": "index"}), "pages"),
        (json!({"pages": [1]}), "pages"),
        (json!({"pages": ["../x"]}), "pages"),
        (json!({"pages": [""]}), "pages"),
        (json!({"pages": ["a"], "subPackages": {}}), "subPackages"),
        (json!({"pages": ["a"], "subPackages": ["x"]}), "subPackages"),
        (json!({"pages": ["a"], "subPackages": [{"pages": ["x"]}]}), "subPackages[].root"),
        (json!({"pages": ["a"], "subPackages": [{"root": "", "pages": ["x"]}]}), "subPackages[].root"),
        (json!({"pages": ["a"], "subPackages": [{"root": "r", "pages": ["/"]}]}), "subPackages[].pages"),
        (json!({"pages": ["a"], "tabBar": {"list": [{"text": "x"}]}}), "tabBar.list[].pagePath"),
        (json!({"pages": ["a"], "tabBar": {"list": 1}}), "tabBar.list"),
    ] {
        let error = refused(app(value), "manifest-shape");
        assert_eq!(error.fields["member"], member, "{error}");
        assert!(error.detail.contains(member), "{error}");
    }
}

#[test]
fn what_is_unusual_in_an_app_json_only_warns() {
    for (member, value) in [
        ("workers", json!(1)),
        ("lazyCodeLoading", json!("all")),
        ("preloadRule", json!({"pages/a": {"network": "5g"}})),
        ("requiredPrivateInfos", json!(["readMind"])),
    ] {
        let manifest = app(json!({"pages": ["a"], member: value})).expect(member);
        assert!(manifest.warnings.len() == 1 && manifest.warnings[0].contains(member), "{:?}", manifest.warnings);
    }
    let alipay = app(json!({"pages": ["a"], "lazyCodeLoading": "renderedComponents"})).expect("a manifest");
    assert!(alipay.warnings.is_empty(), "{:?}", alipay.warnings);
    let manifest =
        app(json!({"pages": ["a", "a"], "workers": {"path": "w", "isSubpackage": true}})).expect("a manifest");
    assert_eq!((manifest.pages.len(), manifest.warnings.len()), (1, 1));
}

#[test]
fn f25_a_byte_order_mark_warns_and_is_dropped() {
    let manifest = read(&[("app.json", "\u{feff}{\"pages\":[\"a\"]}")]).expect("a manifest");
    assert_eq!(manifest.text, "{\"pages\":[\"a\"]}");
    assert_eq!(manifest.warnings.len(), 1);
}

#[test]
fn f24_what_is_not_json_is_refused_with_its_place() {
    let error = refused(read(&[("app.json", "{\n  \"pages\": [\"a\",]\n}")]), "json");
    assert!(error.detail.contains("line 2"), "{error}");
    refused(read(&[("app.json", r#"{"pages":["a"],"pages":["b"]}"#)]), "duplicate-key");
    refused(read(&[("app.json", "[]")]), "manifest-shape");
    let long = format!("{{\"pages\":[\"a\"],\"x\":\"{}\"}}", "x".repeat(1 << 20));
    refused(read(&[("app.json", &long)]), "manifest-bytes");
    let latin1 = Evil::of([Item::stored("app.json", b"{\"pages\":[\"a\"],\"x\":\"\xe9\"}")]).build();
    refused(Manifest::read(&Archive::open(latin1, &Limits::default()).expect("an archive")), "json");
}

#[test]
fn f27_a_manifest_in_the_wrong_case_or_place_is_refused() {
    refused(read(&[("App.json", "{}")]), "manifest-case");
    refused(read(&[("app.json", "{\"pages\":[\"a\"]}"), ("MANIFEST.JSON", "{}")]), "manifest-case");
    let error = refused(read(&[("dist/app.json", "{}")]), "manifest-missing");
    assert!(error.detail.contains("dist/app.json"), "{error}");
    refused(read(&[]), "manifest-missing");
}

#[test]
fn f27_of_two_manifests_both_are_checked_and_must_not_contradict() {
    let app = |version: &str| json!({"pages": ["pages/a"], "version": version}).to_string();
    let both = |app: &str, w3c: Value| read(&[("app.json", app), ("manifest.json", &w3c.to_string())]);
    let manifest = both(&app("1.0.0"), w3c()).expect("a manifest");
    assert_eq!((manifest.kind, manifest.pages.as_slice()), (Kind::AppJson, &["pages/a".to_owned()][..]));
    assert_eq!(manifest.declared_id.expect("an id").value, "weather");
    let error = refused(both(&app("1.0.1"), w3c()), "two-manifests");
    assert!(error.detail.contains("1.0.1") && error.detail.contains("1.0.0"), "{error}");
    refused(both(&app("1.0.0"), json!({"app_id": "weather"})), "manifest-shape");
}

#[test]
fn f27_a_manifest_json_of_another_kind_beside_the_manifest_is_a_warning() {
    for leading in [("app.json", r#"{"pages":["a"]}"#), ("game.json", "{}")] {
        for foreign in ["{\"name\": \"a web page's\"}", "{ // uni-app's\n \"appid\": \"__UNI__1\" }", "[]", ""] {
            let manifest = read(&[leading, ("game.js", ""), ("manifest.json", foreign)]).expect(foreign);
            assert!(manifest.warnings.len() == 1 && manifest.warnings[0].contains("manifest.json"), "{foreign}");
        }
        refused(read(&[leading, ("game.js", ""), ("manifest.json", "{\"app_id\": \"a\",}")]), "json");
    }
    refused(read(&[("manifest.json", "{ // uni-app's\n }")]), "json");
}

#[test]
fn a_game_has_one_entry_and_subpackages() {
    let script = ("game.js", "");
    let game =
        json!({"version": "1.0.0", "subpackages": [{"name": "stage1", "root": "stage1/"}, {"root": "stage2.js"}]});
    let manifest = read(&[("game.json", &game.to_string()), script]).expect("a game");
    assert_eq!((manifest.kind, manifest.path.as_str(), manifest.pages), (Kind::Game, "game.json", vec!["game".into()]));
    assert_eq!(manifest.subpackages.iter().map(|one| one.root.as_str()).collect::<Vec<_>>(), ["stage1", "stage2.js"]);
    assert_eq!(manifest.declared_version.expect("a version").by, "game.json: version");
    for (member, value) in
        [("subpackages", json!({})), ("subpackages", json!([{}])), ("subPackages", json!([{"root": "../x"}]))]
    {
        refused(read(&[("game.json", &json!({member: value}).to_string()), script]), "manifest-shape");
    }
    refused(read(&[("game.json", r#"{"subpackages": [], "subPackages": []}"#), script]), "manifest-shape");
    refused(read(&[("Game.json", "{}"), script]), "manifest-case");
    let error = refused(read(&[("game.json", "{}")]), "manifest-missing");
    assert!(error.detail.contains("game.js"), "{error}");
    let both = read(&[("app.json", r#"{"pages":["a"]}"#), ("game.json", "not JSON")]).expect("a mini-program");
    assert_eq!(both.kind, Kind::AppJson);
}

#[test]
fn a_plugin_is_refused_with_what_is_supported() {
    let error = refused(read(&[("plugin.json", "{}")]), "plugin");
    assert!(error.detail.contains("app.json") && error.detail.contains("game.json"), "{error}");
}

#[test]
fn f28_naughty_text_goes_through_unchanged() {
    for naughty in [
        "<script>alert(1)</script>",
        "'; DROP TABLE version;--",
        "\u{202e}txt",
        "Ω≈ç√",
        "\0",
        "👩‍👩‍👧",
        "${jndi:ldap://x}",
        "../../etc/passwd",
    ] {
        let text = json!({"pages": ["a"], "window": {"navigationBarTitleText": naughty}}).to_string();
        assert_eq!(read(&[("app.json", &text)]).expect(naughty).text, text);
    }
}

#[test]
fn a_w3c_manifest_is_read() {
    let manifest = read(&[("manifest.json", &w3c().to_string())]).expect("a manifest");
    assert_eq!((manifest.kind, manifest.path.as_str()), (Kind::W3c, "manifest.json"));
    assert_eq!(manifest.pages, ["pages/today"]);
    assert!(manifest.agrees_with(&name("weather_1.0.0.apkg")).is_ok());
}

#[test]
fn a_w3c_manifest_of_the_wrong_shape_is_refused_by_member() {
    for (member, value) in [
        ("app_id", json!(null)),
        ("name", json!("")),
        ("icons", json!([])),
        ("icons", json!([{"label": "x"}])),
        ("pages", json!([])),
        ("pages", json!(["a/../b"])),
        ("platform_version", json!(1)),
        ("version", json!("1.0.0")),
        ("req_permissions", json!(["camera"])),
        ("device_type", json!("phone")),
    ] {
        let mut manifest = w3c();
        manifest[member] = value;
        let error = refused(read(&[("manifest.json", &manifest.to_string())]), "manifest-shape");
        assert_eq!(error.fields["member"], member, "{error}");
    }
    for (member, value) in
        [("code", json!(-1)), ("code", json!(1.5)), ("name", json!("1.0")), ("name", json!("01.0.0"))]
    {
        let mut manifest = w3c();
        manifest["version"][member] = value;
        let error = refused(read(&[("manifest.json", &manifest.to_string())]), "manifest-shape");
        assert_eq!(error.fields["member"], format!("version.{member}"));
    }
}

#[test]
fn v2_a_disagreement_names_both_values() {
    let manifest = read(&[("manifest.json", &w3c().to_string())]).expect("a manifest");
    for (package, rule, inside, outside) in [
        ("weather_1.0.1.apkg", "version-mismatch", "1.0.0", "1.0.1"),
        ("coffee_1.0.0.apkg", "id-mismatch", "weather", "coffee"),
        ("weather_1.0.0-rc.1.apkg", "version-mismatch", "1.0.0", "1.0.0-rc.1"),
    ] {
        let error = manifest.agrees_with(&name(package)).expect_err(package);
        assert_eq!((error.code, error.fields["rule"].as_str()), (Code::PackageMismatch, Some(rule)));
        assert_eq!((error.fields["manifest"].as_str(), error.fields["name"].as_str()), (Some(inside), Some(outside)));
        assert!(error.detail.contains(inside) && error.detail.contains(outside), "{error}");
    }
}

#[test]
fn v2_an_app_json_that_declares_nothing_agrees_with_any_name() {
    let manifest = app(json!({"pages": ["a"]})).expect("a manifest");
    assert!(manifest.agrees_with(&name("coffee_1.0.0.apkg")).is_ok());
    let manifest = app(json!({"pages": ["a"], "mini_app_id": "coffee", "version": "2.0.0"})).expect("a manifest");
    assert!(manifest.agrees_with(&name("coffee_2.0.0.apkg")).is_ok());
    assert!(manifest.agrees_with(&name("coffee_2.0.1.apkg")).is_err());
    assert!(manifest.agrees_with(&name("tea_2.0.0.apkg")).is_err());
}

use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

use super::*;

const APP: &str = r#"{"pages":["pages/index"]}"#;

/// A project folder with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

fn pack_it(dir: &tempfile::TempDir) -> Result<(PackReport, Vec<u8>)> {
    let mut bytes = Vec::new();
    let report = pack(dir.path(), &mut bytes, &PackOptions::default())?;
    Ok((report, bytes))
}

fn included(report: &PackReport) -> Vec<&str> {
    report.included.iter().map(|file| file.path.as_str()).collect()
}

fn left_out(report: &PackReport) -> BTreeMap<&str, &str> {
    report.left_out.iter().map(|line| (line.path.as_str(), line.reason.as_str())).collect()
}

#[track_caller]
fn refused(dir: &tempfile::TempDir, rule: &str) -> Error {
    let error = pack_it(dir).expect_err("a refusal");
    assert_eq!(error.fields["rule"], rule, "{error}");
    error
}

#[test]
fn the_same_folder_gives_the_same_bytes_wherever_and_whenever() {
    let files = [("app.json", APP), ("pages/index.js", "Page({})"), ("pages/index.wxml", "<view/>"), ("图.txt", "x")];
    let first = project(&files);
    let second = project(&files);
    let old = fs::File::open(second.path().join("app.json")).expect("a file");
    old.set_modified(std::time::UNIX_EPOCH).expect("a time");
    let (report, bytes) = pack_it(&first).expect("a package");
    assert_eq!(bytes, pack_it(&second).expect("a package").1);
    assert_eq!(included(&report), ["app.json", "pages/index.js", "pages/index.wxml", "图.txt"]);
    assert_eq!(report.bytes, bytes.len() as u64);
    // Changes only when the format or the deflater does; clients would then download again what they have.
    insta::assert_snapshot!(crate::ids::Digest::of(&bytes).as_str(), @"1af5a5f07a20c699bf78934f25e9a488d6ffefeaf798d9bf2f7d9e09d00d2a5a");
}

#[test]
fn what_no_mini_program_needs_stays_behind_and_the_report_says_why() {
    let dir = project(&[
        ("app.json", APP),
        ("app.js.map", "{}"),
        ("project.config.json", "{}"),
        ("project.private.config.json", "{}"),
        ("node_modules/a/index.js", "x"),
        ("miniprogram_npm/a/index.js", "x"),
        (".git/HEAD", "x"),
        (".env", "SECRET=1"),
        ("pages/index.js~", "x"),
        ("sub/.DS_Store", "x"),
        ("sitemap.json", "{}"),
        ("miniprogram_npm/a/index.d.ts", "x"),
        ("miniprogram_npm/a/README.en-US.md", "x"),
        ("miniprogram_npm/a/LICENSE", "x"),
        ("terms.md", "x"),
    ]);
    fs::create_dir(dir.path().join("empty")).expect("a folder");
    symlink("/etc/passwd", dir.path().join("link.js")).expect("a link");
    symlink("/", dir.path().join("root")).expect("a link");
    let (report, _) = pack_it(&dir).expect("a package");
    let expected = ["app.json", "miniprogram_npm/a/LICENSE", "miniprogram_npm/a/index.js", "sitemap.json", "terms.md"];
    assert_eq!(included(&report), expected);
    let left: Vec<_> = left_out(&report).into_keys().collect();
    let expected = [
        ".env",
        ".git/",
        "app.js.map",
        "empty/",
        "link.js",
        "miniprogram_npm/a/README.en-US.md",
        "miniprogram_npm/a/index.d.ts",
        "node_modules/",
        "pages/index.js~",
        "project.config.json",
        "project.private.config.json",
        "root",
        "sub/.DS_Store",
    ];
    assert_eq!(left, expected);
    assert!(left_out(&report)["link.js"].contains("symbolic link"));
}

#[test]
fn pack_options_ignore_and_include_are_honoured() {
    let config = r#"{"packOptions": {
        "ignore": [{"type": "folder", "value": "mock"}, {"type": "suffix", "value": ".md"}, {"type": "glob", "value": "**/*.test.js"}],
        "include": [{"type": "file", "value": "mock/keep.json"}, {"type": "folder", "value": ".well-known"}]
    }}"#;
    let dir = project(&[
        ("project.config.json", config),
        ("app.json", APP),
        ("mock/a.json", "{}"),
        ("mock/keep.json", "{}"),
        ("README.md", "x"),
        ("a/b.test.js", "x"),
        (".well-known/x", "x"),
        (".hidden", "x"),
    ]);
    let (report, _) = pack_it(&dir).expect("a package");
    assert_eq!(included(&report), [".well-known/x", "app.json", "mock/keep.json"]);
    assert_eq!(left_out(&report)["README.md"], "packOptions.ignore: suffix \".md\"");
    assert_eq!(left_out(&report)["mock/a.json"], "packOptions.ignore: folder \"mock\"");
}

#[test]
fn rules_are_read_as_the_vendors_tools_read_them() {
    let config = r#"{"packOptions": {"ignore": [
        {"type": "prefix", "value": "Mock_"},
        null,
        "notes",
        {"type": "regexp", "value": "^(?!/?keep/).*\\.TXT$"},
        {"type": "regexp", "value": "^/raw/"},
        {"type": "suffix", "value": ".PSD"}
    ], "include": null}}"#;
    let dir = project(&[
        ("project.config.json", config),
        ("app.json", APP),
        ("pages/mock_a.js", ""),
        ("mock_pages/a.js", ""),
        ("notes/a.js", ""),
        ("a.txt", ""),
        ("keep/a.txt", ""),
        ("raw/a.png", ""),
        ("art.psd", ""),
    ]);
    let (report, _) = pack_it(&dir).expect("a package");
    assert_eq!(included(&report), ["app.json", "keep/a.txt", "mock_pages/a.js"]);
    assert_eq!(left_out(&report)["notes/"], "packOptions.ignore: \"notes\"");
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn a_rule_that_matches_nothing_or_cannot_be_read_is_a_warning_with_its_index() {
    let config = r#"{"packOptions": {
        "ignore": [{"type": "folder", "value": "node_modules"}, {"type": "folder", "value": "./docs"}, {"type": "regexp", "value": "("},
                   {"type": "folder", "value": "a"}, {"type": "folder", "value": "a/b"}],
        "include": {"type": "file"}
    }}"#;
    let files = [
        ("project.config.json", config),
        ("app.json", APP),
        ("docs/a.js", ""),
        ("node_modules/a/a.js", ""),
        ("a/b/c", ""),
    ];
    let (report, _) = pack_it(&project(&files)).expect("a package");
    let [unread, list, unused] = <&[String; 3]>::try_from(report.warnings.as_slice()).expect("three warnings");
    assert!(unread.contains("packOptions.ignore[2] (regexp \"(\") cannot be read"), "{unread}");
    assert!(list.contains("packOptions.include cannot be read"), "{list}");
    assert!(unused.contains("packOptions.ignore[1] (folder \"./docs\") matches nothing"), "{unused}");
    assert!(included(&report).contains(&"docs/a.js"));
}

#[test]
fn no_rule_includes_what_the_vendors_tools_never_pack() {
    let config = r#"{"cloudfunctionRoot": "server", "packOptions": {"include": [{"type": "regexp", "value": ".*"}]}}"#;
    let dir = project(&[
        ("project.config.json", config),
        ("app.json", APP),
        (".git/config", "x"),
        ("node_modules/a.js", "x"),
        ("server/key.json", "x"),
        ("README.md", "x"),
    ]);
    let (report, _) = pack_it(&dir).expect("a package");
    assert_eq!(included(&report), ["README.md", "app.json", "project.config.json"]);
}

#[test]
fn what_runs_on_a_server_stays_behind_with_the_reason() {
    for member in [
        "cloudfunctionRoot",
        "cloudfunctionTemplateRoot",
        "cloudcontainerRoot",
        "cloudbaseRoot",
        "qcloudRoot",
        "jsserverRoot",
    ] {
        let config = format!(r#"{{"{member}": "./Server\\fn/"}}"#);
        let dir = project(&[
            ("project.config.json", &config),
            ("app.json", APP),
            ("Server/fn/index.js", ""),
            ("Server/a.js", ""),
        ]);
        let (report, _) = pack_it(&dir).expect("a package");
        assert_eq!(included(&report), ["Server/a.js", "app.json"]);
        let reason = left_out(&report)["Server/fn/"];
        assert!(reason.contains(member) && reason.contains("runs on a server"), "{reason}");
    }
    let below = r#"{"miniprogramRoot": "client", "cloudfunctionRoot": "client/cloud"}"#;
    let dir = project(&[("project.config.json", below), ("client/app.json", APP), ("client/cloud/a.js", "")]);
    assert_eq!(included(&pack_it(&dir).expect("a package").0), ["app.json"]);
    let around = r#"{"miniprogramRoot": "client", "qcloudRoot": "client/"}"#;
    let (report, _) =
        pack_it(&project(&[("project.config.json", around), ("client/app.json", APP)])).expect("a package");
    assert!(report.warnings[0].contains("qcloudRoot"), "{:?}", report.warnings);
}

#[test]
fn a_copied_project_file_whose_root_does_not_exist_packs_its_own_folder() {
    let config = ("project.config.json", r#"{"miniprogramRoot": "dist/"}"#);
    let (report, _) = pack_it(&project(&[config, ("app.json", APP)])).expect("a package");
    assert_eq!(included(&report), ["app.json"]);
    assert!(report.warnings[0].contains("miniprogramRoot \"dist\" does not exist"), "{:?}", report.warnings);
    refused(&project(&[config, ("app.json", APP), ("dist/x.js", "")]), "manifest-missing");
}

#[test]
fn each_dialect_has_its_project_file_and_its_root() {
    for (file, member, markup, dialect) in [
        ("project.config.json", "miniprogramRoot", "wxml", Dialect::WeChat),
        ("project.config.json", "miniprogramRoot", "ttml", Dialect::Douyin),
        ("project.config.json", "miniprogramRoot", "qml", Dialect::Qq),
        ("mini.project.json", "miniprogramRoot", "axml", Dialect::Alipay),
        ("project.swan.json", "smartProgramRoot", "swan", Dialect::Baidu),
    ] {
        let config = format!(r#"{{"{member}": "client\\app\\"}}"#);
        let page = format!("client/app/pages/index.{markup}");
        let dir = project(&[(file, &config), ("client/app/app.json", APP), (&page, "")]);
        let (report, _) = pack_it(&dir).expect("a package");
        assert_eq!((report.dialect, report.root), (Some(dialect), dir.path().join("client/app")));
    }
    let toutiao = ("project.config.json", r#"{"appid": "tt0123456789", "miniprogramRoot": 1}"#);
    assert_eq!(pack_it(&project(&[toutiao, ("app.json", APP)])).expect("a package").0.dialect, Some(Dialect::Douyin));
}

#[test]
fn alipay_runs_from_node_modules_and_keeps_what_it_depends_on() {
    let dir = project(&[
        ("app.json", APP),
        ("pages/index.axml", ""),
        ("package.json", r#"{"dependencies": {"@scope/a": "1"}, "devDependencies": {"build": "1"}}"#),
        ("node_modules/@scope/a/package.json", r#"{"dependencies": {"b": "1", "c": "2"}}"#),
        ("node_modules/@scope/a/node_modules/c/index.js", ""),
        ("node_modules/@scope/unused/index.js", ""),
        ("node_modules/b/index.js", ""),
        ("node_modules/build/index.js", ""),
        ("node_modules/c/index.js", ""),
    ]);
    let (report, _) = pack_it(&dir).expect("a package");
    let npm: Vec<_> = included(&report).into_iter().filter(|path| path.starts_with("node_modules")).collect();
    let expected = [
        "node_modules/@scope/a/node_modules/c/index.js",
        "node_modules/@scope/a/package.json",
        "node_modules/b/index.js",
    ];
    assert_eq!(npm, expected);
    assert_eq!(left_out(&report)["node_modules/build/"], "is no dependency of package.json");
    let dir = project(&[("app.json", APP), ("pages/index.axml", ""), ("node_modules/a/index.js", "")]);
    assert!(included(&pack_it(&dir).expect("a package").0).contains(&"node_modules/a/index.js"));
}

#[test]
fn builds_of_frameworks_are_found_and_named_and_their_sources_told() {
    let built = [("dist/build/mp-weixin/app.json", APP), ("dist/build/mp-weixin/common/vendor.js", "")];
    let main = ("dist/build/mp-weixin/common/runtime.js", "");
    let source = ("src/pages.json", "{}");
    let (report, _) = pack_it(&project(&[built[0], built[1], main, source])).expect("a package");
    assert_eq!(report.built_by, Some(Framework::UniApp));
    let error = refused(&project(&[built[0], ("dist/build/mp-alipay/app.json", APP)]), "manifest-missing");
    assert!(error.detail.contains("mp-weixin") && error.detail.contains("mp-alipay"), "{error}");
    let error = refused(&project(&[source]), "manifest-missing");
    assert!(error.detail.contains("uni-app") && error.detail.contains("build it"), "{error}");
    let error = refused(&project(&[("src/app.config.ts", "")]), "manifest-missing");
    assert!(error.detail.contains("Taro"), "{error}");
}

#[test]
fn a_game_is_packed_and_a_plugin_is_told_what_is_supported() {
    let (report, _) = pack_it(&project(&[("game.json", "{}"), ("game.js", "")])).expect("a package");
    assert_eq!((report.kind, report.dialect), (ManifestKind::Game, None));
    let config = r#"{"compileType": "plugin", "miniprogramRoot": "miniprogram/", "pluginRoot": "plugin/"}"#;
    let dir = project(&[("project.config.json", config), ("miniprogram/app.json", APP), ("plugin/plugin.json", "{}")]);
    let error = refused(&dir, "plugin");
    assert!(error.detail.contains("game.json") && error.detail.contains("miniprogram"), "{error}");
}

#[test]
fn a_manifest_of_uni_app_beside_the_manifest_is_a_warning() {
    let foreign = ("manifest.json", "{ /* basics */ \"appid\": \"__UNI__\", // id\n}");
    let (report, _) = pack_it(&project(&[("app.json", APP), foreign])).expect("a package");
    assert!(report.warnings[0].contains("manifest.json"), "{:?}", report.warnings);
}

#[test]
fn the_root_is_where_the_project_says_or_where_the_manifest_is() {
    let config = r#"{"miniprogramRoot": "./client/", "appid": "wx0123456789abcdef"}"#;
    for (files, root) in [
        (&[("project.config.json", config), ("client/app.json", APP), ("app.json", "not this one")][..], "client"),
        (&[("app.json", APP), ("src/app.json", "x")], ""),
        (&[("dist/app.json", APP), ("src/app.json", "x")], "dist"),
        (&[("src/app.json", APP)], "src"),
        (&[("miniprogram/app.json", APP), ("project.config.json", "{\"miniprogramRoot\": \"\"}")], "miniprogram"),
    ] {
        let dir = project(files);
        let (report, _) = pack_it(&dir).expect(root);
        assert_eq!(report.root.strip_prefix(dir.path()).expect("below"), Path::new(root));
    }
}

#[test]
fn a_missing_manifest_is_refused_with_the_places_that_have_one() {
    let error = refused(&project(&[("packages/shop/build/app.json", APP), ("x.js", "")]), "manifest-missing");
    assert!(error.detail.contains("miniprogram, dist, src") && error.detail.contains("packages/shop/build"), "{error}");
    let config = ("project.config.json", r#"{"miniprogramRoot": "dist/"}"#);
    let error = refused(&project(&[config, ("src/app.json", APP)]), "manifest-missing");
    assert!(error.detail.contains("miniprogramRoot") && error.detail.contains("src"), "{error}");
    let escape = ("project.config.json", r#"{"miniprogramRoot": "../other"}"#);
    refused(&project(&[escape, ("app.json", APP)]), "project-config");
    refused(&project(&[("project.config.json", "{"), ("app.json", APP)]), "project-config");
    let error = pack(Path::new("/no/such/folder"), &mut Vec::new(), &PackOptions::default()).expect_err("a refusal");
    assert!(error.detail.contains("/no/such/folder"), "{error}");
}

#[test]
fn f18_a_name_that_would_be_refused_is_refused_when_packing() {
    refused(&project(&[("app.json", APP), ("what?.js", "")]), "reserved-character");
    refused(&project(&[("app.json", APP), ("cafe\u{301}.js", "")]), "not-nfc");
    refused(&project(&[("app.json", APP), ("a.js", ""), ("A.js", "")]), "name-collision");
}

#[test]
fn v2_a_package_is_checked_before_it_is_written() {
    let dir = project(&[("app.json", r#"{"pages":["a"],"version":"1.0.0"}"#)]);
    let options = PackOptions { name: Some("coffee_1.0.1.apkg".parse().expect("a name")), ..PackOptions::default() };
    let mut bytes = Vec::new();
    assert_eq!(pack(dir.path(), &mut bytes, &options).expect_err("a refusal").code, Code::PackageMismatch);
    assert!(bytes.is_empty());
    refused(&project(&[("app.json", "{,}")]), "json");
}

#[test]
fn f7_what_would_look_like_a_bomb_is_stored() {
    let dir = project(&[("app.json", APP), ("blank.bmp", &"\0".repeat(1 << 20))]);
    let (report, bytes) = pack_it(&dir).expect("a package that its own limits accept");
    assert!(bytes.len() > 1 << 20 && report.bytes == bytes.len() as u64);
}

#[test]
fn f5_limits_hold_when_packing() {
    let dir = project(&[("app.json", APP), ("big.bin", "0123456789")]);
    let limits = Limits { max_file_bytes: 9, ..Limits::default() };
    let error =
        pack(dir.path(), &mut Vec::new(), &PackOptions { limits, ..PackOptions::default() }).expect_err("a refusal");
    assert_eq!(error.code, Code::PackageLimit);
}

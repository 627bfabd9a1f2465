//! What is left out of packages, and why.

use super::*;

#[test]
fn what_no_mini_program_needs_stays_behind_and_the_report_says_why() {
    let dir = project(&[
        ("app.json", APP),
        ("app.js.map", "{}"),
        ("berth.json", "{}"),
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
        ("mp-shop_1.0.0.apkg", "x"),
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
        "berth.json",
        "empty/",
        "link.js",
        "miniprogram_npm/a/README.en-US.md",
        "miniprogram_npm/a/index.d.ts",
        "mp-shop_1.0.0.apkg",
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
fn pack_options_that_are_null_are_none_and_those_of_another_shape_are_a_warning() {
    for (options, warnings) in
        [("null", 0), ("{}", 0), (r#"{"ignore": null, "include": []}"#, 0), (r#"["a"]"#, 2), ("7", 2)]
    {
        let config = format!(r#"{{"packOptions": {options}}}"#);
        let (report, _) = pack_it(&project(&[("project.config.json", &config), ("app.json", APP)])).expect("a package");
        assert_eq!(report.warnings.len(), warnings, "{:?}", report.warnings);
    }
}

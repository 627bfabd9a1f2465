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
    insta::assert_snapshot!(berth_base::ids::Digest::of(&bytes).as_str(), @"1af5a5f07a20c699bf78934f25e9a488d6ffefeaf798d9bf2f7d9e09d00d2a5a");
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
        "include": [{"type": "file", "value": "mock/keep.json"}, {"type": "prefix", "value": ".well-known/"}]
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

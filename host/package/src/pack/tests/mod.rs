mod projects;
mod rules;

use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

use super::*;

const APP: &str = r#"{"pages":["pages/index"]}"#;

/// A temporary project folder with these files.
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

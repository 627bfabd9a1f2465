//! The samples in `packages/`: the good ones are accepted, and the bad ones are refused as they say.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::*;
use crate::{Manifest, PackOptions, PackReport, PackageName, pack};

/// The folder of the samples.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages")
}

/// The folders in `dir`, sorted.
pub(crate) fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

fn pack_folder(dir: &Path, name: Option<PackageName>) -> Result<(PackReport, Archive), Error> {
    let mut bytes = Vec::new();
    let report = pack(dir, &mut bytes, &PackOptions { name, ..PackOptions::default() })?;
    Ok((report, open(bytes).expect("what is packed is accepted")))
}

#[test]
fn the_good_samples_are_packed_and_every_page_has_its_files() {
    let mut seen = 0;
    for app in folders(&samples()).iter().filter(|dir| file_name(dir) != "bad") {
        for version in folders(app) {
            let name =
                format!("{}_{}.apkg", file_name(app), file_name(&version)).parse().expect("folders that make a name");
            let (report, archive) = pack_folder(&version, Some(name)).expect("a good sample");
            assert_eq!(report.warnings, Vec::<String>::new(), "{}", version.display());
            let manifest = Manifest::read(&archive).expect("a manifest");
            let markup =
                |page: &str| ["wxml", "html"].iter().any(|ext| archive.file(&format!("{page}.{ext}")).is_some());
            assert!(
                manifest.pages.iter().all(|page| markup(page) && archive.file(&format!("{page}.js")).is_some()),
                "{}",
                version.display()
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn the_versions_of_a_sample_differ() {
    for app in ["coffee", "weather"] {
        let manifests = folders(&samples().join(app)).into_iter().map(|dir| {
            let (_, archive) = pack_folder(&dir, None).expect("a good sample");
            Manifest::read(&archive).expect("a manifest").text
        });
        let manifests: Vec<_> = manifests.collect();
        assert!(manifests.windows(2).all(|pair| pair[0] != pair[1]), "{app}");
    }
}

/// A copy of a bad sample, with the files that it asks to be generated.
fn prepare(sample: &Path, expected: &Value) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    copy(sample, dir.path());
    for file in expected["generate"].as_array().into_iter().flatten() {
        let path = dir.path().join(file["path"].as_str().expect("a path"));
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, vec![0; file["bytes"].as_u64().expect("a number") as usize]).expect("a file");
    }
    dir
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let target = to.join(file_name(&entry));
        if entry.is_dir() {
            fs::create_dir(&target).expect("a folder");
            copy(&entry, &target);
        } else {
            fs::copy(&entry, target).expect("a file");
        }
    }
}

#[test]
fn the_bad_samples_are_refused_or_left_to_the_policy_that_they_name() {
    for sample in folders(&samples().join("bad")) {
        let text = fs::read_to_string(sample.join("expected.json")).expect("expected.json");
        let expected: Value = serde_json::from_str(&text).expect("JSON");
        let dir = prepare(&sample, &expected);
        let packed = pack_folder(dir.path(), None);
        match &expected["refused"] {
            Value::Null => {
                let (_, archive) = packed.expect("a sample for a policy");
                assert!(expected["policy"].is_string(), "{}", sample.display());
                assert_place(&archive, &expected);
            }
            refused => {
                let error = packed.err().expect("a refusal");
                assert_eq!(
                    (error.code.slug(), &error.fields["rule"]),
                    (refused["type"].as_str().expect("a type"), &refused["rule"])
                );
            }
        }
    }
}

/// Asserts that the file to which a finding should point is in the package and has that line.
fn assert_place(archive: &Archive, expected: &Value) {
    let Some(path) = expected["path"].as_str() else { return };
    let text = archive.read_whole(path).expect("the place of the finding");
    let lines = std::str::from_utf8(&text).expect("text").lines().count() as u64;
    assert!(expected["line"].as_u64().is_none_or(|line| line <= lines), "{path}");
}

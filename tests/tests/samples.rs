//! Pushes and submits each of the bad samples in `packages/bad`, and checks that the policies find what the sample says
//! they find.

use std::{fs, path::Path, process::Command};

use berth_tests::{Database, Host, packed_folder, scene::Scene};
use serde_json::Value;

/// The folders of the samples that a policy objects to, each with its `expected.json`.
fn samples() -> Vec<(String, Value)> {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packages/bad");
    let mut samples = Vec::new();
    for folder in fs::read_dir(bad).unwrap() {
        let folder = folder.unwrap().path();
        let expected: Value = serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
        if expected["policy"].is_string() {
            samples.push((folder.to_str().unwrap().to_owned(), expected));
        }
    }
    samples
}

/// Packs a sample, together with the files that it wants generated.
fn pack(folder: &str, expected: &Value, name: &str) -> Vec<u8> {
    let work = tempfile::tempdir().unwrap();
    let copy = work.path().join("sample");
    assert!(Command::new("cp").args(["-r", folder]).arg(&copy).status().unwrap().success());
    for file in expected["generate"].as_array().into_iter().flatten() {
        let path = copy.join(file["path"].as_str().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().set_len(file["bytes"].as_u64().unwrap()).unwrap();
    }
    packed_folder(&copy, name)
}

fn agrees(finding: &Value, expected: &Value) -> bool {
    let same = |ours: &Value, name: &str| expected[name].is_null() || *ours == expected[name];
    same(&finding["policy"], "policy")
        && same(&finding["rule"], "rule")
        && same(&finding["severity"], "severity")
        && same(&finding["place"]["path"], "path")
        && same(&finding["place"]["line"], "line")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f31_v5_every_bad_sample_is_rejected_for_what_it_says_of_itself() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let samples = samples();
    assert!(samples.len() >= 5);
    for (index, (folder, expected)) in samples.iter().enumerate() {
        let number = format!("1.{index}.0");
        let name = format!("coffee_{number}.apkg");
        scene.admin.push(&name, pack(folder, expected, &name)).await.good();
        assert_eq!(scene.submit(&number).await["state"], "rejected", "{folder}");
        let found = scene.admin.get(&format!("/v1/mini-apps/coffee/versions/{number}/findings")).await.good();
        let findings = found["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| agrees(finding, expected)), "{folder} expects {expected}, found {found}");
    }
}

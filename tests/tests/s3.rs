//! Packages, policies and lists in S3, on a real S3 server.

use std::sync::Arc;

use berth::{
    blob::BlobConfig,
    config::{Config, Storage},
};
use berth_tests::{Answer, Host, packed, scene::Scene};
use serde_json::json;

/// Whether the variables of `tests/setup/run.sh` name an S3 server with the bucket `berth`. In CI there has to be one.
fn s3_is_there() -> bool {
    let there = std::env::var_os("BERTH_TEST_S3").is_some();
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(there || !in_ci, "BERTH_TEST_S3 is not set, and in CI nothing is skipped");
    if !there {
        eprintln!("=== SKIPPED on S3: BERTH_TEST_S3 is not set ===");
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_lives_its_whole_life_in_s3() {
    if !s3_is_there() {
        return;
    }
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut storage = Storage::in_folder(folder.path().to_owned());
    storage.blobs = BlobConfig { blob_url: Some(format!("s3://berth/test-{}", std::process::id())) };
    let scene = Scene::set(Host::with(Config::with_defaults(storage), folder.clone()).await).await;
    scene.online("1.0.0").await;
    scene.host.settled().await;
    let bytes = packed("coffee/1.0.0", "coffee_1.0.0.apkg");
    let device = scene.host.device(&scene.key);
    assert_eq!(device.get("/v1/packages/coffee_1.0.0.apkg").await.bytes, bytes);
    let part = device.request("GET", "/v1/packages/coffee_1.0.0.apkg").header("Range", "bytes=-7");
    assert_eq!(Answer::of(part, "part".into()).await.bytes, bytes[bytes.len() - 7..]);
    assert_eq!(scene.admin.post("/v1/bundles", json!({"host_app": "super-app"})).await.status, 200);
    scene.approved("1.1.0").await;
    let list =
        scene.admin.request("POST", "/v1/mini-apps/coffee/cohorts?name=testers").header("Content-Type", "text/plain");
    let cohort = Answer::of(list.body("d1\nd2\n"), "list".into()).await.good();
    scene.gray("1.1.0", json!({"objects": [{"kind": "guid", "cohort": cohort["id"]}]})).await.good();
    assert_eq!(scene.version_for("d1").await, "1.1.0");
    assert_eq!(scene.version_for("d3").await, "1.0.0");
    assert!(!folder.path().join("blobs").exists(), "nothing is kept in the folder");
}

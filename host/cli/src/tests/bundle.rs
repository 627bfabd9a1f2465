//! `berth bundle` with correct, hostile and pinned bundles.

use std::io::Write;

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Desk, Seen};
use berth_base::ids::Digest;

fn pinned(id: &str, bytes: &[u8]) -> Value {
    json!({"mini_app": id, "version": "1.2.0", "file": format!("{id}_1.2.0.apkg"), "sha256": Digest::of(bytes), "size": bytes.len()})
}

fn manifest(packages: &[Value]) -> String {
    json!({"format": 1, "host_app": "ha-super", "packages": packages}).to_string()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn host(zip: Vec<u8>, asked: Seen<Value>) -> Router {
    let bundle = move |body: Bytes| async move {
        asked.note(serde_json::from_slice(&body).unwrap());
        ([(header::CONTENT_TYPE, "application/zip")], zip)
    };
    Router::new().route("/v1/bundles", post(bundle))
}

fn names(desk: &Desk, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(desk.path(folder)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An earlier bundle, in `assets`.
fn earlier(desk: &Desk) {
    desk.write("assets/berth-bundle.json", manifest(&[pinned("mp-old", b"old")]));
    desk.write("assets/mp-old_1.2.0.apkg", "old");
}

#[tokio::test]
async fn o4_a_bundle_replaces_the_folder_as_a_whole() {
    let packages = manifest(&[pinned("mp-one", b"one"), pinned("mp-two", b"two")]);
    let zip = zip(&[
        ("berth-bundle.json", packages.as_bytes()),
        ("mp-one_1.2.0.apkg", b"one"),
        ("mp-two_1.2.0.apkg", b"two"),
    ]);
    let asked = Seen::new();
    let desk = Desk::before(host(zip, asked.clone())).await;
    earlier(&desk);
    let out = desk.arg("assets");
    let ran = desk.run(&format!("bundle --host-app ha-super --out {out} --app mp-one --app mp-two")).await.good();
    assert_eq!(names(&desk, "assets"), ["berth-bundle.json", "mp-one_1.2.0.apkg", "mp-two_1.2.0.apkg"]);
    assert_eq!(std::fs::read(desk.path("assets/mp-two_1.2.0.apkg")).unwrap(), b"two");
    assert_eq!(asked.all(), [json!({"host_app": "ha-super", "mini_apps": ["mp-one", "mp-two"]})]);
    assert!(ran.out.contains("2 packages in"), "{}", ran.out);
    assert_eq!(names(&desk, ""), ["assets"]);
}

#[tokio::test]
async fn f16_a_bundle_with_other_names_or_bytes_changes_nothing() {
    let one = manifest(&[pinned("mp-one", b"one")]);
    let lying = manifest(&[
        json!({"mini_app": "mp-one", "version": "1.2.0", "file": "../mp-one_1.2.0.apkg", "sha256": Digest::of(b"one"), "size": 3}),
    ]);
    let escaping = manifest(&[
        json!({"mini_app": "../mp-one", "version": "1.2.0", "file": "mp-one_1.2.0.apkg", "sha256": Digest::of(b"one"), "size": 3}),
    ]);
    let twice = manifest(&[pinned("mp-one", b"one"), pinned("mp-one", b"one")]);
    let small = manifest(&[
        json!({"mini_app": "mp-one", "version": "1.2.0", "file": "mp-one_1.2.0.apkg", "sha256": Digest::of(b"one"), "size": 2}),
    ]);
    let file = ("mp-one_1.2.0.apkg", b"one" as &[u8]);
    let newer = json!({"format": 2, "host_app": "ha-super", "packages": []}).to_string();
    let cases: [(&str, Vec<u8>); 11] = [
        ("a newer format", zip(&[("berth-bundle.json", newer.as_bytes())])),
        ("escape", zip(&[("berth-bundle.json", one.as_bytes()), file, ("../evil.apkg", b"x")])),
        ("absolute", zip(&[("berth-bundle.json", one.as_bytes()), file, ("/tmp/evil_1.0.0.apkg", b"x")])),
        ("unnamed", zip(&[("berth-bundle.json", one.as_bytes()), file, ("mp-two_1.2.0.apkg", b"x")])),
        ("missing", zip(&[("berth-bundle.json", one.as_bytes())])),
        ("changed", zip(&[("berth-bundle.json", one.as_bytes()), ("mp-one_1.2.0.apkg", b"two")])),
        ("lying manifest", zip(&[("berth-bundle.json", lying.as_bytes()), file])),
        ("escaping manifest", zip(&[("berth-bundle.json", escaping.as_bytes()), file])),
        ("named twice", zip(&[("berth-bundle.json", twice.as_bytes()), file])),
        ("no manifest", zip(&[file])),
        ("no zip", b"hello".to_vec()),
    ];
    let longer = (
        "longer than declared",
        zip(&[("berth-bundle.json", small.as_bytes()), ("mp-one_1.2.0.apkg", b"one-and-more")]),
    );
    for (what, zip) in cases.into_iter().chain([longer]) {
        let desk = Desk::before(host(zip, Seen::new())).await;
        earlier(&desk);
        let ran = desk.run(&format!("bundle --host-app ha-super --out {}", desk.arg("assets"))).await;
        assert_eq!(ran.code, 1, "{what}: {}", ran.err);
        assert!(ran.err.contains("bundle-invalid"), "{what}: {}", ran.err);
        assert_eq!(names(&desk, "assets"), ["berth-bundle.json", "mp-old_1.2.0.apkg"], "{what}");
        assert_eq!(names(&desk, ""), ["assets"], "{what}");
    }
}

#[tokio::test]
async fn a_folder_with_files_of_the_users_is_left_alone() {
    let desk = Desk::before(host(Vec::new(), Seen::new())).await;
    desk.write("assets/logo.png", "mine");
    let ran = desk.run(&format!("bundle --host-app ha-super --out {}", desk.arg("assets"))).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("logo.png"), "{}", ran.err);
    assert!(desk.path("assets/logo.png").exists());
}

#[tokio::test]
async fn o4_packages_that_no_bundle_wrote_are_left_alone() {
    for named in [None, Some(manifest(&[pinned("mp-other", b"other")]))] {
        let desk = Desk::before(host(Vec::new(), Seen::new())).await;
        desk.write("assets/mp-old_1.2.0.apkg", "mine");
        named.iter().for_each(|text| drop(desk.write("assets/berth-bundle.json", text)));
        let ran = desk.run(&format!("bundle --host-app ha-super --out {}", desk.arg("assets"))).await;
        assert!(ran.code == 2 && ran.err.contains("mp-old_1.2.0.apkg"), "{named:?}: {}", ran.err);
        assert_eq!(std::fs::read(desk.path("assets/mp-old_1.2.0.apkg")).unwrap(), b"mine");
    }
}

#[tokio::test]
async fn o4_a_link_stays_and_the_folder_that_it_leads_to_is_filled() {
    let zip =
        zip(&[("berth-bundle.json", manifest(&[pinned("mp-one", b"one")]).as_bytes()), ("mp-one_1.2.0.apkg", b"one")]);
    let desk = Desk::before(host(zip, Seen::new())).await;
    std::fs::create_dir(desk.path("real")).unwrap();
    std::os::unix::fs::symlink(desk.path("real"), desk.path("assets")).unwrap();
    desk.run(&format!("bundle --host-app ha-super --out {}", desk.arg("assets"))).await.good();
    assert!(std::fs::symlink_metadata(desk.path("assets")).unwrap().is_symlink());
    assert_eq!(names(&desk, "real"), ["berth-bundle.json", "mp-one_1.2.0.apkg"]);
    assert_eq!(names(&desk, ""), ["assets", "real"]);
}

fn packages(bytes: &'static [u8]) -> Router {
    let etag = format!("\"{}\"", Digest::of(bytes));
    let package = move || async move { (StatusCode::OK, [(header::ETAG, etag)], bytes).into_response() };
    Router::new().route("/v1/packages/mp-one_1.2.0.apkg", get(package))
}

#[tokio::test]
async fn o4_a_pin_gives_the_same_bytes_again() {
    let desk = Desk::before(packages(b"one")).await;
    let pin = desk.write("berth-bundle.json", manifest(&[pinned("mp-one", b"one")]));
    desk.run(&format!("bundle --host-app ha-super --out {} --pin {pin}", desk.arg("assets"))).await.good();
    assert_eq!(names(&desk, "assets"), ["berth-bundle.json", "mp-one_1.2.0.apkg"]);
    assert_eq!(std::fs::read(desk.path("assets/berth-bundle.json")).unwrap(), std::fs::read(pin).unwrap());
}

#[tokio::test]
async fn o3_what_is_off_the_shelf_is_told_when_it_is_pinned_and_when_it_is_left_out() {
    let removed = || async {
        axum::Json(
            serde_json::json!({"results": [{"mini_app": "mp-one", "status": "removed", "force": true, "steps": []}]}),
        )
    };
    let explain = Router::new().route("/v1/check/explain", axum::routing::post(removed));
    let desk = Desk::before(packages(b"one").merge(explain.clone())).await;
    let pin = desk.write("berth-bundle.json", manifest(&[pinned("mp-one", b"one")]));
    let ran = desk.run(&format!("bundle --host-app ha-super --out {} --pin {pin}", desk.arg("assets"))).await.good();
    assert!(ran.err.contains("warning: mp-one is off the shelf"), "{}", ran.err);

    let empty = zip(&[("berth-bundle.json", manifest(&[]).as_bytes())]);
    let desk = Desk::before(host(empty, Seen::new()).merge(explain)).await;
    desk.write("assets/berth-bundle.json", manifest(&[pinned("mp-one", b"one")]));
    let ran = desk.run(&format!("bundle --host-app ha-super --out {}", desk.arg("assets"))).await;
    assert_eq!(ran.code, 1, "the bundle is empty");
    assert!(ran.err.contains("left out: mp-one, which the earlier bundle had, is off the shelf."), "{}", ran.err);
}

#[tokio::test]
async fn o4_a_pin_refuses_other_bytes() {
    let desk = Desk::before(packages(b"changed")).await;
    let pin = desk.write("berth-bundle.json", manifest(&[pinned("mp-one", b"one")]));
    let ran = desk.run(&format!("bundle --host-app ha-super --out {} --pin {pin}", desk.arg("assets"))).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("pin-mismatch"), "{}", ran.err);
    assert!(!desk.path("assets").exists());
}

#[tokio::test]
async fn o4_a_bundle_of_a_choice_tells_what_it_leaves_out_and_what_must_not_run() {
    let forced = |axum::Json(body): axum::Json<Value>| async move {
        assert_eq!(body["apps"], json!([{"mini_app": "mp-one", "version": "1.2.0"}]));
        axum::Json(
            json!({"results": [{"mini_app": "mp-one", "status": "update", "version": "1.3.0", "force": true, "steps": []}]}),
        )
    };
    let desk = Desk::before(packages(b"one").merge(Router::new().route("/v1/check/explain", post(forced)))).await;
    let pin = desk.write("berth-bundle.json", manifest(&[pinned("mp-one", b"one")]));
    desk.write("assets/berth-bundle.json", manifest(&[pinned("mp-one", b"one"), pinned("mp-two", b"two")]));
    let ran = desk.run(&format!("bundle --host-app ha-super --out {} --pin {pin}", desk.arg("assets"))).await.good();
    assert!(
        ran.err.contains("warning: the pinned version of mp-one must not run any more. Devices fetch 1.3.0"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("left out: mp-two, which the earlier bundle had, is not in the pin."), "{}", ran.err);

    let zip =
        zip(&[("berth-bundle.json", manifest(&[pinned("mp-one", b"one")]).as_bytes()), ("mp-one_1.2.0.apkg", b"one")]);
    let desk = Desk::before(host(zip, Seen::new())).await;
    desk.write("assets/berth-bundle.json", manifest(&[pinned("mp-two", b"two")]));
    let out = desk.arg("assets");
    let ran = desk.run(&format!("bundle --host-app ha-super --out {out} --app mp-one")).await.good();
    assert!(
        ran.err.contains("left out: mp-two, which the earlier bundle had, is not among those that --app names."),
        "{}",
        ran.err
    );
}

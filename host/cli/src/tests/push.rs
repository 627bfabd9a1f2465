//! Uploads, and packing before them.

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    routing::{get, post, put},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Desk, Seen, ulid};
use berth_base::ids::Digest;

fn version(sha256: &str, size: usize) -> Value {
    json!({"mini_app": "mp-shop", "version": "1.2.0", "state": "development", "forced": false, "sha256": sha256, "size": size,
        "files": 3, "manifest": {"path": "app.json", "pages": ["pages/index"], "subpackages": []}, "uploaded_by": "usr_1",
        "created_at": "2030-01-31T07:59:00.000Z", "updated_at": "2030-01-31T07:59:00.000Z"})
}

/// The name, the query, a header, whether the length was announced, and the number of pieces.
type Upload = (String, Option<String>, Option<String>, bool, usize);

fn host(uploads: Seen<Upload>) -> Router {
    let upload = move |Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap, body: Body| async move {
        let length = headers.get(header::CONTENT_LENGTH).map(|length| length.to_str().unwrap().to_owned());
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        let (mut bytes, mut pieces, mut stream) = (Vec::new(), 0, body.into_data_stream());
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece.unwrap());
            pieces += 1;
        }
        uploads.note((name, query, length, chunked, pieces));
        (StatusCode::CREATED, Json(version(Digest::of(&bytes).as_str(), bytes.len())))
    };
    let audit = |state: &str| {
        let at = "2030-01-31T08:00:00Z";
        json!({"id": ulid("aud"), "mini_app": "mp-shop", "version": "1.2.0", "state": state, "items": [],
            "sha256": "0".repeat(64), "submitted_by": "usr_1", "created_at": at,
            "reason": if state == "rejected" { "secrets found an error." } else { "" },
            "evaluations": [{"policy": "secrets", "policy_version": "1.0.0", "digest": "0".repeat(64), "config": {},
                "mode": "enforce", "on_error": "closed", "micros": 1, "evaluated_at": at, "outcome": "verdict", "findings": [
                {"rule": "api-key", "severity": "error", "message": "A key lies open.", "place": {"path": "a.js", "line": 3, "column": 14}}]}]})
    };
    let polls = Seen::new();
    let poll = move || {
        let state = if polls.note(()) < 3 { "checking" } else { "rejected" };
        async move { Json(audit(state)) }
    };
    Router::new()
        .route("/v1/packages/{name}", put(upload))
        .route("/v1/mini-apps/mp-shop/versions/1.2.0/submit", post(move || async move { Json(audit("checking")) }))
        .route(&format!("/v1/audits/{}", ulid("aud")), get(poll))
}

#[tokio::test]
async fn f59_a_package_is_streamed_with_its_length() {
    let uploads = Seen::new();
    let desk = Desk::before(host(uploads.clone())).await;
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let file = desk.write("mp-shop_1.2.0.apkg", &bytes);
    let ran = desk.run(&format!("push {file} --replace --json")).await.good();
    assert_eq!(ran.json()["sha256"], Digest::of(&bytes).as_str());
    let [(name, query, length, chunked, pieces)] = uploads.all().try_into().unwrap();
    assert_eq!((name.as_str(), query.as_deref()), ("mp-shop_1.2.0.apkg", Some("replace=true")));
    assert_eq!((length.as_deref(), chunked), (Some("3000000"), false));
    assert!(pieces > 10, "{pieces}");
}

#[tokio::test]
async fn v5_a_rejected_push_prints_the_findings_and_fails() {
    let desk = Desk::before(host(Seen::new())).await;
    let file = desk.write("mp-shop_1.2.0.apkg", "zip");
    let ran = desk.run(&format!("push {file} --submit --wait")).await;
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("a.js:3:14: error secrets/api-key A key lies open."), "{}", ran.out);
    assert!(ran.err.contains("version-rejected") && ran.err.contains("secrets found an error."), "{}", ran.err);
    assert!(ran.err.contains("try: berth version findings mp-shop 1.2.0"), "{}", ran.err);
    let ran = desk.run(&format!("push {file} --wait --json")).await;
    assert_eq!((ran.code, ran.json()["state"].as_str()), (1, Some("rejected")));
}

#[tokio::test]
async fn o1_a_wrong_file_name_says_the_rule_and_the_way_out() {
    let desk = Desk::before(host(Seen::new())).await;
    let file = desk.write("shop.zip", "zip");
    let ran = desk.run(&format!("push {file}")).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("{mini_app_id}_{version}.apkg") && ran.err.contains("berth pack"), "{}", ran.err);
    let ran = desk.run(&format!("push {}", desk.arg("mp-shop_9.9.9.apkg"))).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("There is no file"), "{}", ran.err);
}

fn project(desk: &Desk) -> String {
    desk.write("shop/app.json", r#"{"pages": ["pages/index"]}"#);
    desk.write("shop/app.js", "App({})");
    desk.write("shop/pages/index.js", "Page({})");
    desk.write("shop/pages/index.wxml", "<view/>");
    desk.write("shop/.git/config", "x");
    desk.arg("shop")
}

#[tokio::test]
async fn o1_pack_names_the_package_after_id_and_version() {
    let desk = Desk::bare();
    let dir = project(&desk);
    let out = desk.folder.path().to_str().unwrap();
    let ran = desk.run(&format!("pack {dir} --id mp-shop --version 1.2.0 -o {out} --json")).await.good();
    let bytes = std::fs::read(desk.path("mp-shop_1.2.0.apkg")).unwrap();
    assert_eq!(ran.json()["sha256"], Digest::of(&bytes).as_str());
    let ran = desk.run(&format!("pack {dir} --id mp-shop --version 1.2.0 -o {out}/shop.apkg")).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("mp-shop_1.2.0.apkg"), "{}", ran.err);
}

#[tokio::test]
async fn pack_takes_id_and_version_from_berth_json_and_at_last_the_version_of_npm() {
    let desk = Desk::bare();
    let dir = project(&desk);
    let out = desk.folder.path().to_str().unwrap();
    let ran = desk.run(&format!("pack {dir} -o {out}")).await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("berth.json"), "{}", ran.err);
    desk.write("shop/package.json", r#"{"version": "1.2.9"}"#);
    desk.run(&format!("pack {dir} --id mp-shop -o {out}")).await.good();
    assert!(desk.path("mp-shop_1.2.9.apkg").exists(), "the version of npm, where nobody else says one");
    desk.write("shop/berth.json", r#"{"id": "mp-shop", "version": "1.3.0"}"#);
    let ran = desk.run(&format!("pack {dir} -o {out}")).await.good();
    assert!(ran.out.contains("left out  .git/"), "{}", ran.out);
    assert!(desk.path("mp-shop_1.3.0.apkg").exists());
}

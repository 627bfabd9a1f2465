//! `berth login` and `berth logout`: what is stored, and where.

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::get,
};
use serde_json::json;

use super::{Desk, serve};

fn host() -> Router {
    let me = |headers: HeaderMap| async move {
        if headers["authorization"] != "Bearer berth_good" {
            let problem = json!({"type": "/problems/invalid-token", "detail": "The token is unknown or revoked."});
            return (StatusCode::UNAUTHORIZED, Json(problem)).into_response();
        }
        let ulid = "0".repeat(26);
        let at = "2030-01-31T07:00:00.000Z";
        Json(json!({
            "account": {"id": format!("usr_{ulid}"), "name": "Ann", "created_at": at},
            "token": {"id": format!("tok_{ulid}"), "account": format!("usr_{ulid}"), "name": "laptop",
                "scopes": ["read", "manage"], "created_at": at, "expires_at": null, "revoked_at": null},
            "grants": [{"scope": "platform", "id": "", "role": "admin"}],
        }))
        .into_response()
    };
    Router::new().route("/v1/me", get(me))
}

#[tokio::test]
async fn login_verifies_and_stores_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut desk = Desk::bare();
    desk.input = "berth_good\n".into();
    let server = serve(host()).await;
    let ran = desk.run(&format!("login --server {server}/")).await.good();
    assert!(ran.out.contains("as Ann"), "{}", ran.out);
    let stored = desk.path("config/berth/credentials.json");
    assert_eq!(std::fs::metadata(&stored).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = desk.run("whoami").await.good();
    insta::assert_snapshot!(ran.out.replace(&server, "http://host"), @r"
    server     http://host
    account    usr_00000000000000000000000000
    name       Ann
    token      tok_00000000000000000000000000 laptop
    token may  read, manage

    SCOPE     ID  ROLE
    platform  -   admin
    ");
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_not_stored() {
    let desk = Desk::bare();
    let server = serve(host()).await;
    let ran = desk.run(&format!("login --server {server} --token berth_bad")).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("invalid-token") && ran.err.contains("berth login"), "{}", ran.err);
    assert!(!desk.path("config/berth/credentials.json").exists());
    assert!(!ran.err.contains("berth_bad"));
}

#[tokio::test]
async fn an_empty_token_is_called_so_before_anybody_is_asked() {
    let desk = Desk::bare();
    let ran = desk.args(&["login", "--server", "http://127.0.0.1:9", "--token", ""]).await;
    assert!(ran.code == 2 && ran.err.contains("The token is empty"), "{} {}", ran.code, ran.err);
}

#[tokio::test]
async fn several_hosts_are_kept_and_one_is_current() {
    let desk = Desk::bare();
    let (one, two) = (serve(host()).await, serve(host()).await);
    for server in [&one, &two] {
        desk.run(&format!("login --server {server} --token berth_good")).await.good();
    }
    assert_eq!(desk.run("whoami --json").await.good().json()["server"], two.as_str());
    assert_eq!(desk.run(&format!("whoami --json --server {one}")).await.good().json()["server"], one.as_str());
    let ran = desk.run("logout --json").await.good();
    assert_eq!(ran.json()["current"], one.as_str());
    desk.run("logout").await.good();
    assert_eq!(desk.run("logout").await.code, 2);
}

#[tokio::test]
async fn damaged_credentials_are_named() {
    let desk = Desk::bare();
    desk.write("config/berth/credentials.json", "{");
    let ran = desk.run("whoami").await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("credentials.json is damaged"), "{}", ran.err);
}

#[tokio::test]
async fn a_stored_token_that_is_not_taken_any_more_is_asked_for_anew() {
    let mut desk = Desk::bare();
    let server = serve(host()).await;
    desk.run(&format!("login --server {server} --token berth_good")).await.good();
    let stored = std::fs::read_to_string(desk.path("config/berth/credentials.json")).unwrap();
    desk.attended = true;
    assert!(!desk.run("login").await.good().err.contains("Token"), "a good one serves without a question");
    desk.write("config/berth/credentials.json", stored.replace("berth_good", "berth_old"));
    desk.input = "\n".into();
    let ran = desk.run("login").await;
    assert!(ran.code == 2 && ran.err.contains("is not taken any more"), "{} {}", ran.code, ran.err);
    desk.input = "berth_good\n".into();
    desk.run("login").await.good();
    assert!(desk.run("whoami").await.good().out.contains("Ann"));
}

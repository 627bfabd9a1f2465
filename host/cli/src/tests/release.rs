//! What people are told of releases, of recalls and of why devices are forced.

use axum::{Json, Router};
use serde_json::{Value, json};

use super::Desk;

/// Runs a command before a host that answers everything with one document, and returns what it prints.
async fn told(answer: Value, line: &str) -> String {
    let router = Router::new().fallback(move || async move { Json(answer) });
    Desk::before(router).await.run(line).await.good().out
}

fn mini_app(on_shelf: bool) -> Value {
    json!({"id": "mp-shop", "team": format!("team_{}", "0".repeat(26)), "name": "Shop", "description": "",
        "on_shelf": on_shelf, "created_at": "2030-01-31T07:59:00.000Z"})
}

fn release(version: &str, kind: &str, forced: bool, rolled_back: bool) -> Value {
    json!({"mini_app": "mp-shop", "version": version, "kind": kind, "forced": forced, "rolled_back": rolled_back,
        "released_by": "usr_1", "released_at": "2030-01-31T07:59:00.000Z"})
}

fn task(name: &str, state: &str, by_recall: bool) -> Value {
    json!({"id": format!("gray_{}", "0".repeat(26)), "name": name, "version": "1.2.0", "state": state, "by_recall": by_recall})
}

#[tokio::test]
async fn a3_back_on_the_shelf_people_read_what_is_suspended_and_how_it_goes_on() {
    let mut answer = mini_app(true);
    answer["suspended"] = json!([task("canary", "suspended", true), task("held", "suspended", false)]);
    let out = told(answer, "app shelf mp-shop on").await;
    assert!(out.contains("the recall") && out.contains("hand"), "{out}");
    assert!(out.contains("berth app shelf mp-shop on --resume"), "{out}");
    let mut answer = mini_app(true);
    answer["resumed"] = json!([task("canary", "delivering", true)]);
    let out = told(answer, "app shelf mp-shop on --resume").await;
    assert!(out.contains("delivering") && !out.contains("--resume"), "{out}");
}

#[tokio::test]
async fn v12_the_history_says_which_forced_releases_still_stand() {
    let items = [release("1.0.0", "rollback", false, false), release("1.2.0", "publish", true, true)];
    let out = told(json!({ "items": items }), "version releases mp-shop").await;
    assert!(out.contains("publish, rolled back") && out.contains("no longer"), "{out}");
}

#[tokio::test]
async fn v8_v11_a_release_says_what_else_it_changed() {
    let mut answer = release("1.0.0", "rollback", false, false);
    answer["lowered_min_from"] = json!("1.1.0");
    let out = told(answer, "version rollback mp-shop --to 1.0.0 --lower-min").await;
    assert!(out.contains("1.0.0, lowered from 1.1.0"), "{out}");
    let mut answer = release("1.3.0", "publish", false, false);
    (answer["ended_trial"], answer["ended_tasks"]) = (json!("1.2.0"), json!([format!("gray_{}", "0".repeat(26))]));
    let out = told(answer, "version publish mp-shop 1.3.0").await;
    assert!(out.contains("that of 1.2.0") && out.contains("gray_000"), "{out}");
}

#[tokio::test]
async fn v11_v12_an_overview_says_why_devices_are_forced() {
    let says = "Versions below 1.1.0 must not run: 1.1.0 is the minimum usable version.";
    let answer = json!({"mini_app": mini_app(true), "online": null, "trial": null, "auditing": [], "approved": [], "development": [],
            "gray_tasks": [], "force": [{"cause": "min-version", "below": "1.1.0", "says": says}]});
    let out = told(answer, "app show mp-shop").await;
    assert!(out.contains(&format!("force: {says}")) && !out.contains("through a host app"), "{out}");
}

#[tokio::test]
async fn a5_an_overview_through_a_host_app_says_what_is_left_out() {
    let answer = json!({"mini_app": mini_app(true), "through_host_app": true, "online": null, "trial": null, "auditing": [],
            "approved": [], "development": [], "gray_tasks": [], "force": []});
    let out = told(answer, "app show mp-shop").await;
    assert!(out.contains("through a host app") && out.contains("is the team's own"), "{out}");
}

#[tokio::test]
async fn v9_a_refusal_shows_the_command_that_the_host_names() {
    let next = "berth version publish mp-shop 1.1.0";
    let problem = json!({"type": "/problems/rollback-twice", "status": 409, "detail": "Twice.", "next": next});
    let router = Router::new().fallback(move || async move { (axum::http::StatusCode::CONFLICT, Json(problem)) });
    let ran = Desk::before(router).await.run("version rollback mp-shop --to 1.0.0").await;
    assert!(ran.code == 1 && ran.err.contains(&format!("try: {next}")), "{}", ran.err);
}

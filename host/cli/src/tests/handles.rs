//! What people give by the names that they gave, where an id is taken.

use axum::{
    Json, Router,
    extract::{Path, Query},
    routing::{get, post, put},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Desk, Seen, ulid};
use crate::tests::gray::task;

fn numbered(prefix: &str, number: u8) -> String {
    format!("{prefix}_{number:026}")
}

#[tokio::test]
async fn a_gray_task_is_named_by_its_mini_app_and_its_name() {
    let one = |number: u8, name: &str, state: &str| {
        let mut one = task(
            &json!({"name": name, "version": "1.3.0", "start": "2030-01-31T08:00:00Z", "end": "2030-02-07T08:00:00Z"}),
        );
        one["id"] = json!(numbered("gray", number));
        one["state"] = json!(state);
        one
    };
    let known = [
        one(1, "canary", "ended"),
        one(2, "canary", "delivering"),
        one(3, "old", "ended"),
        one(4, "twins", "pending"),
        one(5, "twins", "delivering"),
    ];
    let (all, seen) = (json!({"items": known}), Seen::new());
    let (noted, paused) = (seen.clone(), known[1].clone());
    let suspend = move |Path(id): Path<String>| {
        noted.note(id);
        async move { Json(paused) }
    };
    let router = Router::new()
        .route("/v1/mini-apps/mp-shop/gray-tasks", get(async move || Json(all)))
        .route("/v1/gray-tasks/{id}/suspend", post(suspend));
    let desk = Desk::before(router).await;
    desk.run("gray suspend mp-shop/canary").await.good();
    desk.run("gray suspend mp-shop/old").await.good();
    desk.run(&format!("gray suspend {}", ulid("gray"))).await.good();
    assert_eq!(seen.all(), [numbered("gray", 2), numbered("gray", 3), ulid("gray")]);
    for (wrong, said) in [
        ("mp-shop/twins", format!("{}, {}", numbered("gray", 4), numbered("gray", 5))),
        ("mp-shop/nobody", "berth gray list mp-shop".into()),
        ("canary", "MINI_APP/NAME such as mp-shop/canary".into()),
    ] {
        let ran = desk.run(&format!("gray suspend {wrong}")).await;
        assert!(ran.code == 2 && ran.err.contains(&said), "{}", ran.err);
    }
}

#[tokio::test]
async fn a_binding_is_named_by_its_policy_where_that_is_bound_once() {
    let binding = |number: u8, policy: &str| {
        json!({"id": numbered("pb", number), "policy": policy, "policy_version": "1.0.0", "digest": "0".repeat(64),
            "scope": {"kind": "platform"}, "level": "platform", "config": {}, "mode": "shadow", "on_error": "closed",
            "limits": {}, "bound_by": "usr_1", "bound_at": "2030-01-31T08:00:00Z"})
    };
    let all = [binding(1, "no-maps"), binding(2, "sizes"), binding(3, "sizes")];
    let (seen, edited) = (Seen::new(), all[0].clone());
    let (noted, removed) = (seen.clone(), seen.clone());
    let list = async move |Query(asked): Query<BTreeMap<String, String>>| {
        let of: Vec<Value> = all.iter().filter(|one| one["policy"] == json!(asked["policy"])).cloned().collect();
        Json(json!({"items": of}))
    };
    let edit = move |Path(id): Path<String>| {
        noted.note(id);
        async move { Json(edited) }
    };
    let remove = move |Path(id): Path<String>| {
        removed.note(format!("no {id}"));
        async {}
    };
    let router = Router::new()
        .route("/v1/policy-bindings", get(list))
        .route("/v1/policy-bindings/{id}", put(edit).delete(remove))
        .route("/v1/policies/idle", get(async || Json(json!({}))));
    let desk = Desk::before(router).await;
    desk.run("policy edit no-maps --mode enforce").await.good();
    desk.run("policy unbind no-maps").await.good();
    assert_eq!(seen.all(), [numbered("pb", 1), format!("no {}", numbered("pb", 1))]);
    let ran = desk.run("policy unbind sizes").await;
    let both = format!("{}  platform\n  {}  platform", numbered("pb", 2), numbered("pb", 3));
    assert!(ran.code == 2 && ran.err.contains(&both), "{}", ran.err);
    let ran = desk.run("policy unbind idle").await;
    assert!(ran.code == 2 && ran.err.contains("bound nowhere"), "{}", ran.err);
    assert_eq!(desk.run("policy unbind misspelt").await.code, 1, "there is no such policy");
}

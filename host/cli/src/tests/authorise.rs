//! Authorising a channel, from the link to the binding.

use axum::{Json, Router, http::StatusCode, routing::get};
use serde_json::{Value, json};

use super::{Desk, Seen};

const RUN: &str = "auth_00000000000000000000000000";

fn run(state: &str, more: Value) -> Value {
    let mut run = json!({
        "id": RUN, "merchant": "bos-1", "kind": "wechat_mini_program", "state": state, "started_by": "usr_1",
        "started_at": "2030-01-31T08:00:00Z", "changed_at": "2030-01-31T08:00:00Z",
    });
    run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    run
}

/// A host that answers with one state of the run after the other.
fn host(asked: Seen<Value>, answers: Vec<Value>) -> Router {
    let looks = Seen::<()>::new();
    let begun = answers[0].clone();
    let create = move |Json(body): Json<Value>| {
        asked.note(body);
        let begun = begun.clone();
        async move { (StatusCode::CREATED, Json(begun)) }
    };
    let look = move || {
        looks.note(());
        let answer = answers[looks.all().len().min(answers.len() - 1)].clone();
        async move { Json(answer) }
    };
    Router::new()
        .route("/v1/channel-authorisations", axum::routing::post(create))
        .route(&format!("/v1/channel-authorisations/{RUN}"), get(look))
}

#[tokio::test]
async fn e10_the_link_is_shown_and_the_end_is_waited_for() {
    let asked = Seen::new();
    let link = json!({"url": "https://berth.example/v1/wechat/authorise?state=s"});
    let bound = json!({
        "app_id": "wxaaaaaaaaaaaaaaaa", "name": "Shop", "channel": "chn_00000000000000000000000000",
        "endpoint_app": "cid_00000000000000000000000000", "warnings": ["not all"],
    });
    let answers = vec![run("started", link.clone()), run("started", link), run("bound", bound)];
    let desk = Desk::before(host(asked.clone(), answers)).await;
    let ran = desk.run("channel authorise --merchant bos-1 --new Shop --product pi-1 --product pi-2").await.good();
    assert_eq!(
        asked.all(),
        [json!({
            "merchant": "bos-1", "kind": "wechat_mini_program",
            "endpoint_app": {"new": {"name": "Shop", "products": ["pi-1", "pi-2"]}},
        })]
    );
    assert_eq!(ran.err.matches("state=s").count(), 1, "{}", ran.err);
    assert!(ran.err.contains(&format!("berth channel authorise {RUN}")), "{}", ran.err);
    assert!(ran.out.contains("bound") && ran.out.contains("not all"), "{}", ran.out);
}

#[tokio::test]
async fn e10_a_run_that_fails_says_how_to_go_on() {
    let failed = json!({"reason": "channel-bound", "detail": "The channel is bound to cid_x."});
    let desk = Desk::before(host(Seen::new(), vec![run("failed", failed)])).await;
    let ran = desk.run("channel authorise --merchant bos-1").await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("cid_x") && ran.err.contains(&format!("berth channel authorise {RUN} --move")),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn e10_a_merchant_who_does_not_come_is_no_success() {
    let desk = Desk::before(host(Seen::new(), vec![run("started", json!({}))])).await;
    let ran = desk.run("channel authorise --merchant bos-1 --timeout 0").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("still-waiting") && ran.err.contains(&format!("authorise {RUN}")), "{}", ran.err);
    desk.run("channel authorise --merchant bos-1 --no-wait").await.good();
}

#[tokio::test]
async fn e15_a_run_goes_on_with_a_move_when_that_is_said() {
    let asked = Seen::new();
    let notes = asked.clone();
    let restart = move |Json(body): Json<Value>| {
        notes.note(body);
        async { Json(run("started", json!({}))) }
    };
    let path = format!("/v1/channel-authorisations/{RUN}/restart");
    let routes = host(Seen::new(), vec![run("failed", json!({}))]).route(&path, axum::routing::post(restart));
    Desk::before(routes).await.run(&format!("channel authorise {RUN} --move --no-wait")).await.good();
    assert_eq!(asked.all(), [json!({"move": true})]);
}

#[tokio::test]
async fn e10_a_run_or_a_merchant_must_be_named() {
    assert_eq!(Desk::bare().run("channel authorise").await.code, 2);
}

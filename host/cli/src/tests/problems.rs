//! Exit codes, problems in words, and retries.

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, Uri, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{Desk, Seen, serve};

fn refusal() -> impl IntoResponse {
    let problem = json!({"type": "https://berth.example/problems/missing-grant", "title": "Not enough", "status": 403,
        "detail": "This needs the role admin.\u{1b}[2J", "request_id": "req_7", "action": "read"});
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/problem+json")], problem.to_string())
}

fn app(id: &str) -> Value {
    json!({"id": id, "team": format!("team_{}", "0".repeat(26)), "name": "Shop", "description": "", "on_shelf": true,
        "created_at": "2030-01-31T07:00:00.000Z"})
}

#[tokio::test]
async fn a_refusal_says_type_detail_advice_and_request_id() {
    let desk = Desk::before(Router::new().route("/v1/mini-apps", get(|| async { refusal() }))).await;
    let ran = desk.run("app list").await;
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.err, @r"
    error: missing-grant: This needs the role admin.�[2J
      try: berth whoami (it shows your roles and what your token may do)
      request id: req_7
    ");
    assert_eq!(ran.out, "");
}

#[tokio::test]
async fn whoever_is_in_no_team_is_led_to_create_one_and_not_to_an_empty_list() {
    let refused = |next: Option<&'static str>| {
        move || async move {
            let problem = json!({"type": "https://berth.example/problems/invalid-field", "status": 422,
                "detail": "team: say which.", "field": "team", "next": next});
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                [(header::CONTENT_TYPE, "application/problem+json")],
                problem.to_string(),
            )
        }
    };
    for (next, said) in [(Some("berth team create NAME"), "berth team create NAME"), (None, "berth team list")] {
        let desk = Desk::before(Router::new().route("/v1/mini-apps", post(refused(next)))).await;
        let ran = desk.run("app create Shop --id shop").await;
        assert!(ran.code == 1 && ran.err.contains(said), "{}", ran.err);
    }
}

#[tokio::test]
async fn whoever_wants_no_least_version_is_led_to_the_option() {
    let ran = Desk::bare().run("app min-version shop none").await;
    assert!(ran.code == 2 && ran.err.contains("--none"), "{}", ran.err);
}

#[tokio::test]
async fn events_of_a_type_that_does_not_exist_are_not_looked_for() {
    let desk = Desk::before(Router::new()).await;
    let ran = desk.run("events list --types version.publish").await;
    assert!(ran.code == 2 && ran.err.contains("version.published"), "{}", ran.err);
}

#[tokio::test]
async fn with_json_a_refusal_is_the_one_document() {
    let desk = Desk::before(Router::new().route("/v1/mini-apps", get(|| async { refusal() }))).await;
    let ran = desk.run("app list --json").await;
    assert_eq!((ran.code, ran.json()["type"].as_str()), (1, Some("missing-grant")));
    assert_eq!(ran.json()["action"], "read");
    assert!(ran.err.contains("missing-grant"));
}

#[tokio::test]
async fn nobody_listening_is_exit_code_3() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ran = Desk::bare().run(&format!("whoami --server http://{address}")).await;
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("nothing listens there"), "{}", ran.err);
}

#[tokio::test]
async fn i8_what_is_sent_reaches_no_other_host_than_the_one_that_was_named() {
    let asked = Seen::new();
    let heard = asked.clone();
    let other = Router::new().fallback(move |uri: Uri| async move {
        heard.note(uri.to_string());
        Json(json!({}))
    });
    let other = serve(other).await;
    for status in [301, 302, 303, 307, 308] {
        let (status, location) = (StatusCode::from_u16(status).unwrap(), format!("{other}/v1/there"));
        let front =
            Router::new().fallback(move || async move { (status, [(header::LOCATION, location)], "").into_response() });
        let desk = Desk { input: "hush\n".into(), ..Desk::before(front).await };
        for line in ["whoami", "secret token mp-shop"] {
            let ran = desk.run(line).await;
            let says = format!("sends on to {other}/v1/there. If that is the host, give its address by --server.");
            assert!(ran.code == 3 && ran.err.contains(&says), "{status} {line}: {} {}", ran.code, ran.err);
        }
    }
    assert_eq!(asked.all(), Vec::<String>::new());
}

#[tokio::test]
async fn f28_what_a_host_says_while_it_is_followed_cannot_steer_the_terminal() {
    for line in ["events tail", "logs follow --app mp-shop"] {
        let asked = Seen::new();
        let answer = move || async move {
            let ends = asked.note(()) > 1;
            let status = if ends { StatusCode::FORBIDDEN } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, Json(json!({"type": "/problems/unavailable", "detail": "Later.\u{1b}[2J"})))
        };
        let ran = Desk::before(Router::new().fallback(answer)).await.run(line).await;
        assert_eq!(ran.code, 1, "{line}: {}", ran.err);
        assert!(!ran.err.contains('\u{1b}'), "{line}: {}", ran.err);
        assert_eq!(ran.err.matches("Later.\u{fffd}[2J").count(), 2, "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn what_is_no_berth_is_exit_code_3() {
    let desk = Desk::before(Router::new().route("/v1/me", get(|| async { "<html>hello</html>" }))).await;
    let ran = desk.run("whoami").await;
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("is not a Berth host"), "{}", ran.err);
}

#[tokio::test]
async fn https_to_a_plain_port_says_so() {
    let desk = Desk::before(Router::new()).await;
    let server = desk.server.clone().unwrap().replace("http:", "https:");
    let ran = desk.run(&format!("whoami --server {server}")).await;
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("does not speak TLS"), "{}", ran.err);
}

#[tokio::test]
async fn wrong_use_is_exit_code_2() {
    let desk = Desk::bare();
    for (line, why) in [
        ("whoami", "No host is known"),
        ("whoami --server ftp://x", "is not a server address"),
        ("whoami --server http://me:secret@x", "must not contain"),
        ("app show Not_An_Id --server http://x", "3 to 63 characters"),
        ("version publish mp-shop 1.2 --server http://x", "MAJOR.MINOR.PATCH"),
        ("version decide mp-shop 1.2.0 --host-app ha-a --reject --server http://x", "--note"),
    ] {
        let ran = desk.run(line).await;
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        assert!(ran.err.contains(why), "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_host_that_cannot_now_is_asked_again_with_the_same_key() {
    let keys = Seen::new();
    let seen = keys.clone();
    let create = move |headers: HeaderMap| {
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        let agent = headers[header::USER_AGENT].to_str().unwrap().starts_with("berth/");
        let third = seen.note((key, agent)) == 3;
        async move {
            if third {
                return (StatusCode::CREATED, Json(app("mp-shop"))).into_response();
            }
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]).into_response()
        }
    };
    let desk = Desk::before(Router::new().route("/v1/mini-apps", post(create))).await;
    let ran = desk.args(&["app", "create", "Shop", "--id", "mp-shop"]).await.good();
    assert!(ran.out.contains("created  2030-01-31T07:00:00Z (1 h ago)"), "{}", ran.out);
    let keys = keys.all();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|(key, agent)| key == &keys[0].0 && key.len() == 32 && *agent));
}

#[tokio::test]
async fn a_host_that_stays_away_is_refused_after_a_few_tries() {
    let tries = Seen::new();
    let seen = tries.clone();
    let busy = move || {
        seen.note(());
        async { (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]) }
    };
    let desk = Desk::before(Router::new().route("/v1/me", get(busy))).await;
    let ran = desk.run("whoami").await;
    assert_eq!((ran.code, tries.all().len()), (1, 4));
    assert!(ran.err.contains("http-503"), "{}", ran.err);
}

#[tokio::test]
async fn lists_are_followed_to_their_end() {
    let page = |query: axum::extract::RawQuery| async move {
        Json(match query.0.as_deref() {
            None => json!({"items": [app("mp-one")], "next": "a b"}),
            Some("cursor=a%20b") => json!({"items": [app("mp-two")]}),
            Some(other) => json!({"items": [], "other": other}),
        })
    };
    let desk = Desk::before(Router::new().route("/v1/mini-apps", get(page))).await;
    let ran = desk.run("app list").await.good();
    insta::assert_snapshot!(ran.out, @r"
    ID      NAME  TEAM                             ONLINE  NEXT  CHANGED
    mp-one  Shop  team_00000000000000000000000000  -       -     -
    mp-two  Shop  team_00000000000000000000000000  -       -     -
    ");
    let ran = desk.run("app list --json").await.good();
    assert_eq!(ran.json()["items"][1]["id"], "mp-two");
}

#[tokio::test]
async fn a_policy_that_there_is_not_does_not_look_like_one_that_is_bound_nowhere() {
    let none = || async { axum::Json(serde_json::json!({"items": []})) };
    let desk = Desk::before(Router::new().route("/v1/policy-bindings", axum::routing::get(none))).await;
    let ran = desk.run("policy bindings --policy secretz").await;
    assert!(ran.code == 1 && !ran.out.contains("No bindings"), "{} {}", ran.out, ran.err);
}

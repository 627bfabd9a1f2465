//! `berth second-factor`: what is asked of the person, and of the host.

use axum::{
    Json, Router,
    body::Bytes,
    http::{Method, Uri},
};
use serde_json::json;

use super::{Desk, Seen};

/// A host with a second factor, which notes what it was asked.
fn host(asked: Seen<String>) -> Router {
    Router::new().fallback(move |method: Method, uri: Uri, body: Bytes| async move {
        asked.note(format!("{method} {uri} {}", String::from_utf8_lossy(&body)).trim_end().to_owned());
        Json(json!({
            "secret": "GEZDGNBV", "uri": "otpauth://totp/Berth:ann", "recovery_codes": match uri.path() {
                "/v1/me/second-factor" => json!(9),
                _ => json!(["aaaa-bbbb", "cccc-dddd"]),
            }, "since": "2030-01-31T07:59:00.000Z",
        }))
    })
}

async fn run(line: &str, input: &str) -> (super::Ran, Vec<String>) {
    let asked = Seen::new();
    let desk = Desk { input: input.into(), ..Desk::before(host(asked.clone())).await };
    (desk.run(line).await.good(), asked.all())
}

#[tokio::test]
async fn p14_it_is_set_up_in_one_go() {
    let (ran, asked) = run("second-factor set-up", "correct pony pile\n287082\n").await;
    assert_eq!(
        asked,
        [
            r#"POST /v1/me/second-factor {"password":"correct pony pile"}"#,
            r#"POST /v1/me/second-factor/confirm {"code":"287082"}"#
        ]
    );
    assert!(ran.err.contains("GEZDGNBV") && ran.err.contains("otpauth://totp/Berth:ann"), "{}", ran.err);
    assert!(ran.out.starts_with("aaaa-bbbb\ncccc-dddd\n"), "{}", ran.out);
    assert!(!ran.out.contains("pony") && !ran.err.contains("pony"));
}

#[tokio::test]
async fn p15_it_is_removed_by_a_code_or_by_the_password() {
    let remove = async |input| run("second-factor remove", input).await.1.remove(0);
    assert_eq!(remove("287082\n").await, r#"POST /v1/me/second-factor/remove {"code":"287082"}"#);
    assert_eq!(remove("\npony pile\n").await, r#"POST /v1/me/second-factor/remove {"password":"pony pile"}"#);
    let (ran, _) = run("second-factor show", "").await;
    assert!(ran.out.contains("recovery codes  9"), "{}", ran.out);
}

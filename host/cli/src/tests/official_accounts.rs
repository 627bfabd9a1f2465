//! Official accounts and fans: what the commands ask for, and what they say of messages.

use axum::{
    Json, Router,
    body::Bytes,
    http::{Method, Uri},
};
use serde_json::{Value, json};

use super::{Desk, Seen, ulid};

const AT: &str = "2030-01-31T07:59:00.000Z";
const WX: &str = "wxaaaaaaaaaaaaaaaa";

/// A message with which this became.
fn message(state: &str, tried: Value) -> Value {
    json!({"id": ulid("tmsg"), "merchant": "bos-1", "member_id": "m1", "template": "paid", "state": state,
        "tried": tried, "created_at": AT, "from": WX, "to": WX, "moved_by": "usr_1", "moved_at": AT, "members": 0, "came_along": 0,
        "items": []})
}

fn host(asked: Seen<String>, answer: Value) -> Router {
    Router::new().fallback(move |method: Method, uri: Uri, body: Bytes| async move {
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        asked.note(format!("{method} {} {body}", uri.path_and_query().unwrap()));
        Json(answer)
    })
}

async fn asks(line: &str, input: &str) -> Vec<String> {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone(), message("sent", json!([])))).await;
    Desk { input: input.into(), ..desk }.run(&format!("{line} --json")).await.good().json();
    asked.all()
}

#[tokio::test]
async fn s1_s3_s6_s9_each_command_asks_as_the_contract_says() {
    let fan = format!("/v1/merchants/bos-1/fans/m1/{WX}");
    let cases = [
        (
            "official-account add WX Plaza",
            json!(["POST /v1/official-accounts", {"app_id": WX, "name": "Plaza", "merchant": null, "secret": "hush"}]),
        ),
        (
            "official-account add WX Own --merchant bos-1 --authorised",
            json!(["POST /v1/official-accounts", {"app_id": WX, "name": "Own", "merchant": "bos-1", "secret": null}]),
        ),
        ("official-account list --merchant bos-1", json!(["GET /v1/official-accounts?merchant=bos-1", null])),
        ("official-account show WX", json!([format!("GET /v1/official-accounts/{WX}"), null])),
        (
            "official-account edit WX --state retired",
            json!([format!("PATCH /v1/official-accounts/{WX}"), {"name": null, "state": "retired", "secret": null}]),
        ),
        (
            "official-account edit WX --new-secret",
            json!([format!("PATCH /v1/official-accounts/{WX}"), {"name": null, "state": null, "secret": "hush"}]),
        ),
        ("official-account remove WX", json!([format!("DELETE /v1/official-accounts/{WX}"), null])),
        ("official-account templates WX", json!([format!("GET /v1/official-accounts/{WX}/templates"), null])),
        (
            "official-account set-template WX paid t-1",
            json!([format!("PUT /v1/official-accounts/{WX}/templates/paid"), {"template_id": "t-1"}]),
        ),
        (
            "official-account remove-template WX paid",
            json!([format!("DELETE /v1/official-accounts/{WX}/templates/paid"), null]),
        ),
        ("official-account pages bos-1", json!(["GET /v1/merchants/bos-1/entry-pages", null])),
        (
            "official-account set-page bos-1 shop https://a.example/",
            json!(["PUT /v1/merchants/bos-1/entry-pages/shop", {"url": "https://a.example/"}]),
        ),
        ("official-account remove-page bos-1 shop", json!(["DELETE /v1/merchants/bos-1/entry-pages/shop", null])),
        (
            "official-account send bos-1 --member m1 --template paid --field thing1=a=b --page shop",
            json!(["POST /v1/merchants/bos-1/template-messages",
                {"member_id": "m1", "template": "paid", "data": {"thing1": "a=b"}, "page": "shop"}]),
        ),
        (
            "official-account messages bos-1 --member m1 --state unknown",
            json!(["GET /v1/merchants/bos-1/template-messages?member_id=m1&state=unknown", null]),
        ),
        (
            "official-account message bos-1 TMSG",
            json!([format!("GET /v1/merchants/bos-1/template-messages/{}", ulid("tmsg")), null]),
        ),
        (
            "official-account move bos-1 --from WX --to WX",
            json!(["POST /v1/merchants/bos-1/official-accounts/move", {"from": WX, "to": WX}]),
        ),
        (
            "official-account moved bos-1 --came-along false",
            json!(["GET /v1/merchants/bos-1/official-accounts/move?came_along=false", null]),
        ),
        ("fan visitor bos-1 c", json!(["POST /v1/merchants/bos-1/visitors", {"code": "c"}])),
        (
            "fan list bos-1 --member m1 --account WX",
            json!([format!("GET /v1/merchants/bos-1/fans?member_id=m1&app_id={WX}"), null]),
        ),
        ("fan show bos-1 m1 WX", json!([format!("GET {fan}"), null])),
        ("fan bind bos-1 m1 WX --code c", json!([format!("PUT {fan}"), {"code": "c", "open_id": null}])),
        ("fan bind bos-1 m1 WX --open-id o", json!([format!("PUT {fan}"), {"code": null, "open_id": "o"}])),
        ("fan prefer bos-1 m1 WX --off", json!([format!("PATCH {fan}"), {"preferred": false}])),
        ("fan unbind bos-1 m1 WX", json!([format!("DELETE {fan}"), null])),
    ];
    for (line, expected) in cases {
        let asked = asks(&line.replace("WX", WX).replace("TMSG", &ulid("tmsg")), "hush\n").await;
        assert_eq!(asked.len(), 1, "{line}: {asked:?}");
        let mut parts = asked[0].splitn(3, ' ');
        let address = [parts.next().unwrap(), parts.next().unwrap()].join(" ");
        let body: Value = serde_json::from_str(parts.next().unwrap()).unwrap();
        assert_eq!(json!([address, body]), expected, "{line}");
    }
}

#[tokio::test]
async fn s8_a_script_learns_by_the_exit_code_whether_a_message_went_out() {
    let tried =
        json!([{"app_id": WX, "errcode": 43004, "reason": "WeChat refuses: require subscribe (errcode 43004)"}]);
    for (state, code, says) in [("sent", 0, ""), ("refused", 1, "require subscribe"), ("unknown", 1, "not known")] {
        let desk = Desk::before(host(Seen::new(), message(state, tried.clone()))).await;
        let ran = desk.run("official-account send bos-1 --member m1 --template paid").await;
        assert!(ran.code == code && ran.err.contains(says) && ran.out.contains(state), "{ran:?}");
    }
}

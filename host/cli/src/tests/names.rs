//! People are shown the names of accounts, programs their ids.

use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    routing::get,
};
use serde_json::{Value, json};

use super::{Desk, Seen, ulid};

const AT: &str = "2030-01-31T07:59:00.000Z";

/// A host whose releases are two accounts'; it notes for what names it was asked.
fn host(asked: Seen<String>, knows_names: bool) -> Router {
    let (ada, gone) = (ulid("usr"), format!("usr_{}", "1".repeat(26)));
    let release = |by: &str| {
        json!({"mini_app": "mp-shop", "version": "1.0.0", "kind": "publish", "forced": false,
        "rolled_back": false, "released_by": by, "released_at": AT})
    };
    let releases = json!({"items": [release(&ada), release(&gone), release(&ada), release("berth")]});
    let (names, nothing) = (json!({"items": [{"id": ada, "name": "Ada\u{1b}[2J"}]}), json!({}));
    Router::new().fallback(move |uri: Uri| async move {
        let (status, answer): (_, &Value) = match uri.path() {
            "/v1/account-names" => {
                asked.note(uri.query().unwrap_or_default().to_owned());
                if knows_names { (StatusCode::OK, &names) } else { (StatusCode::NOT_FOUND, &nothing) }
            }
            _ => (StatusCode::OK, &releases),
        };
        (status, Json(answer.clone()))
    })
}

#[tokio::test]
async fn people_are_shown_names_by_one_request_more_and_programs_ids_without_it() {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone(), true)).await;
    let (ada, gone) = (ulid("usr"), format!("usr_{}", "1".repeat(26)));
    let shown = desk.run("version releases mp-shop").await.good().out;
    assert_eq!(shown.matches("Ada").count(), 2, "{shown}");
    assert!(!shown.contains(&ada) && shown.contains(&gone) && shown.contains("berth"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "a name is the text of somebody else: {shown}");
    assert_eq!(asked.all().len(), 1, "{:?}", asked.all());
    let document = desk.run("version releases mp-shop --json").await.good().json();
    assert_eq!(document["items"][0]["released_by"], ada);
    assert_eq!(asked.all().len(), 1, "programs read ids");
}

#[tokio::test]
async fn a_host_that_cannot_tell_names_leaves_the_ids() {
    let desk = Desk::before(host(Seen::new(), false)).await;
    let shown = desk.run("version releases mp-shop").await.good().out;
    assert_eq!(shown.matches(&ulid("usr")).count(), 2, "{shown}");
}

#[tokio::test]
async fn a_push_a_privacy_agreement_and_a_permit_name_people_too() {
    let (ada, permit, sha256) = (ulid("usr"), ulid("prm"), "0".repeat(64));
    let version = json!({"mini_app": "mp-shop", "version": "1.2.0", "state": "development", "forced": false, "sha256": sha256,
        "size": 1, "files": 3, "manifest": {"path": "app.json", "pages": [], "subpackages": []}, "uploaded_by": ada,
        "created_at": AT, "updated_at": AT});
    let draft = json!({"mini_app": "mp-shop", "agreement": {}, "missing": [], "changed_at": AT, "changed_by": ada});
    let head = json!({"version": 1, "effective_on": "2030-01-31", "digest": sha256, "renews": true, "needs_consent_since": 1,
        "published_at": AT, "published_by": ada});
    let step = json!({"step": "apply", "state": "waiting", "actor": ada, "note": "", "at": AT});
    let permitted = json!({"id": permit, "mini_app": "mp-shop", "host_app": "ha-super", "kind": "skip_domains", "state": "waiting",
        "reason": "r", "applied_by": ada, "applied_at": AT, "note": "", "changed_by": ada, "changed_at": AT, "moves": [step]});
    let names = json!({"items": [{"id": ada, "name": "Ada"}]});
    let answers = Router::new().fallback(move |uri: Uri| async move {
        Json(match uri.path() {
            "/v1/account-names" => names,
            path if path.starts_with("/v1/packages/") => version,
            path if path.ends_with("/privacy/draft") => draft,
            path if path.ends_with("/privacy/versions") => json!({"items": [head]}),
            _ => permitted,
        })
    });
    let desk = Desk::before(answers).await;
    let (package, agreement) = (desk.write("mp-shop_1.2.0.apkg", "zip"), desk.write("agreement.json", "{}"));
    for line in [
        format!("push {package}"),
        "privacy show mp-shop --draft".into(),
        "privacy versions mp-shop".into(),
        format!("permit show {permit}"),
    ] {
        let shown = desk.run(&line).await.good().out;
        assert!(shown.contains("Ada") && !shown.contains(&ada), "{line}: {shown}");
    }
    let set = desk.run(&format!("privacy set mp-shop --file {agreement}")).await.good();
    assert!(
        set.out.contains("Ada") && set.err.contains("next: berth privacy publish mp-shop"),
        "{} {}",
        set.out,
        set.err
    );
}

#[tokio::test]
async fn a_second_thing_of_a_name_is_asked_about_on_a_terminal_and_told_elsewhere() {
    let team = json!({"id": ulid("team"), "name": "Coffee team", "created_at": AT});
    let list = json!({"items": [team]});
    let host = Router::new().route("/v1/teams", get(|| async { Json(list) }).post(|| async { Json(team) }));
    let mut desk = Desk::before(host).await;
    let told = desk.args(&["team", "create", " coffee  TEAM"]).await.good();
    assert!(told.err.contains("There is a team \"Coffee team\" already"), "{}", told.err);
    assert!(desk.args(&["team", "create", "Tea team"]).await.good().err.is_empty());
    (desk.attended, desk.input) = (true, "n\n".into());
    let kept = desk.args(&["team", "create", "Coffee team"]).await;
    assert!(kept.code == 1 && kept.err.contains("not-confirmed"), "{}", kept.err);
    desk.input = "y\n".into();
    desk.args(&["team", "create", "Coffee team"]).await.good();
}

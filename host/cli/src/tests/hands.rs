//! What keeps people from mistakes: questions before what cannot be undone, the next command, exit codes, names.

use axum::{
    Json, Router,
    body::Bytes,
    http::{Method, StatusCode, Uri, header},
    response::IntoResponse,
    routing::{get, post, put},
};
use serde_json::{Value, json};

use super::{Desk, Environment, Seen, serve, ulid};
use crate::{
    call::Call,
    client::{Client, Credential},
};
use berth_base::clock::SystemRandom;

const AT: &str = "2030-01-31T07:59:00.000Z";

fn app(id: &str, on_shelf: bool) -> Value {
    json!({"id": id, "team": ulid("team"), "name": "Shop", "description": "", "on_shelf": on_shelf, "created_at": AT})
}

/// A host that answers with one document, and notes what it was asked.
fn answers(asked: Seen<String>, document: Value) -> Router {
    Router::new().fallback(move |method: Method, uri: Uri, body: Bytes| async move {
        asked.note(format!("{method} {uri} {}", String::from_utf8_lossy(&body)).trim_end().to_owned());
        Json(document)
    })
}

#[tokio::test]
async fn what_cannot_be_undone_is_asked_on_a_terminal_and_nowhere_else() {
    let (binding, webhook, token) = (ulid("pb"), ulid("wh"), ulid("tok"));
    let lines = [
        "app shelf mp-shop off".to_owned(),
        "version delete mp-shop 1.2.0".into(),
        "version rollback mp-shop --to 1.1.0".into(),
        "host-app unbind ha-super mp-shop".into(),
        "org-node delete vid-1".into(),
        format!("policy unbind {binding}"),
        format!("webhook delete {webhook}"),
        format!("token revoke {token}"),
        format!("team revoke --platform {}", ulid("usr")),
        format!("gray end {}", ulid("gray")),
        format!("endpoint delete {}", ulid("cid")),
        format!("channel delete {}", ulid("chn")),
        format!("channel unbind {}", ulid("chn")),
    ];
    for line in &lines {
        let asked = Seen::new();
        let mut desk = Desk::before(answers(asked.clone(), app("mp-shop", false))).await;
        desk.attended = true;
        for input in ["n\n", "\n", ""] {
            desk.input = input.into();
            let ran = desk.run(line).await;
            assert_eq!((ran.code, asked.all().len()), (1, 0), "{line}");
            assert!(
                ran.err.contains("[y/N]") && ran.err.contains("not-confirmed: Nothing was changed."),
                "{}",
                ran.err
            );
        }
        desk.input = "Y\n".into();
        desk.run(&format!("{line} --json")).await.good();
        desk.input = String::new();
        desk.run(&format!("{line} --yes --json")).await.good();
        desk.attended = false;
        let ran = desk.run(&format!("{line} --json")).await.good();
        assert!(!ran.err.contains("[y/N]") && asked.all().len() == 3, "{line}");
    }
}

#[tokio::test]
async fn a_question_shows_no_more_than_it_says() {
    let asked = Seen::new();
    let mut desk = Desk::before(answers(asked.clone(), app("mp-shop", true))).await;
    desk.attended = true;
    desk.run("app shelf mp-shop on").await.good();
    assert_eq!(asked.all(), [r#"POST /v1/mini-apps/mp-shop/shelf {"on":true}"#]);
}

#[tokio::test]
async fn a_webhook_that_is_not_reached_is_told_by_the_exit_code() {
    let line = format!("webhook test {}", ulid("wh"));
    let ping = json!({"delivered": false, "status": 503, "millis": 4, "error": "it answered 503."});
    let desk = Desk::before(answers(Seen::new(), ping)).await;
    let ran = desk.run(&line).await;
    assert!(ran.code == 1 && ran.out.contains("not delivered"), "{} {}", ran.code, ran.out);
    assert!(ran.err.contains("not-delivered: Not delivered: it answered 503.\n"), "{}", ran.err);
    assert_eq!(desk.run(&format!("{line} --json")).await.code, 1);
    let desk = Desk::before(answers(Seen::new(), json!({"delivered": true, "status": 200, "millis": 4}))).await;
    desk.run(&line).await.good();
}

fn version(state: &str) -> Value {
    json!({"mini_app": "mp-shop", "version": "1.2.0", "state": state, "forced": false, "sha256": "0".repeat(64), "size": 3,
        "files": 1, "manifest": {"path": "app.json", "subpackages": []}, "uploaded_by": "usr_1", "created_at": AT, "updated_at": AT})
}

fn audit(state: &str, decided: bool) -> Value {
    let item = |host_app: &str, decision: Option<&str>| json!({"host_app": host_app, "decision": decision});
    json!({"id": ulid("aud"), "mini_app": "mp-shop", "version": "1.2.0", "state": state, "sha256": "0".repeat(64),
        "submitted_by": "usr_1", "created_at": AT, "evaluations": [],
        "items": [item("ha-one", Some("approved")), item("ha-two", decided.then_some("approved"))]})
}

/// A host that has the version in this state already.
fn host_with(state: &'static str, audited: &'static str) -> Router {
    let mut detail = version(state);
    detail["audit"] = audit(audited, audited == "approved");
    let submit = || async {
        let problem = json!({"type": "/problems/version-state", "detail": "No.", "state": "approved"});
        (StatusCode::CONFLICT, Json(problem))
    };
    Router::new()
        .route("/v1/packages/{name}", put(move || async move { Json(version(state)) }))
        .route("/v1/mini-apps/mp-shop/versions/1.2.0", get(move || async move { Json(detail) }))
        .route("/v1/mini-apps/mp-shop/versions/1.2.0/submit", post(submit))
        .route(&format!("/v1/audits/{}", ulid("aud")), get(move || async move { Json(audit(audited, false)) }))
}

#[tokio::test]
async fn v4_a_push_that_was_submitted_before_is_done() {
    for (state, audited) in [("approved", "approved"), ("online", "approved"), ("auditing", "deciding")] {
        let desk = Desk::before(host_with(state, audited)).await;
        let file = desk.write("mp-shop_1.2.0.apkg", "zip");
        for options in ["--submit", "--submit --wait", "--wait --json"] {
            desk.run(&format!("push {file} {options}")).await.good();
        }
    }
    let desk = Desk::before(host_with("approved", "approved")).await;
    let file = desk.write("mp-shop_1.2.0.apkg", "zip");
    let ran = desk.run(&format!("push {file} --submit")).await.good();
    assert!(ran.err.contains("next: berth version publish mp-shop 1.2.0"), "{}", ran.err);
    let ran = desk.run("version submit mp-shop 1.2.0").await;
    assert!(ran.code == 1 && ran.err.contains("try: berth version list mp-shop (it shows"), "{}", ran.err);
}

#[tokio::test]
async fn the_next_command_is_printed_with_the_ids_that_are_known() {
    let cases = [
        (
            "version submit mp-shop 1.2.0",
            audit("deciding", false),
            "berth version decide mp-shop 1.2.0 --host-app ha-two --approve   # by an auditor of ha-two",
        ),
        ("version submit mp-shop 1.2.0", audit("checking", false), "berth version findings mp-shop 1.2.0"),
        (
            "version submit mp-shop 1.2.0",
            audit("approved", true),
            "berth version publish mp-shop 1.2.0   # by the team",
        ),
        ("app create Shop --id mp-shop", app("mp-shop", true), "berth init --id mp-shop"),
        ("app shelf mp-shop off", app("mp-shop", false), "berth app shelf mp-shop on"),
    ];
    for (line, answer, next) in cases {
        let desk = Desk::before(answers(Seen::new(), answer)).await;
        let ran = desk.run(line).await.good();
        assert!(ran.err.contains(&format!("next: {next}\n")), "{line}: {}", ran.err);
        let ran = desk.run(&format!("{line} --json")).await.good();
        assert!(!ran.err.contains("next:"), "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn advice_names_what_the_refused_command_was_about() {
    let refusal = |kind: &'static str| {
        Router::new().fallback(move || async move {
            (StatusCode::CONFLICT, Json(json!({"type": format!("/problems/{kind}"), "detail": "No."})))
        })
    };
    let task = ulid("gray");
    let cases = [
        ("no-host-app", "version submit mp-shop 1.2.0".to_owned(), "berth host-app bind HOST_APP mp-shop".to_owned()),
        ("mini-app-off-shelf", "version publish mp-shop 1.2.0".into(), "berth app shelf mp-shop on".into()),
        (
            "audit-closed",
            "version withdraw mp-shop 1.2.0".into(),
            "berth version show mp-shop 1.2.0 (it shows the audit)".into(),
        ),
        ("gray-state", format!("gray suspend {task}"), format!("berth gray show {task} (it shows")),
        (
            "not-online",
            "app show mp-shop".into(),
            "berth version list mp-shop, then berth version publish mp-shop VERSION".into(),
        ),
    ];
    for (kind, line, advice) in cases {
        let ran = Desk::before(refusal(kind)).await.run(&line).await;
        assert!(ran.err.contains(&format!("try: {advice}")), "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn login_warns_of_what_takes_precedence_over_it() {
    let me = || async {
        Json(json!({"account": {"id": ulid("usr"), "name": "Ann", "created_at": AT}, "grants": [],
            "token": {"id": ulid("tok"), "account": ulid("usr"), "name": "laptop", "scopes": ["read"], "created_at": AT}}))
    };
    let server = serve(Router::new().route("/v1/me", get(me))).await;
    let login = |environment: Environment| {
        let (desk, server) = (Desk { environment, ..Desk::bare() }, server.clone());
        async move { desk.run(&format!("login --server {server} --token berth_new")).await.good().err }
    };
    let set = |server: Option<&str>, token: Option<&str>| Environment {
        server: server.map(str::to_owned),
        token: token.map(str::to_owned),
    };
    let err = login(set(None, Some("berth_old"))).await;
    assert!(err.contains("warning: BERTH_TOKEN is set") && err.contains("unset BERTH_TOKEN"), "{err}");
    assert!(!err.contains("berth_old"), "{err}");
    assert!(login(set(Some("https://elsewhere.example"), None)).await.contains("unset BERTH_SERVER"));
    for harmless in [set(None, None), set(Some(&format!("{server}/")), Some("berth_new"))] {
        assert_eq!(login(harmless).await, "");
    }
}

#[tokio::test]
async fn a_folder_is_given_its_id_and_version_once() {
    let desk = Desk::bare();
    std::fs::create_dir(desk.path("shop")).unwrap();
    let dir = desk.arg("shop");
    assert_eq!(desk.run(&format!("init {dir}")).await.code, 2, "nothing says the id");
    let ran = desk.run(&format!("init {dir} --id mp-shop")).await.good();
    assert!(ran.err.contains("There is nothing to pack yet.") && !ran.err.contains("next:"), "{}", ran.err);
    std::fs::remove_file(desk.path("shop/berth.json")).unwrap();
    desk.write("shop/app.json", "{}");
    let ran = desk.run(&format!("init {dir} --id mp-shop")).await.good();
    assert!(ran.err.contains(&format!("next: berth pack {dir}")), "{}", ran.err);
    let written: Value = serde_json::from_str(&std::fs::read_to_string(desk.path("shop/berth.json")).unwrap()).unwrap();
    assert_eq!(written, json!({"id": "mp-shop", "version": "1.0.0"}));
    let again = desk.run(&format!("init {dir} --id mp-other")).await;
    assert!(again.code == 2 && again.err.contains("already"), "{}", again.err);

    // The next version is written into the same file.
    desk.write("shop/berth.json", r#"{"id": "mp-shop", "owner": "us", "version": "1.0.0"}"#);
    desk.run(&format!("init {dir} --version 1.0.1")).await.good();
    let written: Value = serde_json::from_str(&std::fs::read_to_string(desk.path("shop/berth.json")).unwrap()).unwrap();
    assert_eq!(written, json!({"id": "mp-shop", "owner": "us", "version": "1.0.1"}));
    let other = desk.run(&format!("init {dir} --id mp-other --version 1.0.2")).await;
    assert!(other.code == 2 && other.err.contains("already"), "{}", other.err);

    desk.write("npm/package.json", r#"{"version": "2.1.0"}"#);
    let ran = desk.run(&format!("init {} --id mp-shop --json", desk.arg("npm"))).await.good();
    assert_eq!(ran.json()["version"], "2.1.0");
}

#[tokio::test]
async fn attributes_of_a_device_are_sent() {
    let asked = Seen::new();
    let desk = Desk::before(answers(asked.clone(), json!({"results": []}))).await;
    let line = "check --host-app ha-super --app mp-shop --guid g --attribute city=shanghai --attribute note=a=b";
    desk.run(line).await.good();
    let body = asked.all()[0].split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).unwrap().1.to_owned();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["attributes"], json!({"city": "shanghai", "note": "a=b"}));
    assert_eq!(desk.run("check --host-app ha-super --app mp-shop --guid g --attribute city").await.code, 2);
}

#[tokio::test]
async fn an_upload_that_was_taken_ends_at_its_whole() {
    let desk = Desk::before(Router::new().route("/taken", put(|_: Bytes| async { Json(Value::Null) }))).await;
    let file = desk.write("a.bin", vec![7; 300_000]);
    let client =
        Client::new(desk.server.as_deref().unwrap(), Credential::None, std::sync::Arc::new(SystemRandom)).unwrap();
    for (path, taken) in [("/taken", true), ("/refused", false)] {
        let bar = indicatif::ProgressBar::hidden();
        let sent = client.value(Call::put(path).file(&file, "application/zip", bar.clone())).await;
        assert_eq!((sent.is_ok(), bar.is_finished()), (taken, true));
        assert!(!taken || (bar.position(), bar.length()) == (300_000, Some(300_000)), "{}", bar.position());
    }
}

#[tokio::test]
async fn a_team_is_named_where_its_id_is_taken_and_shown() {
    let team = |id: u8, name: &str| json!({"id": format!("team_{id:026}"), "name": name, "created_at": AT});
    let teams = json!({"items": [team(0, "Coffee team"), team(1, "Twins"), team(2, "Twins")]});
    let asked = Seen::new();
    let seen = asked.clone();
    let create = move |Json(body): Json<Value>| {
        seen.note(body);
        async { (StatusCode::CREATED, Json(app("mp-shop", true))).into_response() }
    };
    let listed = |on: bool, next: Value| {
        let mut listed = app("mp-shop", on);
        listed.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
        listed
    };
    let next = json!({"online": "1.0.0", "auditing": "1.2.0", "delivering": 1, "changed_at": AT});
    let above = listed(true, json!({"online": "1.0.0", "approved": "1.1.0"}));
    let off = listed(false, json!({"online": "1.0.0", "approved": "0.9.0", "suspended": 2}));
    let items = json!({"items": [listed(true, next), above, off]});
    let list = move || async move { Json(items) };
    let router = Router::new()
        .route("/v1/teams", get(move || async move { Json(teams) }))
        .route("/v1/mini-apps", get(list).post(create));
    let desk = Desk::before(router).await;
    desk.args(&["app", "create", "Shop", "--team", "Coffee team"]).await.good();
    assert_eq!(asked.all()[0]["team"], ulid("team"));
    let ran = desk.run("app create Shop --team Twins").await;
    assert!(ran.code == 2 && ran.err.contains(&format!("team_{:026}, team_{:026}", 1, 2)), "{}", ran.err);
    let desk = Desk { width: Some(80), ..desk };
    let ran = desk.run("app list").await.good();
    insta::assert_snapshot!(ran.out, @r"
    ID       NAME  TEAM         ONLINE     NEXT                         CHANGED
    mp-shop  Shop  Coffee team  1.0.0      1.2.0 in audit, 1 gray task  1 min ago
    mp-shop  Shop  Coffee team  1.0.0      1.1.0 approved               -
    mp-shop  Shop  Coffee team  off shelf  2 gray tasks suspended       -
    ");
}

#[tokio::test]
async fn lists_keep_their_rows_on_one_line_of_80_columns() {
    let audited = {
        let mut audit = audit("deciding", false);
        audit["mini_app"] = json!("coffee-shop");
        audit
    };
    let versions = json!({"items": [version("development"), version("historical")]});
    let policies = json!({"items": [{"digest": "0".repeat(64), "kind": "grayscale", "name": "standard-conditions", "version": "1.0.0",
        "summary": "", "size": 200_000, "installed_by": "berth", "installed_at": AT}]});
    let webhooks = json!({"items": [{"id": ulid("wh"), "url": "https://a.example/", "scope": {"kind": "platform"}, "types": [],
        "description": "", "enabled": true, "created_by": "usr_1", "created_at": AT, "updated_at": AT}]});
    let cases = [
        ("host-app audits ha-super", json!({"items": [audited]}), 2),
        ("version list mp-shop", versions, 3),
        ("policy list", policies, 2),
        ("webhook list", webhooks, 2),
    ];
    for (line, answer, lines) in cases {
        let desk = Desk { width: Some(80), ..Desk::before(answers(Seen::new(), answer)).await };
        let out = desk.run(line).await.good().out;
        assert!(out.lines().all(|line| console::measure_text_width(line) <= 80), "{out}");
        assert_eq!(out.lines().count(), lines, "{out}");
    }
}

#[tokio::test]
async fn o4_a_bundle_with_nothing_in_it_fails_and_still_replaces_the_recalled_one() {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("berth-bundle.json", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(json!({"format": 1, "host_app": "ha-super", "packages": []}).to_string().as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let bundle = move || async move { ([(header::CONTENT_TYPE, "application/zip")], zip) };
    let desk = Desk::before(Router::new().route("/v1/bundles", post(bundle))).await;
    let old = json!({"mini_app": "mp-old", "version": "0.9.0", "file": "mp-old_0.9.0.apkg", "sha256": "0".repeat(64), "size": 3});
    let earlier = json!({"format": 1, "host_app": "ha-super", "packages": [old]});
    desk.write("assets/berth-bundle.json", earlier.to_string());
    desk.write("assets/mp-old_0.9.0.apkg", "old");
    let ran = desk.run(&format!("bundle --host-app ha-super --out {}", desk.arg("assets"))).await;
    assert!(ran.code == 1 && ran.err.contains("bundle-empty"), "{} {}", ran.code, ran.err);
    assert!(ran.err.contains("berth host-app bindings ha-super"), "{}", ran.err);
    assert!(!desk.path("assets/mp-old_0.9.0.apkg").exists() && desk.path("assets/berth-bundle.json").exists());
}

#[tokio::test]
async fn w9_a_sync_that_is_waited_for_and_does_not_succeed_is_no_success() {
    let directory = |state: &str, problem: Value| {
        let mut sync = json!({"state": state, "next_at": AT});
        sync.as_object_mut().unwrap().extend(problem.as_object().unwrap().clone());
        json!({
            "workspace": "acme", "kind": "wecom", "corp_id": "ww1", "reads": "ids", "base_url": "https://w.example",
            "every_hours": 6, "callback": false, "changed_by": "usr_1", "changed_at": AT, "sync": sync,
        })
    };
    let much = json!({"problem": "directory-too-much", "detail": "It takes away half of the members."});
    for (state, problem, kind) in [
        ("refused", much, "directory-too-much"),
        ("failed", json!({}), "sync-failed"),
        ("running", json!({}), "still-waiting"),
    ] {
        let desk = Desk::before(answers(Seen::new(), directory(state, problem))).await;
        let ran = desk.run("workspace directory sync acme --wait --timeout 0").await;
        assert!(ran.code == 1 && ran.err.contains(kind), "{state}: {} {}", ran.code, ran.err);
        assert!(ran.out.contains(state), "{}", ran.out);
        desk.run("workspace directory sync acme").await.good();
    }
    let desk = Desk::before(answers(Seen::new(), directory("done", json!({})))).await;
    desk.run("workspace directory sync acme --wait").await.good();
}

#[tokio::test]
async fn d4_what_a_mask_makes_of_a_text_is_what_all_masks_in_force_make_of_it() {
    let masks = |scope: &str, rules: Value| json!({"scope": scope, "rules": rules});
    let own = masks("mini_app", json!([{"kind": "key", "name": "password"}]));
    let own = get(move || async move { Json(own) });
    let of_all = masks("platform", json!([{"kind": "phone"}]));
    let readable = get(move || async move { Json(of_all) });
    let refused = get(|| async {
        (StatusCode::FORBIDDEN, Json(json!({"type": "/problems/forbidden", "detail": "It is for the platform."})))
    });
    let line = ["logs", "mask", "--app", "mp-shop", "--try", r#"{"tel":"13812345678","password":"secret-1"}"#];
    for (all, masked, is_noted) in [
        (readable, r#"{"tel":"[phone]","password":"[masked]"}"#, false),
        (refused, r#"{"tel":"13812345678","password":"[masked]"}"#, true),
    ] {
        let routes = Router::new().route("/v1/mini-apps/mp-shop/log-masks", own.clone()).route("/v1/log-masks", all);
        let ran = Desk::before(routes).await.args(&line).await.good();
        assert_eq!(ran.out.trim(), masked);
        assert_eq!(ran.err.contains("which you may not read"), is_noted, "{}", ran.err);
    }
}

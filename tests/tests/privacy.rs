//! Privacy agreements, what devices are told of them, consents of users, export and erasure (D5, D9–D14).

use std::time::Duration;

use berth_base::ids::Digest;
use berth_model::{
    idempotency::{About, Begin, IdempotencyStore, Scope, StoredResponse},
    user::User,
};
use berth_tests::{
    Answer, Api, Host, invariants, on_both,
    receiver::Receiver,
    scene::{Scene, Servers, evaluation, text},
};
use serde_json::{Value, json};

const DRAFT: &str = "/v1/mini-apps/coffee/privacy/draft";
const VERSIONS: &str = "/v1/mini-apps/coffee/privacy/versions";
const TEXT: &str = "/v1/mini-apps/coffee/privacy/text";
const CONSENTS: &str = "/v1/host-apps/super-app/privacy-consents";
const EXPORT: &str = "/v1/host-apps/super-app/users/export";
const ERASE: &str = "/v1/host-apps/super-app/users/erase";

/// An agreement that is complete, with these items.
fn agreement(collected: Value) -> Value {
    json!({
        "developer": {"en": "Coffee Company", "zh": "咖啡公司"},
        "contact": {"email": "privacy@example.com"},
        "retention_days": 30,
        "collected": collected,
    })
}

fn location(purpose: &str) -> Value {
    json!({"kind": "location", "purpose": {"en": purpose}})
}

/// Publishes an agreement with these items.
async fn publish(scene: &Scene, collected: Value) -> Value {
    scene.admin.put(DRAFT, agreement(collected)).await.good();
    scene.admin.post(VERSIONS, json!({})).await.good()
}

async fn put_if(scene: &Scene, tag: &str, body: Value) -> Answer {
    let request = scene.admin.request("PUT", DRAFT).header("If-Match", tag).json(&body);
    Answer::of(request, format!("PUT {DRAFT} if {tag}")).await
}

/// The events that concern a thing, of one kind if it is named.
async fn told(scene: &Scene, query: &str, kind: &str) -> Vec<Value> {
    let events = scene.admin.get(&format!("/v1/events?limit=1000&{query}")).await.good()["items"].clone();
    let is_meant = |event: &Value| kind.is_empty() || event["type"] == kind;
    events.as_array().unwrap().iter().filter(|event| is_meant(event)).cloned().collect()
}

/// The scene, the server of the host app, and the server of `coffee`.
struct Desk {
    scene: Scene,
    /// The server of the host app.
    app: Api,
    /// The server of the MiniApp.
    server: Api,
    secret: String,
}

impl Desk {
    async fn set(host: Host) -> Self {
        let scene = Scene::set(host).await;
        let Servers { app, server, secret } = scene.servers().await;
        Self { scene, app, server, secret }
    }

    async fn code_for(&self, account: &str) -> String {
        let ask = json!({"mini_app": "coffee", "account": account});
        text(&self.app.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"])
    }

    async fn exchange(&self, code: &str) -> Answer {
        let exchange = json!({"mini_app": "coffee", "secret": self.secret, "code": code});
        self.scene.host.anonymous().post("/v1/session", exchange).await
    }

    async fn log_in(&self, account: &str) -> String {
        let code = self.code_for(account).await;
        text(&self.exchange(&code).await.good()["open_id"])
    }

    async fn agree(&self, account: &str, version: i64) -> Answer {
        self.app.post(CONSENTS, json!({"mini_app": "coffee", "account": account, "version": version})).await
    }

    async fn stands(&self, account: &str) -> Value {
        self.app.get(&format!("{CONSENTS}?mini_app=coffee&account={account}")).await.good()
    }

    /// Lets `account` get a message with this text, and returns its id.
    async fn message(&self, account: &str, open_id: &str, says: &str) -> String {
        let new = json!({"template": "order-paid", "keywords": [2]});
        let known = self.scene.admin.get("/v1/mini-apps/coffee/message-templates").await.good();
        let template = match known["items"].get(0) {
            Some(known) => text(&known["id"]),
            None => text(&self.scene.admin.post("/v1/mini-apps/coffee/message-templates", new).await.good()["id"]),
        };
        let answers = json!([{"template": template, "accept": true}]);
        let said = json!({"mini_app": "coffee", "account": account, "utc_offset": 0, "answers": answers});
        self.app.post("/v1/host-apps/super-app/subscriptions", said).await.good();
        let message = json!({"open_id": open_id, "template": template, "data": {"thing2": says}});
        text(&self.server.post("/v1/messages", message).await.good()["id"])
    }

    async fn log(&self, account: &str, message: &str) {
        let entry =
            json!({"mini_app": "coffee", "at": self.scene.host.app.db.now(), "level": "info", "message": message});
        let batch = json!({"host_app": "super-app", "guid": "g", "account": account, "entries": [entry]});
        self.scene.host.settled().await;
        self.scene.host.device(&self.scene.key).post("/v1/logs", batch).await.good();
    }

    async fn log_count(&self, account: &str) -> usize {
        let found = self.scene.admin.get(&format!("/v1/logs?mini_app=coffee&account={account}")).await.good();
        found["items"].as_array().unwrap().len()
    }
}

on_both! {
    async fn d5_an_agreement_is_drafted_and_published_in_versions_that_never_change(host) {
        let scene = Scene::set(host).await;
        let never = scene.admin.get(DRAFT).await.good();
        assert_eq!((&never["agreement"]["collected"], &never["changed_at"]), (&json!([]), &Value::Null));
        let early = scene.admin.post(VERSIONS, json!({})).await.refused("privacy-incomplete");
        assert_eq!((&early["pointer"], early["errors"].as_array().unwrap().len()), (&json!("/developer"), 2));
        let refused = scene.admin.put(DRAFT, json!({"contact": {"email": "nobody"}})).await.refused("invalid-field");
        assert_eq!(refused["pointer"], "/contact/email");
        let draft = scene.admin.put(DRAFT, agreement(json!([{"kind": "location"}]))).await.good();
        assert_eq!(draft["missing"], json!([{"pointer": "/collected/0/purpose", "rule": "say what for."}]));
        let first = publish(&scene, json!([location("to find the next shop")])).await;
        assert_eq!((&first["version"], &first["renews"], &first["needs_consent_since"]), (&json!(1), &json!(true), &json!(1)));
        let same = scene.admin.post(VERSIONS, json!({})).await.refused("privacy-unchanged");
        assert_eq!(same["version"], 1);
        let second = publish(&scene, json!([location("to find the next shop"), {"kind": "email", "purpose": {"en": "for receipts"}}])).await;
        assert_eq!(second["changes"][0]["about"]["en"], "E-mail address");
        assert_eq!(scene.admin.get(&format!("{VERSIONS}/1")).await.good(), first, "it stays as it was");
        let listed = scene.admin.get(VERSIONS).await.good();
        let numbers: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
        assert_eq!(numbers, [2, 1], "newest first");
        scene.admin.get(&format!("{VERSIONS}/3")).await.refused("not-found");
        let events: Vec<_> = told(&scene, "mini_app=coffee", "privacy.published").await;
        assert_eq!((events.len(), &events[1]["data"]["changes"][0]["renews"]), (2, &json!(true)));
        assert!(!told(&scene, "mini_app=coffee", "privacy.draft_changed").await.is_empty());
        assert_eq!(scene.admin.get("/v1/privacy-kinds").await.good()["items"][2]["name"]["zh"], "位置信息");
    }

    async fn d5_of_two_who_change_or_publish_what_they_have_read_the_second_is_refused(host) {
        let scene = Scene::set(host).await;
        let read = scene.admin.get(DRAFT).await;
        let tag = read.header("etag").to_owned();
        put_if(&scene, &tag, agreement(json!([]))).await.good();
        put_if(&scene, &tag, agreement(json!([location("ads")]))).await.refused("precondition-failed");
        let late = scene.admin.request("POST", VERSIONS).header("If-Match", &tag).json(&json!({}));
        Answer::of(late, "publish late".into()).await.refused("precondition-failed");
        let tag = scene.admin.get(DRAFT).await.header("etag").to_owned();
        let now = scene.admin.request("POST", VERSIONS).header("If-Match", &tag).json(&json!({"note": "first"}));
        assert_eq!(Answer::of(now, "publish".into()).await.good()["note"], "first");
    }

    async fn d10_users_are_asked_anew_for_a_new_kind_or_purpose_and_not_for_a_slip(host) {
        let scene = Scene::set(host).await;
        publish(&scene, json!([location("to find the next shop")])).await;
        let slip = publish(&scene, json!([location("To find the next shop.")])).await;
        assert_eq!((&slip["renews"], &slip["needs_consent_since"]), (&json!(false), &json!(1)));
        assert_eq!(slip["changes"][0]["how"], "corrected");
        scene.admin.put(DRAFT, agreement(json!([location("for advertising")]))).await.good();
        let ahead = scene.admin.get("/v1/mini-apps/coffee/privacy/changes").await.good();
        assert_eq!((&ahead["from"], &ahead["renews"], &ahead["changes"][0]["after"]["en"]), (&json!(2), &json!(true), &json!("for advertising")));
        let other = scene.admin.post(VERSIONS, json!({})).await.good();
        assert_eq!((&other["version"], &other["needs_consent_since"]), (&json!(3), &json!(3)));
        let back = scene.admin.get("/v1/mini-apps/coffee/privacy/changes?from=3&to=1").await.good();
        assert_eq!((&back["to"], &back["renews"]), (&json!(1), &json!(true)));
        let forced = scene.admin.post(VERSIONS, json!({"renew": true})).await.good();
        assert_eq!((&forced["needs_consent_since"], &forced["changes"]), (&json!(4), &json!([])));
    }

    async fn d11_devices_of_every_host_are_told_the_version_and_get_its_text_by_the_key_alone(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        assert_eq!(scene.check("g", None).await["runtime"]["privacy"], Value::Null);
        let beside = scene.host.beside().await;
        let published = publish(&scene, json!([location("<script>alert(1)</script>")])).await;
        let told = scene.check("g", None).await["runtime"]["privacy"].clone();
        let url = format!("{TEXT}?version=1");
        assert_eq!((&told["version"], &told["digest"], &told["url"]), (&json!(1), &published["digest"], &json!(url)));
        assert_eq!((&told["needs_consent_since"], &told["effective_on"]), (&json!(1), &published["effective_on"]));
        beside.settled().await;
        assert_eq!(scene.check_on(&beside, "g", None).await["runtime"]["privacy"], told);
        let steps = scene.explain(json!({})).await["steps"].to_string();
        assert!(steps.contains("Version 1 of the privacy agreement holds"), "{steps}");
        let device = scene.host.device(&scene.key);
        let html = device.get(&url).await;
        assert_eq!((html.status, html.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(html.header("content-security-policy").contains("sandbox"));
        assert!(html.header("cache-control").contains("immutable"));
        let page = String::from_utf8(html.bytes.to_vec()).unwrap();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
        let chinese = device.get(&format!("{TEXT}?language=zh&format=markdown")).await;
        assert_eq!(chinese.header("content-type"), "text/markdown; charset=utf-8");
        let chinese = String::from_utf8(chinese.bytes.to_vec()).unwrap();
        assert!(chinese.starts_with("# Coffee小程序隐私保护指引"), "{chinese}");
        let english = String::from_utf8(device.get(&format!("{TEXT}?format=markdown")).await.bytes.to_vec()).unwrap();
        let both = json!({"en": english, "zh": chinese}).to_string();
        assert_eq!(told["digest"], json!(berth_base::ids::Digest::of(both.as_bytes())), "the digest is that of the texts");
        device.get(&format!("{TEXT}?version=2")).await.refused("not-found");
        scene.host.device("pk_guess").get(&url).await.refused("invalid-host-app-key");
        let other = scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        scene.host.device(&text(&other["public_key"])).get(&url).await.refused("not-found");
        scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": "Tea"}))).await.good();
        assert_eq!(String::from_utf8(device.get(&url).await.bytes.to_vec()).unwrap(), page, "what was agreed to stays");
        let draft = scene.admin.get(&format!("{DRAFT}/text?format=markdown")).await;
        assert!(String::from_utf8(draft.bytes.to_vec()).unwrap().starts_with("# Privacy agreement of Tea\n\nDraft."));
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false})).await.good();
        assert_eq!(device.get(&url).await.status, 200, "users keep their rights");
    }

    async fn d12_users_consent_to_a_version_and_take_it_back(host) {
        let desk = Desk::set(host).await;
        let nothing = desk.stands("alice").await;
        assert_eq!((&nothing["needs_consent"], &nothing["version"]), (&json!(false), &Value::Null), "nothing to agree to");
        assert_eq!(desk.agree("alice", 1).await.refused("invalid-field")["pointer"], "/version");
        publish(&desk.scene, json!([location("to find the next shop")])).await;
        assert_eq!(desk.stands("alice").await["needs_consent"], true);
        let agreed = desk.agree("alice", 1).await.good();
        assert_eq!((&agreed["needs_consent"], &agreed["agreed_version"]), (&json!(false), &json!(1)));
        desk.agree("alice", 1).await.good();
        assert_eq!(desk.stands("alice").await["records"].as_array().unwrap().len(), 1, "twice is once");
        let open_id = desk.log_in("alice").await;
        let checked = async |open_id: &str| desk.server.post("/v1/privacy-consents/check", json!({"open_id": open_id})).await.good();
        assert_eq!(checked(&open_id).await, json!({"needs_consent": false, "agreed_version": 1}));
        let nobody = format!("o{}", "0".repeat(27));
        let bob = desk.log_in("bob").await;
        assert_eq!(checked(&nobody).await, checked(&bob).await, "whether there is a user is not told (F103)");
        publish(&desk.scene, json!([location("To find the next shop.")])).await;
        assert_eq!(checked(&open_id).await["needs_consent"], false);
        publish(&desk.scene, json!([location("for advertising")])).await;
        assert_eq!(checked(&open_id).await, json!({"needs_consent": true, "agreed_version": 1}));
        assert_eq!(desk.agree("alice", 2).await.good()["needs_consent"], true, "they were shown an older text");
        desk.agree("alice", 3).await.good();
        let back = desk.app.post(&format!("{CONSENTS}/withdraw"), json!({"mini_app": "coffee", "account": "alice"})).await.good();
        assert_eq!((&back["needs_consent"], &back["agreed_version"]), (&json!(true), &Value::Null));
        let steps: Vec<_> = back["records"].as_array().unwrap().iter().map(|one| (text(&one["step"]), one["version"].as_i64().unwrap())).collect();
        assert_eq!(steps, [("agreed".into(), 1), ("agreed".into(), 2), ("agreed".into(), 3), ("withdrawn".into(), 3)]);
        desk.app.post(&format!("{CONSENTS}/withdraw"), json!({"mini_app": "coffee", "account": "alice"})).await.good();
        desk.app.post(&format!("{CONSENTS}/withdraw"), json!({"mini_app": "coffee", "account": "carol"})).await.good();
        assert_eq!(desk.stands("alice").await["records"].as_array().unwrap().len(), 4);
        let stranger = json!({"mini_app": "coffee", "account": "alice", "version": 3});
        desk.scene.host.device(&desk.scene.key).post(CONSENTS, stranger).await.refused("missing-token");
    }

    async fn d13_an_export_has_everything_that_is_held_about_a_user_and_nothing_of_others(host) {
        let desk = Desk::set(host).await;
        publish(&desk.scene, json!([])).await;
        let (alice, bob) = (desk.log_in("alice").await, desk.log_in("bob").await);
        desk.agree("alice", 1).await.good();
        desk.message("alice", &alice, "Latte of alice").await;
        desk.message("bob", &bob, "Mocha of bob").await;
        desk.log("alice", "alice was here").await;
        desk.log("bob", "bob was here").await;
        let export = desk.app.post(EXPORT, json!({"account": "alice"})).await;
        assert_eq!(export.header("cache-control"), "no-store");
        let export = export.good();
        let own = &export["mini_apps"][0];
        assert_eq!((&own["mini_app"], &own["has_session"]), (&json!("coffee"), &json!(true)));
        assert_eq!((&own["privacy_consents"][0]["step"], &own["subscriptions"][0]["allowed"]), (&json!("agreed"), &json!(0)));
        assert_eq!(own["messages"].as_array().unwrap().len(), 1);
        assert_eq!(export["messages"][0]["fields"][0]["value"], "Latte of alice");
        assert_eq!(export["log_entries"][0]["message"], "alice was here");
        let whole = export.to_string();
        assert!(!whole.contains("bob") && !whole.contains(&alice), "nothing of others, and no OpenID, which is the MiniApp's: {whole}");
        let none = desk.app.post(EXPORT, json!({"account": "alice", "mini_app": "tea"})).await.good();
        assert_eq!((&none["mini_apps"], &none["messages"], &none["log_entries"]), (&json!([]), &json!([]), &json!([])));
    }

    async fn d13_f105_an_erased_user_is_gone_from_everything_and_does_not_come_back_by_replay(host) {
        let desk = Desk::set(host).await;
        let scene = &desk.scene;
        publish(scene, json!([])).await;
        let receiver = Receiver::good().await;
        let hook = json!({"url": receiver.url, "scope": {"kind": "host_app", "id": "super-app"}, "types": ["message.sent"]});
        let hook = text(&scene.admin.post("/v1/webhooks", hook).await.good()["id"]);
        let (alice, bob) = (desk.log_in("alice-canary").await, desk.log_in("bob").await);
        desk.agree("alice-canary", 1).await.good();
        let message = desk.message("alice-canary", &alice, "Latte canary").await;
        desk.message("bob", &bob, "Mocha").await;
        desk.log("alice-canary", "here").await;
        desk.log("bob", "here").await;
        let late = desk.code_for("alice-canary").await;
        let erased = desk.app.post(ERASE, json!({"account": "alice-canary"})).await.good();
        let expected = json!({"mini_apps": ["coffee"], "login_codes": 1, "sign_ons": 0, "session_keys": 1, "privacy_consents": 1,
            "subscriptions": 1, "links": 0, "recognitions": 0, "login_bindings": 0, "messages": 1, "events": 1, "log_entries": 1});
        assert_eq!(erased, expected);
        let again = desk.app.post(ERASE, json!({"account": "alice-canary"})).await.good();
        assert_eq!((&again["mini_apps"], &again["events"]), (&json!([]), &json!(0)), "twice is once");
        desk.exchange(&late).await.refused("invalid-login-code");
        let send = json!({"open_id": alice, "template": text(&scene.admin.get("/v1/mini-apps/coffee/message-templates").await.good()["items"][0]["id"]), "data": {"thing2": "x"}});
        desk.server.post("/v1/messages", send).await.refused("message-no-consent");
        desk.app.post(&format!("/v1/host-apps/super-app/messages/{message}"), json!({"state": "shown"})).await.refused("not-found");
        assert_eq!((desk.log_count("alice-canary").await, desk.log_count("bob").await), (0, 1));
        let export = desk.app.post(EXPORT, json!({"account": "alice-canary"})).await.good();
        assert_eq!((&export["mini_apps"], &export["messages"]), (&json!([]), &json!([])));
        for query in ["host_app=super-app", "mini_app=coffee"] {
            let events = json!(told(scene, query, "").await).to_string();
            assert!(!events.contains("canary") && !events.contains(&alice), "{events}");
        }
        let sent = told(scene, "host_app=super-app", "message.sent").await;
        assert_eq!((&sent[0]["data"]["erased"], &sent[0]["data"]["fields"]), (&json!(true), &json!([])));
        assert_eq!(sent[1]["data"]["account"], "bob");
        assert_eq!(told(scene, "mini_app=coffee", "user.erased").await[0]["data"], json!({"mini_app": "coffee", "host_app": "super-app"}));
        tokio::time::sleep(Duration::from_millis(1500)).await; // the deliveries are over, and every host has heard of it
        let before = receiver.arrived().len();
        scene.admin.post(&format!("/v1/webhooks/{hook}/replay"), json!({"after": 0})).await.good();
        let mut replayed = Vec::new();
        for _ in 0..100 {
            replayed = receiver.arrived().split_off(before);
            if replayed.len() >= 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let replayed: Vec<_> = replayed.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect();
        assert!(replayed.len() >= 2 && replayed.iter().any(|body| body.contains("Mocha")), "{replayed:?}");
        assert!(replayed.iter().all(|body| !body.contains("canary")), "{replayed:?}");
        let stands = desk.stands("alice-canary").await;
        assert_eq!((&stands["records"], &stands["needs_consent"]), (&json!([]), &json!(true)));
        assert_eq!(desk.log_in("alice-canary").await, alice, "who comes back is a new user by the same name");
        invariants::hold(&scene.host.pool().await).await;
    }

    async fn d13_f91_f105_the_answers_to_calls_about_an_erased_user_are_gone_and_no_call_is_played_again(host) {
        let desk = Desk::set(host).await;
        let scene = &desk.scene;
        publish(scene, json!([])).await;
        let (alice, bob) = (desk.log_in("alice").await, desk.log_in("bob").await);
        let message = desk.message("alice", &alice, "Latte").await;
        let template = text(&scene.admin.get("/v1/mini-apps/coffee/message-templates").await.good()["items"][0]["id"]);
        let post = async |api: &Api, key: &str, path: &str, body: &Value| {
            let request = api.request("POST", path).header("Idempotency-Key", key.to_owned()).json(body);
            Answer::of(request, format!("{path} {key}")).await
        };
        let in_app = |path: &str| format!("/v1/host-apps/super-app/{path}");
        let answers = json!([{"template": template, "accept": true}]);
        let allow = |account: &str| json!({"mini_app": "coffee", "account": account, "utc_offset": 0, "answers": answers});
        let agree = |account: &str| json!({"mini_app": "coffee", "account": account, "version": 1});
        let send = |open_id: &str| json!({"open_id": open_id, "template": template, "data": {"thing2": "Latte"}});
        let calls = |account: &str, open_id: &str| [
            (&desk.app, in_app("subscriptions"), allow(account)),
            (&desk.app, in_app("privacy-consents"), agree(account)),
            (&desk.server, "/v1/messages".to_owned(), send(open_id)),
            (&desk.server, "/v1/privacy-consents/check".to_owned(), json!({"open_id": open_id})),
        ];
        let report = json!({"state": "shown"});
        let about_message = in_app(&format!("messages/{message}"));
        let replayed = async |key: &str, calls: &[(&Api, String, Value)]| {
            for (api, path, body) in calls {
                assert_eq!(post(api, key, path, body).await.header("idempotency-replayed"), "true", "{path}");
            }
        };
        for (key, account, open_id) in [("a", "alice", &alice), ("b", "bob", &bob)] {
            for (api, path, body) in &calls(account, open_id) {
                post(api, key, path, body).await.good();
            }
            replayed(key, &calls(account, open_id)).await;
        }
        post(&desk.app, "a", &about_message, &report).await.good();
        // What has nothing to do with the user goes on as ever, and so does what is about them elsewhere.
        desk.app.post(ERASE, json!({"account": "alice", "mini_app": "other"})).await.good();
        replayed("a", &calls("alice", &alice)).await;
        post(&desk.app, "e", ERASE, &json!({"account": "alice", "mini_app": "coffee"})).await.good();
        for (api, path, body) in &calls("alice", &alice) {
            let refusal = post(api, "a", path, body).await.refused("idempotency-not-kept");
            assert!(text(&refusal["detail"]).contains("erased"), "{path}: {refusal}");
        }
        post(&desk.app, "a", &about_message, &report).await.refused("idempotency-not-kept");
        post(&desk.app, "e", ERASE, &json!({"account": "alice", "mini_app": "coffee"})).await.refused("idempotency-not-kept");
        let stands = desk.stands("alice").await;
        assert_eq!((&stands["records"], &stands["needs_consent"]), (&json!([]), &json!(true)), "no call has come back");
        replayed("b", &calls("bob", &bob)).await;
        assert_eq!(scene.host.pool().await.number("SELECT COUNT(*) FROM idempotency WHERE person IS NOT NULL").await, 4, "bob's");
    }

    async fn f91_f106_a_call_that_ends_after_the_user_was_erased_leaves_no_answer(host) {
        let desk = Desk::set(host).await;
        let db = &desk.scene.host.app.db;
        let user = User::of(&"super-app".parse().unwrap(), "alice").unwrap();
        let about = About { person: About::account(&user), mini_app: Some("coffee".parse().unwrap()) };
        let (scope, fingerprint) = (Scope { scope: "s".into(), key: "k".into() }, Digest::of(b"body"));
        let begin = async || IdempotencyStore::begin(db, &scope, &fingerprint, Some(&about), db.now()).await.unwrap();
        assert_eq!(begin().await, Begin::Fresh);
        desk.app.post(ERASE, json!({"account": "alice"})).await.good();
        assert_eq!(begin().await, Begin::InProgress, "the call goes on");
        let (headers, body) = (vec![("location".into(), "/alice".into())], "alice".into());
        let answer = StoredResponse { status: 200, headers, body, secret: false, erased: false };
        db.finish(&scope, answer.clone(), db.now()).await.unwrap();
        assert_eq!(begin().await, Begin::Replay(answer.erased()));
        db.abandon(&scope).await.unwrap();
        assert_eq!(begin().await, Begin::Fresh);
        db.finish(&scope, answer.clone(), db.now()).await.unwrap();
        assert_eq!(begin().await, Begin::Replay(answer), "who comes back is a new user");
    }

    async fn d13_a_user_is_erased_in_one_mini_app_and_after_the_binding_has_ended(host) {
        let desk = Desk::set(host).await;
        let scene = &desk.scene;
        publish(scene, json!([])).await;
        scene.admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea", "team": scene.team})).await.good();
        scene.admin.put("/v1/host-apps/super-app/bindings/tea", json!(null)).await.good();
        desk.log_in("alice").await;
        desk.agree("alice", 1).await.good();
        let ask = json!({"mini_app": "tea", "account": "alice"});
        desk.app.post("/v1/host-apps/super-app/login-codes", ask).await.good();
        let of_tea = desk.app.post(ERASE, json!({"account": "alice", "mini_app": "tea"})).await.good();
        assert_eq!((&of_tea["mini_apps"], &of_tea["login_codes"]), (&json!(["tea"]), &json!(1)));
        assert_eq!(desk.stands("alice").await["agreed_version"], 1, "elsewhere nothing is lost");
        scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        let rest = desk.app.post(ERASE, json!({"account": "alice"})).await.good();
        assert_eq!(rest["privacy_consents"], 1, "what an ended binding has left is there");
        desk.app.post(ERASE, json!({"account": " "})).await.refused("invalid-field");
        let (_, stranger) = scene.host.somebody("stranger").await;
        stranger.post(ERASE, json!({"account": "alice"})).await.refused("not-found");
    }

    async fn f106_whoever_erases_while_the_user_does_something_leaves_all_or_nothing(host) {
        let desk = std::sync::Arc::new(Desk::set(host).await);
        publish(&desk.scene, json!([])).await;
        let open_id = desk.log_in("alice").await;
        desk.message("alice", &open_id, "Latte").await;
        let mut running = tokio::task::JoinSet::new();
        for nth in 0..24 {
            let desk = desk.clone();
            let open_id = open_id.clone();
            running.spawn(async move {
                let status = match nth % 4 {
                    0 => desk.app.post(ERASE, json!({"account": "alice"})).await.status,
                    1 => desk.agree("alice", 1).await.status,
                    2 => { let code = desk.code_for("alice").await; desk.exchange(&code).await.status }
                    _ => {
                        let check = json!({"open_id": open_id});
                        desk.server.post("/v1/privacy-consents/check", check).await.status
                    }
                };
                assert!(status < 500, "{nth}: {status}");
            });
        }
        while let Some(done) = running.join_next().await {
            done.unwrap();
        }
        desk.app.post(ERASE, json!({"account": "alice"})).await.good();
        let export = desk.app.post(EXPORT, json!({"account": "alice"})).await.good();
        assert_eq!((&export["mini_apps"], &export["messages"]), (&json!([]), &json!([])));
    }

    async fn d14_the_auditor_compares_code_with_the_agreement_that_holds(host) {
        let scene = Scene::set(host).await;
        let script = "wx.getLocation({});\n  wx.chooseContact({});\n";
        let none = scene.submit_script("1.0.0", script).await;
        assert_eq!(none["state"], "rejected");
        let findings = evaluation(&none, "privacy")["findings"].as_array().unwrap().clone();
        assert!(findings.iter().all(|finding| finding["rule"] == "no-agreement"), "{findings:?}");
        publish(&scene, json!([location("to find the next shop"), {"kind": "camera", "purpose": {"en": "for pictures"}}])).await;
        let some = scene.submit_script("1.0.1", script).await;
        assert_eq!(some["state"], "rejected");
        let judged = evaluation(&some, "privacy");
        assert_eq!(judged["config"]["declared"]["version"], 1, "what it was compared with is kept");
        let rules: Vec<_> = judged["findings"].as_array().unwrap().iter().map(|one| (text(&one["rule"]), text(&one["severity"]))).collect();
        assert_eq!(rules, [("not-declared".into(), "error".into()), ("declared-unused".into(), "note".to_owned())]);
        assert_eq!(judged["findings"][0]["place"], json!({"path": "pages/index/extra.js", "line": 2, "column": 3}));
        publish(&scene, json!([location("to find the next shop"), {"kind": "contacts", "purpose": {"en": "to send a voucher"}}])).await;
        let all = scene.submit_script("1.0.2", script).await;
        assert_eq!((&all["state"], &evaluation(&all, "privacy")["findings"]), (&json!("deciding"), &json!([])));
    }
}

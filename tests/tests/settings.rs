//! The development settings of a MiniApp over HTTP: domains, permits in host apps, sensitive APIs, and the auditors that
//! compare code with them.

use std::{io::Read, time::Duration};

use berth_tests::{
    Answer, Api, Host, on_both,
    scene::{Scene, evaluation, text},
};
use serde_json::{Value, json};

const DOMAINS: &str = "/v1/mini-apps/coffee/domains";
const PERMITS: &str = "/v1/mini-apps/coffee/permits";
const MARKED: &str = "/v1/host-apps/super-app/sensitive-apis";

async fn online(host: Host) -> Scene {
    let scene = Scene::set(host).await;
    scene.online("1.0.0").await;
    scene
}

/// A second host app that runs coffee, with its key.
async fn another(scene: &Scene) -> String {
    let other = scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
    scene.admin.put("/v1/host-apps/other-app/bindings/coffee", json!(null)).await.good();
    text(&other["public_key"])
}

/// The `runtime` that a device of this host app is told.
async fn runtime_in(scene: &Scene, host_app: &str, key: &str) -> Value {
    scene.host.settled().await;
    let body = json!({"host_app": host_app, "guid": "g", "apps": [{"mini_app": "coffee"}]});
    scene.host.device(key).post("/v1/check", body).await.good()["results"][0]["runtime"].clone()
}

async fn runtime(scene: &Scene) -> Value {
    runtime_in(scene, "super-app", &scene.key).await
}

async fn role(scene: &Scene, host_app: &str, role: &str) -> Api {
    let (account, api) = scene.host.somebody(&format!("{role} of {host_app}")).await;
    scene.admin.put(&format!("/v1/host-apps/{host_app}/members/{account}"), json!({"role": role})).await.good();
    api
}

async fn put_if(scene: &Scene, path: &str, tag: &str, body: Value) -> Answer {
    let request = scene.admin.request("PUT", path).header("If-Match", tag).json(&body);
    Answer::of(request, format!("PUT {path} if {tag}")).await
}

async fn skip(scene: &Scene, more: Value) -> Answer {
    let mut new = json!({"host_app": "super-app", "kind": "skip_domains", "reason": "a domain for each shop"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scene.admin.post(PERMITS, new).await
}

async fn call(scene: &Scene, api: &str) -> Answer {
    let new = json!({"host_app": "super-app", "kind": "sensitive_api", "api": api, "reason": "to find a shop"});
    scene.admin.post(PERMITS, new).await
}

async fn step(api: &Api, permit: &Value, step: &str, body: Value) -> Answer {
    api.post(&format!("/v1/permits/{}/{step}", text(&permit["id"])), body).await
}

/// The events of this MiniApp whose type begins so, as type and data.
async fn told(scene: &Scene, kind: &str) -> Vec<(String, Value)> {
    let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
    let events = events["items"].as_array().unwrap().clone();
    let ours = events.into_iter().filter(|event| text(&event["type"]).starts_with(kind));
    ours.map(|event| (text(&event["type"]), event["data"].clone())).collect()
}

on_both! {
    async fn d1_domains_are_set_as_a_whole_and_the_event_tells_what_changed(host) {
        let scene = online(host).await;
        let never = scene.admin.get(DOMAINS).await.good();
        assert_eq!((&never["domains"]["request"], &never["changed_at"]), (&json!([]), &Value::Null));
        let first = json!({"request": ["https://B.example.com:443", "https://a.example.com"], "socket": ["wss://咖啡.中国"]});
        let set = scene.admin.put(DOMAINS, first).await.good();
        assert_eq!(set["domains"]["request"], json!(["https://a.example.com", "https://b.example.com"]));
        assert_eq!(set["domains"]["socket"], json!(["wss://xn--bur6r.xn--fiqs8s"]));
        let second = json!({"request": ["https://a.example.com"], "udp": ["udp://game.example.com:9000"]});
        scene.admin.put(DOMAINS, second.clone()).await.good();
        scene.admin.put(DOMAINS, second).await.good(); // changes nothing, so that nothing is told
        let events = told(&scene, "domains.").await;
        assert_eq!(events.len(), 2);
        let changes = json!([
            {"kind": "request", "added": [], "removed": ["https://b.example.com"]},
            {"kind": "socket", "added": [], "removed": ["wss://xn--bur6r.xn--fiqs8s"]},
            {"kind": "udp", "added": ["udp://game.example.com:9000"], "removed": []},
        ]);
        assert_eq!(events[1].1["changes"], changes);
        assert_eq!(events[1].1["domains"]["request"], json!(["https://a.example.com"]));
    }

    async fn d1_every_fault_is_told_with_its_place_and_nothing_is_set(host) {
        let scene = Scene::set(host).await;
        let bad = json!({"request": ["https://a.example.com", "https://10.0.0.1"], "business": ["https://co.uk"]});
        let refused = scene.admin.put(DOMAINS, bad).await.refused("invalid-field");
        assert_eq!(refused["pointer"], "/request/1");
        assert_eq!(refused["errors"][1]["pointer"], "/business/0");
        scene.admin.put(DOMAINS, json!({"requests": []})).await.refused("invalid-field");
        let many: Vec<_> = (0..201).map(|number| format!("https://a{number}.example.com")).collect();
        assert_eq!(scene.admin.put(DOMAINS, json!({"upload": many})).await.refused("invalid-field")["pointer"], "/upload");
        assert_eq!(scene.admin.get(DOMAINS).await.good()["changed_at"], Value::Null);
        assert!(told(&scene, "domains.").await.is_empty());
    }

    async fn d1_of_two_who_change_what_they_have_read_the_second_is_refused(host) {
        let scene = Scene::set(host).await;
        let read = scene.admin.get(DOMAINS).await;
        let tag = read.header("etag").to_owned();
        put_if(&scene, DOMAINS, &tag, json!({"request": ["https://a.example.com"]})).await.good();
        let late = put_if(&scene, DOMAINS, &tag, json!({"request": ["https://b.example.com"]})).await;
        late.refused("precondition-failed");
        assert_eq!(late.status, 412);
        put_if(&scene, DOMAINS, "no tag", json!({})).await.refused("precondition-failed");
        assert_eq!(scene.admin.get(DOMAINS).await.good()["domains"]["request"], json!(["https://a.example.com"]));
        let anew = scene.admin.get(DOMAINS).await;
        put_if(&scene, DOMAINS, anew.header("etag"), json!({})).await.good();
        put_if(&scene, DOMAINS, "*", json!({"tcp": ["tcp://a.example.com"]})).await.good();
    }

    async fn d1_d7_devices_of_every_host_are_told_the_domains_with_a_digest(host) {
        let scene = online(host).await;
        let before = runtime(&scene).await["domains"].clone();
        assert_eq!((&before["skip"], &before["request"]), (&json!(false), &Value::Null), "nobody, as none is set");
        let beside = scene.host.beside().await;
        scene.admin.put(DOMAINS, json!({"request": ["https://a.example.com"], "business": ["https://b.example.com"]})).await.good();
        let told = runtime(&scene).await["domains"].clone();
        let rest = r#"{"business":["https://b.example.com"],"request":["https://a.example.com"],"skip":false}"#;
        let digest = berth_base::ids::Digest::of(rest.as_bytes());
        let mut whole: Value = serde_json::from_str(rest).unwrap();
        whole["digest"] = json!(digest);
        assert_eq!(told, whole);
        beside.settled().await;
        assert_eq!(scene.check_on(&beside, "g", None).await["runtime"]["domains"], told);
        let explained = scene.explain(json!({})).await;
        let step = explained["steps"].as_array().unwrap().iter().find(|step| step["rule"] == "domains").unwrap();
        assert_eq!(step["says"], "It may communicate with 2 domains.");
        let bundle = scene.admin.post("/v1/bundles", json!({"host_app": "super-app"})).await;
        assert_eq!(manifest(&bundle.bytes)["packages"][0]["runtime"]["domains"], told, "until the first check");
    }

    async fn d2_skipping_the_verification_is_applied_for_decided_and_revoked(host) {
        let scene = online(host).await;
        let other = another(&scene).await;
        let (auditor, manager) = (role(&scene, "super-app", "auditor").await, role(&scene, "super-app", "admin").await);
        let stranger = role(&scene, "other-app", "admin").await;
        let permit = skip(&scene, json!({})).await.good();
        assert_eq!((&permit["state"], &permit["until"]), (&json!("waiting"), &Value::Null));
        assert_eq!(runtime(&scene).await["domains"]["skip"], false, "an application allows nothing");
        let waiting = manager.get("/v1/host-apps/super-app/permits?state=waiting").await.good();
        assert_eq!(waiting["items"][0]["reason"], "a domain for each shop");
        manager.get(DOMAINS).await.good(); // who decides sees what would be verified
        step(&auditor, &permit, "approve", json!({})).await.refused("missing-grant");
        step(&stranger, &permit, "approve", json!({})).await.refused("not-found");
        step(&manager, &permit, "revoke", json!({"note": "no"})).await.refused("permit-state");
        step(&manager, &permit, "approve", json!({"note": "for the fair"})).await.good();
        let told = runtime(&scene).await["domains"].clone();
        assert_eq!((&told["skip"], &told["skip_until"]), (&json!(true), &Value::Null));
        assert_eq!(runtime_in(&scene, "other-app", &other).await["domains"]["skip"], false, "in this host app only");
        step(&manager, &permit, "revoke", json!({})).await.refused("note-required");
        let revoked = step(&manager, &permit, "revoke", json!({"note": "the fair is over"})).await.good();
        assert_eq!((&revoked["state"], &revoked["note"]), (&json!("revoked"), &json!("the fair is over")));
        assert_eq!(runtime(&scene).await["domains"]["skip"], false);
        let steps = scene.admin.get(&format!("/v1/permits/{}", text(&permit["id"]))).await.good()["moves"].clone();
        let steps: Vec<_> = steps.as_array().unwrap().iter().map(|one| text(&one["step"])).collect();
        assert_eq!(steps, ["apply", "approve", "revoke"]);
        let kinds: Vec<_> = told_kinds(&scene).await;
        assert_eq!(kinds, ["permit.applied", "permit.approved", "permit.revoked"]);
    }

    async fn d2_d6_a_permit_ends_by_the_clock(host) {
        let scene = online(host).await;
        let soon = scene.host.app.db.now().plus_seconds(4);
        let permit = skip(&scene, json!({"until": soon.plus_seconds(600)})).await.good();
        step(&scene.admin, &permit, "approve", json!({"until": scene.host.app.db.now()})).await.refused("invalid-field");
        step(&scene.admin, &permit, "approve", json!({"until": soon})).await.good();
        let told = runtime(&scene).await["domains"].clone();
        assert_eq!((&told["skip"], &told["skip_until"]), (&json!(true), &json!(soon)));
        tokio::time::sleep(Duration::from_millis(4100)).await;
        let body = json!({"host_app": "super-app", "guid": "g", "apps": [{"mini_app": "coffee"}]});
        let now = scene.host.device(&scene.key).post("/v1/check", body).await.good()["results"][0]["runtime"]["domains"].clone();
        assert_eq!(now["skip"], false, "whatever is stored by then");
        let path = format!("/v1/permits/{}", text(&permit["id"]));
        let mut ended = scene.admin.get(&path).await.good();
        for _ in 0..600 {
            if ended["state"] == "expired" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            ended = scene.admin.get(&path).await.good();
        }
        assert_eq!((&ended["state"], &ended["changed_by"]), (&json!("expired"), &json!("berth")));
        assert_eq!(told_kinds(&scene).await, ["permit.applied", "permit.approved", "permit.expired"]);
        step(&scene.admin, &permit, "approve", json!({"until": soon.plus_seconds(60)})).await.refused("permit-state");
    }

    async fn d6_there_is_one_live_permit_for_a_purpose_and_refused_ones_are_applied_for_again(host) {
        let scene = Scene::set(host).await;
        another(&scene).await;
        let first = skip(&scene, json!({})).await.good();
        let twice = skip(&scene, json!({})).await.refused("permit-exists");
        assert_eq!(twice["permit"], first["id"]);
        skip(&scene, json!({"host_app": "other-app"})).await.good();
        step(&scene.admin, &first, "refuse", json!({"note": ""})).await.refused("note-required");
        step(&scene.admin, &first, "refuse", json!({"note": "which shops?"})).await.good();
        let second = skip(&scene, json!({})).await.good();
        step(&scene.admin, &second, "withdraw", json!({})).await.good();
        skip(&scene, json!({})).await.good();
        let listed = scene.admin.get(&format!("{PERMITS}?host_app=super-app")).await.good();
        let states: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| text(&one["state"])).collect();
        assert_eq!(states, ["waiting", "withdrawn", "refused"], "newest first");
        skip(&scene, json!({"reason": " "})).await.refused("invalid-field");
        skip(&scene, json!({"host_app": "nobody"})).await.refused("not-bound");
        scene.admin.post("/v1/host-apps", json!({"name": "Third", "id": "third-app"})).await.good();
        skip(&scene, json!({"host_app": "third-app"})).await.refused("not-bound");
    }

    async fn d6_permits_end_with_the_binding_and_do_not_come_back_with_it(host) {
        let scene = online(host).await;
        scene.admin.put(MARKED, json!({"apis": [{"api": "getLocation"}]})).await.good();
        let approved = skip(&scene, json!({})).await.good();
        step(&scene.admin, &approved, "approve", json!({})).await.good();
        call(&scene, "getLocation").await.good();
        scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        scene.admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
        assert_eq!(runtime(&scene).await["domains"]["skip"], false);
        let kinds = told_kinds(&scene).await;
        assert_eq!(kinds[3..], ["permit.revoked", "permit.refused"], "{kinds:?}");
        skip(&scene, json!({})).await.good();
    }

    async fn d3_a_host_app_marks_apis_and_grants_them(host) {
        let scene = online(host).await;
        let auditor = role(&scene, "super-app", "auditor").await;
        assert_eq!(runtime(&scene).await["sensitive_apis"], Value::Null);
        let presets = scene.admin.get("/v1/sensitive-api-presets").await.good();
        assert_eq!(presets["items"][0]["preset"], "wechat");
        let marked = json!({"apis": [{"api": "scanCode"}, {"api": "getLocation"}, {"api": "openDoor", "name": {"en": "Open the door", "zh": "开门"}}]});
        auditor.put(MARKED, marked.clone()).await.refused("missing-grant");
        let known = scene.admin.put(MARKED, marked).await.good();
        assert_eq!(known["apis"][0]["name"], json!({"en": "Read the precise location", "zh": "获取精确地理位置"}));
        scene.admin.put(MARKED, json!({"apis": [{"api": "openWindow"}]})).await.refused("invalid-field");
        call(&scene, "getPhoneNumber").await.refused("invalid-field");
        let permit = call(&scene, "getLocation").await.good();
        step(&auditor, &permit, "approve", json!({})).await.good();
        let told = runtime(&scene).await;
        assert_eq!(told["sensitive_apis"], json!(["getLocation", "openDoor", "scanCode"]));
        assert_eq!(told["granted_apis"], json!(["getLocation"]));
        let stands = scene.admin.get("/v1/mini-apps/coffee/sensitive-apis").await.good()["items"][0].clone();
        assert_eq!((&stands["host_app"], &stands["apis"][0]["state"]), (&json!("super-app"), &json!("approved")));
        assert_eq!(stands["apis"][1]["state"], Value::Null);
        let second = call(&scene, "openDoor").await.good();
        step(&auditor, &second, "refuse", json!({"note": "no doors here"})).await.good();
        step(&auditor, &permit, "revoke", json!({"note": "abused"})).await.good();
        assert_eq!(runtime(&scene).await["granted_apis"], Value::Null);
        scene.admin.put(MARKED, json!({"apis": []})).await.good();
        assert_eq!(runtime(&scene).await["sensitive_apis"], Value::Null);
        let events = scene.admin.get("/v1/events?host_app=super-app&limit=1000").await.good();
        let changed: Vec<_> = events["items"].as_array().unwrap().iter().filter(|event| event["type"] == "sensitive_apis.changed").collect();
        assert_eq!(changed[1]["data"]["removed"], json!(["getLocation", "openDoor", "scanCode"]));
    }

    async fn d8_auditors_compare_code_with_what_is_set_and_granted(host) {
        let scene = Scene::set(host).await;
        declare_photos(&scene).await;
        scene.admin.put(DOMAINS, json!({"request": ["https://api.example.com"]})).await.good();
        scene.admin.put(MARKED, json!({"apis": [{"api": "scanCode"}, {"api": "chooseImage"}]})).await.good();
        let permit = call(&scene, "chooseImage").await.good();
        step(&scene.admin, &permit, "approve", json!({})).await.good();
        let script = "wx.request({ url: 'https://api.example.com/menu' });\n  wx.request({ url: 'https://evil.example.com/' });\nwx.chooseImage();\nwx.scanCode();\n";
        let audit = scene.submit_script("1.0.0", script).await;
        assert_eq!(audit["state"], "deciding", "warnings reject nothing: {audit}");
        let domains = evaluation(&audit, "server-domains");
        assert_eq!(domains["config"]["set"]["domains"]["request"], json!(["https://api.example.com"]), "what it was compared with is kept");
        let finding = &domains["findings"][0];
        assert_eq!((&finding["rule"], domains["findings"].as_array().unwrap().len()), (&json!("domain-not-set"), 1));
        assert_eq!(finding["place"], json!({"path": "pages/index/extra.js", "line": 2, "column": 3}));
        let apis = evaluation(&audit, "sensitive-apis");
        let finding = &apis["findings"][0];
        assert_eq!(apis["findings"].as_array().unwrap().len(), 1);
        assert_eq!((&finding["rule"], &finding["place"]["line"]), (&json!("api-not-granted"), &json!(4)));
        scene.admin.put(DOMAINS, json!({"request": ["https://api.example.com", "https://evil.example.com"]})).await.good();
        let permit = call(&scene, "scanCode").await.good();
        step(&scene.admin, &permit, "approve", json!({})).await.good();
        let after = scene.submit_script("1.0.1", script).await;
        assert_eq!(evaluation(&after, "server-domains")["findings"], json!([]));
        assert_eq!(evaluation(&after, "sensitive-apis")["findings"], json!([]));
    }

    async fn d8_a_platform_that_says_error_rejects_what_is_not_set(host) {
        let scene = Scene::set(host).await;
        let bindings = scene.admin.get("/v1/policy-bindings?scope_kind=platform").await.good();
        let ours = bindings["items"].as_array().unwrap().iter().find(|one| one["policy"] == "server-domains").unwrap();
        let path = format!("/v1/policy-bindings/{}", text(&ours["id"]));
        scene.admin.put(&path, json!({"config": {"severity": "error"}})).await.good();
        let audit = scene.submit_script("1.0.0", "wx.request({ url: 'https://evil.example.com/' })").await;
        assert_eq!(audit["state"], "rejected");
    }
}

/// Publishes a privacy agreement for what the scripts of these tests use, so that the auditor `privacy` has no objection.
async fn declare_photos(scene: &Scene) {
    let agreement = json!({
        "developer": {"en": "Coffee Company"},
        "contact": {"email": "privacy@example.com"},
        "collected": [{"kind": "photos", "purpose": {"en": "for reviews"}}],
    });
    scene.admin.put("/v1/mini-apps/coffee/privacy/draft", agreement).await.good();
    scene.admin.post("/v1/mini-apps/coffee/privacy/versions", json!({})).await.good();
}

/// The `berth-bundle.json` of a bundle.
fn manifest(zip: &[u8]) -> Value {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut text = String::new();
    archive.by_name("berth-bundle.json").unwrap().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn told_kinds(scene: &Scene) -> Vec<String> {
    told(scene, "permit.").await.into_iter().map(|(kind, _)| kind).collect()
}

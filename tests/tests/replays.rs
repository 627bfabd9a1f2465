//! What is known of an auditor before it decides, over HTTP: what it said in shadow, and what a replay says that it would
//! change.

use std::time::{Duration, Instant};

use berth_tests::{
    Answer, Api,
    browser::Browser,
    guests::{self, Manner},
    on_both, packed,
    scene::{Scene, text},
};
use serde_json::{Value, json};

const EVAL: &str = "const a = 1;\n  eval('wx.' + location.hash)";

async fn install(scene: &Scene, wasm: Vec<u8>) -> Value {
    let request = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
    Answer::of(request.body(wasm), "install".into()).await.good()
}

/// The id of the binding of a built-in auditor at the platform.
async fn of_platform(scene: &Scene, policy: &str) -> String {
    let bound = scene.admin.get(&format!("/v1/policy-bindings?scope_kind=platform&policy={policy}")).await.good();
    text(&bound["items"][0]["id"])
}

async fn set_mode(scene: &Scene, binding: &str, mode: &str) {
    scene.admin.put(&format!("/v1/policy-bindings/{binding}"), json!({"mode": mode})).await.good();
}

async fn summary(scene: &Scene, binding: &str) -> Value {
    scene.admin.get(&format!("/v1/policy-bindings/{binding}/summary")).await.good()
}

fn numbers(summary: &Value) -> [u64; 4] {
    ["versions", "rejected", "alone", "no_verdict"].map(|name| summary[name].as_u64().unwrap())
}

fn at(kind: &str, id: &str) -> Value {
    if id.is_empty() { json!({"kind": kind}) } else { json!({"kind": kind, "id": id}) }
}

async fn ask(api: &Api, body: Value) -> Answer {
    api.post("/v1/policy-replays", body).await
}

/// What changes, as MiniApp, version and change of each.
fn changes(answer: &Value) -> Vec<String> {
    let one = |one: &Value| format!("{} {} {}", text(&one["mini_app"]), text(&one["version"]), text(&one["change"]));
    answer["items"].as_array().unwrap().iter().map(one).collect()
}

/// Another MiniApp of the team, bound to the host app, whose 1.0.0 was submitted.
async fn tea(scene: &Scene) -> String {
    scene.admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea-shop", "team": scene.team})).await.good();
    scene.admin.put("/v1/host-apps/super-app/bindings/tea-shop", json!(null)).await.good();
    let name = "tea-shop_1.0.0.apkg";
    scene.admin.push(name, packed("coffee/1.0.0", name)).await.good();
    text(&scene.admin.send("POST", "/v1/mini-apps/tea-shop/versions/1.0.0/submit", None).await.good()["id"])
}

on_both! {
    async fn g19_a_summary_says_what_a_shadow_would_have_rejected_and_what_it_alone_would(host) {
        let scene = Scene::set(host).await;
        let binding = of_platform(&scene, "dynamic-code").await;
        set_mode(&scene, &binding, "shadow").await;
        assert_eq!(numbers(&summary(&scene, &binding).await), [0, 0, 0, 0]);
        assert_eq!(scene.submit_script("1.0.0", EVAL).await["state"], "deciding");
        scene.approved("1.1.0").await;
        // A third one is rejected by a policy that decides.
        let strict = json!({"policy": "size-limits", "scope": at("mini_app", "coffee"), "config": {"main_bytes": 1}});
        let strict = text(&scene.admin.post("/v1/policy-bindings", strict).await.good()["id"]);
        assert_eq!(scene.submit_script("1.2.0", EVAL).await["state"], "rejected");
        let told = summary(&scene, &binding).await;
        assert_eq!((numbers(&told), &told["mode"]), ([3, 2, 1, 0], &json!("shadow")), "{told}");
        let rule = told["rules"].as_array().unwrap().iter().find(|one| one["rule"] == "eval-call").unwrap();
        assert_eq!((&rule["severity"], &rule["versions"], &rule["findings"]), (&json!("error"), &json!(2), &json!(2)));
        let examples: Vec<_> = told["examples"].as_array().unwrap().iter().map(|one| (text(&one["version"]), one["alone"].clone())).collect();
        assert_eq!(examples, [("1.0.0".to_owned(), json!(true)), ("1.2.0".to_owned(), json!(false))]);
        let place = json!({"path": "pages/index/extra.js", "line": 2, "column": 3});
        assert_eq!(told["examples"][0]["finding"]["place"], place);
        // What decides has a summary, too, and what rejected the version besides is no reason to say that it did nothing.
        let own = summary(&scene, &strict).await;
        assert_eq!((numbers(&own), &own["mode"]), ([1, 1, 1, 0], &json!("enforce")), "{own}");
        // A version that is submitted again counts once, as its newest audit has it.
        scene.admin.delete(&format!("/v1/policy-bindings/{strict}")).await.good();
        assert_eq!(scene.submit("1.2.0").await["state"], "deciding");
        assert_eq!(numbers(&summary(&scene, &binding).await), [3, 2, 2, 0]);
        let last = scene.admin.get(&format!("/v1/policy-bindings/{binding}/summary?limit=1")).await.good();
        assert_eq!((numbers(&last), &last["examples"][0]["version"]), ([1, 1, 1, 0], &json!("1.2.0")));
        // Changed, it begins anew.
        set_mode(&scene, &binding, "enforce").await;
        assert_eq!(numbers(&summary(&scene, &binding).await), [0, 0, 0, 0]);
        assert_eq!(scene.submit_script("1.3.0", EVAL).await["state"], "rejected");
        assert_eq!(numbers(&summary(&scene, &binding).await), [1, 1, 1, 0]);
    }

    async fn g19_the_same_policy_at_two_places_has_two_summaries_and_failures_are_counted(host) {
        let scene = Scene::set(host).await;
        let broken = install(&scene, guests::auditor("by-hand", Manner::Traps)).await;
        let fine = install(&scene, guests::auditor("by-hand", Manner::Agrees)).await;
        let bind = async |policy: &Value, place: Value| {
            let new = json!({"policy": policy["digest"], "scope": place, "mode": "shadow"});
            text(&scene.admin.post("/v1/policy-bindings", new).await.good()["id"])
        };
        let (wide, own) = (bind(&fine, at("platform", "")).await, bind(&broken, at("mini_app", "coffee")).await);
        scene.approved("1.0.0").await;
        assert_eq!(numbers(&summary(&scene, &wide).await), [1, 0, 0, 0]);
        let told = summary(&scene, &own).await;
        assert_eq!(numbers(&told), [1, 1, 1, 1], "without a verdict a binding that fails closed rejects");
        assert!(text(&told["examples"][0]["detail"]).contains("broke") && told["rules"] == json!([]), "{told}");
        // What grayscale policies say of devices is kept nowhere.
        scene.online("1.1.0").await;
        scene.approved("1.2.0").await;
        let task = scene.gray("1.2.0", json!({"policies": [{"policy": "percentage", "config": {"percent": 50}}]})).await.good();
        let bound = scene.admin.get(&format!("/v1/policy-bindings?scope_kind=gray_task&scope_id={}", text(&task["id"]))).await.good();
        let path = format!("/v1/policy-bindings/{}/summary", text(&bound["items"][0]["id"]));
        let refusal = scene.admin.get(&path).await.refused("policy-kind");
        assert!(text(&refusal["detail"]).contains("/metrics"), "{refusal}");
        scene.admin.get(&format!("/v1/policy-bindings/{own}/summary?limit=0")).await.refused("invalid-field");
    }

    async fn g19_the_page_of_a_binding_shows_what_it_has_said(host) {
        let scene = Scene::set(host).await;
        let binding = of_platform(&scene, "dynamic-code").await;
        set_mode(&scene, &binding, "shadow").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let address = format!("/ui/policy-bindings/{binding}");
        assert!(browser.get(&address).await.says("No version was audited under this binding"));
        scene.submit_script("1.0.0", EVAL).await;
        scene.approved("1.1.0").await;
        let page = browser.get(&address).await;
        assert!(page.says("Would have rejected") && page.says("1 of 2 versions"), "{}", page.html);
        assert!(page.says("eval-call") && page.says("pages/index/extra.js:2:3") && page.faults().is_empty(), "{:?}", page.faults());
        browser.keep("berth_language", "zh-CN");
        let page = browser.get(&address).await;
        assert!(page.says("本会拒绝") && page.says("1 个版本（共检查 2 个）"), "{}", page.html);
    }

    async fn g20_a_replay_says_what_would_change_with_the_line_and_stores_nothing(host) {
        let scene = Scene::set(host).await;
        let binding = of_platform(&scene, "dynamic-code").await;
        set_mode(&scene, &binding, "shadow").await;
        scene.online("1.0.0").await;
        scene.judged(&tea(&scene).await).await;
        scene.submit_script("1.1.0", EVAL).await;
        scene.push("1.0.0", "1.2.0").await.good(); // in development: nobody has submitted it
        let events = scene.admin.get("/v1/events?limit=1000").await.good()["items"].as_array().unwrap().len();
        let acts = scene.admin.get("/v1/acts?limit=200").await.good()["items"].as_array().unwrap().len();

        let code = json!({"policy": "dynamic-code"});
        let all = json!({"new": code, "scope": at("platform", "")});
        let told = ask(&scene.admin, all.clone()).await.good();
        assert_eq!(changes(&told), ["coffee 1.1.0 newly_rejected", "tea-shop 1.0.0 same"], "{told}");
        let found = told["items"][0]["found"].as_array().unwrap().iter().find(|one| one["rule"] == "eval-call").unwrap();
        assert_eq!(found["place"], json!({"path": "pages/index/extra.js", "line": 2, "column": 3}));
        assert_eq!(told["items"][0]["state"], "auditing");
        assert!(told.get("next").is_none());
        // The same question has the same answer, and page by page, too.
        assert_eq!(ask(&scene.admin, all.clone()).await.good(), told);
        let (mut pages, mut question) = (Vec::new(), all);
        question["limit"] = json!(1);
        loop {
            let page = ask(&scene.admin, question.clone()).await.good();
            pages.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page.get("next") else { break };
            question["cursor"] = next.clone();
        }
        assert_eq!(json!(pages), told["items"]);
        // Against itself nothing changes; another config does, in both directions.
        let of_coffee = |new: Value, against: Value| json!({"new": new, "against": against, "scope": at("mini_app", "coffee")});
        assert_eq!(changes(&ask(&scene.admin, of_coffee(code.clone(), code.clone())).await.good()), ["coffee 1.1.0 same"]);
        let (wide, strict) = (json!({"policy": "size-limits"}), json!({"policy": "size-limits", "config": {"main_bytes": 1}}));
        let stricter = ask(&scene.admin, of_coffee(strict.clone(), wide.clone())).await.good();
        assert_eq!(changes(&stricter), ["coffee 1.1.0 newly_rejected"]);
        let milder = ask(&scene.admin, of_coffee(wide, strict)).await.good();
        assert_eq!(changes(&milder), ["coffee 1.1.0 no_longer_rejected"]);
        assert_eq!((&milder["items"][0]["less"], &milder["items"][0]["gone"]), (&stricter["items"][0]["more"], &stricter["items"][0]["found"]));
        // A revision that breaks is told, and is no rejection.
        let broken = install(&scene, guests::auditor("by-hand", Manner::Traps)).await;
        let mended = install(&scene, guests::auditor("by-hand", Manner::Agrees)).await;
        let [new, old] = [&mended, &broken].map(|policy| json!({"policy": policy["digest"]}));
        let failed = ask(&scene.admin, of_coffee(old.clone(), new.clone())).await.good();
        assert_eq!(changes(&failed), ["coffee 1.1.0 failed"]);
        assert!(text(&failed["items"][0]["detail"]).contains("The new revision gave no verdict. The policy broke"), "{failed}");
        let failed = ask(&scene.admin, of_coffee(new, old)).await.good();
        assert!(text(&failed["items"][0]["detail"]).contains("The other revision"), "{failed}");
        // All that was submitted.
        let whole = json!({"new": code, "scope": at("mini_app", "coffee"), "versions": "submitted"});
        assert_eq!(changes(&ask(&scene.admin, whole).await.good()), ["coffee 1.1.0 newly_rejected", "coffee 1.0.0 same"]);

        let still = scene.admin.get("/v1/events?limit=1000").await.good()["items"].as_array().unwrap().len();
        assert_eq!(still, events + 2, "besides the two policies that were installed nothing is told");
        let still = scene.admin.get("/v1/acts?limit=200").await.good()["items"].as_array().unwrap().len();
        assert_eq!(still, acts + 2);
        assert_eq!(numbers(&summary(&scene, &binding).await), [3, 1, 1, 0], "replays are no audits");
    }

    async fn g20_a_replay_goes_over_the_versions_that_its_place_may_know(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.judged(&tea(&scene).await).await;
        scene.admin.post("/v1/host-apps", json!({"name": "Late", "id": "late-app"})).await.good();
        for mini_app in ["coffee", "tea-shop"] {
            scene.admin.put(&format!("/v1/host-apps/late-app/bindings/{mini_app}"), json!(null)).await.good();
        }
        let admin_of = async |name: &str| {
            let (account, api) = scene.host.somebody(name).await;
            scene.admin.put(&format!("/v1/host-apps/{name}/members/{account}"), json!({"role": "admin"})).await.good();
            api
        };
        let (early, late) = (admin_of("super-app").await, admin_of("late-app").await);
        let of = |id: &str| json!({"new": {"policy": "secrets"}, "scope": at("host_app", id)});
        assert_eq!(changes(&ask(&early, of("super-app")).await.good()), ["tea-shop 1.0.0 same", "coffee 1.0.0 same"]);
        // Nobody has asked the late one about tea-shop's version, and it is not online.
        assert_eq!(changes(&ask(&late, of("late-app")).await.good()), ["coffee 1.0.0 same"]);
        ask(&late, of("super-app")).await.refused("not-found");
        ask(&late, json!({"new": {"policy": "secrets"}, "scope": at("platform", "")})).await.refused("missing-grant");
        let secrets = json!({"policy": "secrets"});
        for (wrong, code) in [
            (json!({"new": secrets, "scope": at("gray_task", "gray_1")}), "invalid-field"),
            (json!({"new": {"policy": "error-rate"}, "scope": at("platform", "")}), "policy-kind"),
            (json!({"new": {"policy": "nobody"}, "scope": at("platform", "")}), "not-found"),
            (json!({"new": {"policy": "secrets", "config": {"x": 1}}, "scope": at("platform", "")}), "policy-config"),
            (json!({"new": secrets, "against": {"policy": "secrets", "config": {"x": 1}}, "scope": at("platform", "")}), "policy-config"),
            (json!({"new": {"policy": "secrets", "limits": {"deadline_ms": 0}}, "scope": at("platform", "")}), "invalid-field"),
            (json!({"new": secrets, "scope": at("platform", ""), "limit": 11}), "invalid-field"),
            (json!({"new": secrets, "scope": at("platform", ""), "cursor": "x"}), "invalid-cursor"),
        ] {
            ask(&scene.admin, wrong).await.refused(code);
        }
    }

    async fn g20_f77_a_host_has_one_replay_and_no_audit_waits_for_it(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let looping = install(&scene, guests::auditor("by-hand", Manner::Loops)).await;
        let question = |deadline: u64| {
            let new = json!({"policy": looping["digest"], "limits": {"deadline_ms": deadline}});
            json!({"new": new, "scope": at("mini_app", "coffee")})
        };
        let long = |deadline: u64| {
            let (admin, question) = (scene.admin.clone(), question(deadline));
            tokio::spawn(async move {
                loop {
                    let answer = ask(&admin, question.clone()).await;
                    if answer.status != 503 {
                        return answer.good();
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })
        };
        let quick = json!({"new": {"policy": "secrets"}, "scope": at("mini_app", "coffee")});
        let until_one_runs = async || {
            let began = Instant::now();
            loop {
                let answer = ask(&scene.admin, quick.clone()).await;
                if answer.status == 503 {
                    assert!(answer.headers.contains_key("retry-after"));
                    return answer.refused("replay-running");
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                assert!(began.elapsed() < Duration::from_secs(60), "the long replay does not begin");
            }
        };
        let asked = long(20_000);
        until_one_runs().await;
        scene.push("1.0.0", "1.1.0").await.good();
        assert_eq!(scene.submit("1.1.0").await["state"], "deciding");
        assert!(!asked.is_finished(), "the audit of the same team has waited for the replay");
        let told = asked.await.unwrap();
        assert_eq!(changes(&told), ["coffee 1.0.0 failed"], "it was the newest when the replay began");
        assert!(text(&told["items"][0]["detail"]).contains("deadline limit"), "{told}");
        ask(&scene.admin, quick.clone()).await.good();
        // Who does not wait for the answer frees no place before the policy has ended.
        let left = long(8_000);
        until_one_runs().await;
        left.abort();
        ask(&scene.admin, quick.clone()).await.refused("replay-running");
    }
}

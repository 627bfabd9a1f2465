//! Policies that trap, never end or answer without measure, over HTTP. The outcome is never "pass", and nobody else has
//! to wait for them.

use std::time::{Duration, Instant};

use berth_base::clock::{Clock as _, SystemClock};
use berth_judge::with_metadata;
use berth_model::policy::PolicyMetadata;
use berth_tests::{
    Answer, Api, Database,
    browser::Browser,
    guests::{self, Manner},
    on_both, packed,
    process::Installation,
    scene::{Scene, text},
};
use serde_json::{Value, json};

const BROKEN: [(Manner, &str); 3] =
    [(Manner::Traps, "trapped"), (Manner::Loops, "limited"), (Manner::Bombs, "limited")];

async fn install(scene: &Scene, wasm: Vec<u8>) -> Value {
    let request = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
    Answer::of(request.body(wasm), "install".into()).await.good()
}

/// Binds an auditor that judges in this manner to `coffee`. `more` adds or replaces members of the request.
async fn bind(scene: &Scene, manner: Manner, more: Value) -> Value {
    let policy = install(scene, guests::auditor("by-hand", manner)).await;
    let mut bound = json!({"policy": policy["digest"], "scope": {"kind": "mini_app", "id": "coffee"}, "limits": {"deadline_ms": 200}});
    bound.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scene.admin.post("/v1/policy-bindings", bound).await.good()
}

fn evaluation(audit: &Value) -> Value {
    audit["evaluations"].as_array().unwrap().iter().find(|one| one["policy"] == "by-hand").unwrap().clone()
}

on_both! {
    async fn f33_f37_f38_an_auditor_without_a_verdict_fails_closed_and_says_how(host) {
        let scene = Scene::set(host).await;
        for (index, (manner, outcome)) in BROKEN.into_iter().enumerate() {
            let binding = bind(&scene, manner, json!({})).await;
            let number = format!("1.{index}.0");
            scene.push("1.0.0", &number).await.good();
            let audit = scene.submit(&number).await;
            assert_eq!((&audit["state"], &evaluation(&audit)["outcome"]), (&json!("rejected"), &json!(outcome)), "{manner:?}");
            assert!(text(&audit["reason"]).contains("by-hand gave no verdict and fails closed"), "{audit}");
            scene.publish(&number).await.refused("version-state");
            scene.admin.delete(&format!("/v1/policy-bindings/{}", text(&binding["id"]))).await.good();
        }
    }

    async fn f33_f37_f38_in_shadow_or_open_it_is_recorded_and_people_decide(host) {
        let scene = Scene::set(host).await;
        let kinds = [json!({"mode": "shadow"}), json!({"on_error": "open"})];
        for (index, more) in kinds.into_iter().enumerate() {
            let binding = bind(&scene, Manner::Traps, more).await;
            let number = format!("2.{index}.0");
            scene.push("1.0.0", &number).await.good();
            let audit = scene.submit(&number).await;
            assert_eq!((&audit["state"], &evaluation(&audit)["outcome"]), (&json!("deciding"), &json!("trapped")));
            // Failing open is said: in the audit, in its event, and among the figures.
            let said = if index == 0 { Value::Null } else { json!(["by-hand"]) };
            assert_eq!(audit["failed_open"], said);
            let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
            let checked = events["items"].as_array().unwrap().iter().rfind(|one| one["type"] == "audit.checked").unwrap();
            assert_eq!((&checked["data"]["audit"], &checked["data"]["failed_open"]), (&audit["id"], &said));
            let page = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
            let figure = format!("berth_audit_evaluations_failed_open_total {index}");
            assert!(page.lines().any(|line| line == figure), "{page}");
            scene.admin.delete(&format!("/v1/policy-bindings/{}", text(&binding["id"]))).await.good();
        }
    }

    async fn f77_an_audit_of_one_team_ends_while_policies_of_another_loop(host) {
        let scene = Scene::set(host).await;
        let other = text(&scene.admin.post("/v1/teams", json!({"name": "Tea team"})).await.good()["id"]);
        scene.admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea-shop", "team": other})).await.good();
        scene.admin.put("/v1/host-apps/super-app/bindings/tea-shop", json!(null)).await.good();
        bind(&scene, Manner::Loops, json!({"limits": {"deadline_ms": 10_000}})).await;
        let submit = async |app: &str, number: &str| {
            let name = format!("{app}_{number}.apkg");
            scene.admin.push(&name, packed("coffee/1.0.0", &name)).await.good();
            let path = format!("/v1/mini-apps/{app}/versions/{number}/submit");
            text(&scene.admin.send("POST", &path, None).await.good()["id"])
        };
        let mut looping = Vec::new();
        for number in ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"] {
            looping.push(submit("coffee", number).await);
        }
        let quick = submit("tea-shop", "1.0.0").await;
        assert_eq!(scene.judged(&quick).await["state"], "deciding");
        let checking = async || {
            let mut checking = 0;
            for id in &looping {
                let audit = scene.admin.get(&format!("/v1/audits/{id}")).await.good();
                checking += usize::from(audit["state"] == "checking");
            }
            checking
        };
        // On a busy machine the first ones may have used up their time by now. The other team waits for none that was there before.
        let mut before = checking().await;
        assert!(before > 1, "all were judged before the other team's");
        let page = loop {
            let page = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
            match std::mem::replace(&mut before, checking().await) {
                same if same == before => break page,
                _ => {} // one has ended meanwhile
            }
        };
        let shows = |line: &str| page.lines().any(|one| one == line);
        let waiting = before - 1;
        assert!(shows("berth_audits_judging 1") && shows(&format!("berth_audits_waiting {waiting}")), "{page}");
        assert!(page.contains("berth_audits_oldest_waiting_seconds "), "{page}");
        for number in ["1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"] {
            let path = format!("/v1/mini-apps/coffee/versions/{number}/withdraw");
            scene.admin.send("POST", &path, None).await;
        }
        assert_eq!(scene.judged(&looping[0]).await["state"], "rejected");
    }

    async fn g21_how_policies_run_is_counted_by_binding_and_version(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let first = install(&scene, guests::grayscale("by-hand", Manner::Traps)).await;
        let task = scene.gray("1.1.0", json!({"policies": [{"policy": first["digest"]}]})).await.good();
        let path = "/v1/policies/by-hand/figures";
        assert_eq!(scene.admin.get(path).await.good()["bindings"], json!([]));
        assert_eq!(scene.version_for("a").await, "1.0.0");
        let second = install(&scene, guests::grayscale("by-hand", Manner::Agrees)).await;
        let binding = text(&task["policies"][0]["binding"]);
        let moved = json!({"policy": second["digest"]});
        scene.admin.put(&format!("/v1/policy-bindings/{binding}"), moved).await.good();
        scene.host.settled().await;
        for guid in ["a", "b", "c"] {
            assert_eq!(scene.version_for(guid).await, "1.1.0");
        }
        let figures = scene.admin.get(path).await.good();
        assert_eq!((&figures["policy"], &figures["kind"]), (&json!("by-hand"), &json!("grayscale")));
        let [now, before] = &figures["bindings"].as_array().unwrap()[..] else { panic!("{figures}") };
        assert_eq!((&now["binding"], &now["digest"], &now["is_current"]), (&json!(binding), &second["digest"], &json!(true)));
        assert!(now["verdicts"] == now["evaluations"] && now["verdicts"].as_u64() >= Some(3), "{now}");
        assert!(now["elapsed"]["p99_micros"].as_u64() > Some(0) && now["peak_memory_bytes"].as_u64() > Some(0), "{now}");
        assert_eq!((&before["digest"], &before["is_current"], &before["verdicts"]), (&first["digest"], &json!(false), &json!(0)));
        assert!(before["trapped"].as_u64() > Some(0) && text(&before["last_trouble"]["says"]).contains("broke"), "{before}");
        let page = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
        let shows = |line: &str| page.lines().any(|one| one.starts_with(line));
        assert!(shows(r#"berth_policy_evaluations_total{policy="by-hand",version="1.1.0",outcome="verdict"} "#), "{page}");
        assert!(shows(r#"berth_policy_evaluation_duration_seconds_bucket{le="0.001",policy="by-hand",version="1.1.0"} "#), "{page}");
        let (_, stranger) = scene.host.somebody("nobody").await;
        let seen = stranger.get(path).await.good();
        assert_eq!(seen["bindings"], json!([]), "who may not know of the task sees nothing of it");
        scene.admin.get("/v1/policies/absent/figures").await.refused("not-found");
    }

    async fn f33_f37_f38_a_grayscale_policy_that_breaks_admits_nobody(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        for (manner, word) in [(Manner::Traps, "broke"), (Manner::Loops, "deadline"), (Manner::Bombs, "output")] {
            let policy = install(&scene, guests::grayscale("by-hand", manner)).await;
            let task = scene.gray("1.1.0", json!({"policies": [{"policy": policy["digest"]}]})).await.good();
            assert_eq!(scene.version_for("d").await, "1.0.0", "{manner:?}");
            let told = scene.explain(json!({})).await;
            let step = told["steps"].as_array().unwrap().iter().find(|step| step["rule"] == "policy").unwrap();
            let says = text(&step["says"]);
            assert!(step["passed"] == false && says.contains("gave no judgement") && says.contains(word), "{says}");
            let progress = scene.admin.get(&format!("/v1/gray-tasks/{}/progress", text(&task["id"]))).await.good();
            assert_eq!(progress["offered"], 0);
            scene.move_task(&task, "end").await.good();
        }
        // Open on error it lets everybody pass, because somebody asked for that.
        let policy = install(&scene, guests::grayscale("by-hand", Manner::Traps)).await;
        let open = json!({"policies": [{"policy": policy["digest"], "on_error": "open"}]});
        scene.gray("1.1.0", open).await.good();
        assert_eq!(scene.version_for("d").await, "1.1.0");
    }

    async fn g12_a_running_task_is_moved_to_a_newer_version_of_its_policy_and_to_nothing_else(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let broken = install(&scene, guests::grayscale("by-hand", Manner::Traps)).await;
        let task = scene.gray("1.1.0", json!({"policies": [{"policy": "by-hand"}]})).await.good();
        assert_eq!(scene.version_for("d").await, "1.0.0");
        let bound = scene.admin.get(&format!("/v1/policy-bindings?scope_kind=gray_task&scope_id={}", text(&task["id"]))).await.good();
        let at = format!("/v1/policy-bindings/{}", text(&bound["items"][0]["id"]));
        assert_eq!(bound["items"][0]["digest"], broken["digest"]);
        let mended = install(&scene, guests::grayscale("by-hand", Manner::Agrees)).await;
        // Installed is not bound: what was given to the task goes on judging.
        assert_eq!(scene.version_for("d").await, "1.0.0");
        for more in [json!({"mode": "shadow"}), json!({"policy": "by-hand", "on_error": "open"}), json!({"config": {}})] {
            scene.admin.put(&at, more).await.refused("invalid-field");
        }
        scene.admin.delete(&at).await.refused("invalid-field");
        let moved = scene.admin.put(&at, json!({"policy": "by-hand"})).await.good();
        assert_eq!((&moved["digest"], &moved["policy_version"]), (&mended["digest"], &json!("1.1.0")));
        assert_eq!(scene.version_for("d").await, "1.1.0");
        scene.move_task(&task, "end").await.good();
        scene.admin.put(&at, json!({"policy": "by-hand@1.0.0"})).await.refused("gray-state");
        let unnamed = format!("/v1/policy-bindings?scope_id={}", text(&task["id"]));
        assert_eq!(scene.admin.get(&unnamed).await.refused("invalid-field")["field"], "scope_id", "the kind of its place is not named");
        let still = scene.admin.get("/v1/policy-bindings?policy=by-hand").await.good();
        assert_eq!(still["items"], json!([]), "an ended task is history");
    }

    async fn i7_f33_other_checks_are_answered_while_policies_loop(host) {
        let scene = Scene::set(host).await;
        scene.admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea-shop", "team": scene.team})).await.good();
        scene.admin.put("/v1/host-apps/super-app/bindings/tea-shop", json!(null)).await.good();
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let policy = install(&scene, guests::grayscale("by-hand", Manner::Loops)).await;
        scene.gray("1.1.0", json!({"policies": [{"policy": policy["digest"]}]})).await.good();
        scene.host.settled().await;
        let ask = |app: &'static str, guid: String| {
            let device = scene.host.device(&scene.key);
            let body = json!({"host_app": "super-app", "guid": guid, "apps": [{"mini_app": app}]});
            tokio::spawn(async move { device.post("/v1/check", body).await.good()["results"][0].clone() })
        };
        let began = Instant::now();
        let looping: Vec<_> = (0..60).map(|number| ask("coffee", format!("d{number}"))).collect();
        let others: Vec<_> = (0..60).map(|number| ask("tea-shop", format!("d{number}"))).collect();
        for other in others {
            assert_eq!(other.await.unwrap()["status"], "unknown"); // nothing of it is online: answered all the same
        }
        for one in looping {
            assert_eq!(one.await.unwrap()["version"], "1.0.0");
        }
        // Each loop ends at 5 ms of CPU, so all of them in a third of a second; a minute is for slow machines.
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        assert_eq!(scene.host.anonymous().get("/healthz").await.status, 200);
    }

    async fn g27_a_policy_tells_whose_it_is_on_which_terms_and_from_what_it_was_made(host) {
        let scene = Scene::set(host).await;
        let said = json!({
            "authors": "Ann <ann@coffee.example>", "description": "Says yes.", "licenses": "Apache-2.0 OR MIT",
            "source": "https://git.example/coffee/by-hand", "homepage": "http://coffee.example/", "revision": "de978e17",
        });
        let metadata: PolicyMetadata = serde_json::from_value(said.clone()).unwrap();
        let wasm = with_metadata(guests::grayscale("by-hand", Manner::Agrees), &metadata);
        assert_eq!(install(&scene, wasm).await["metadata"], said);
        assert_eq!(scene.admin.get("/v1/policies/by-hand").await.good()["metadata"], said);
        let events = scene.admin.get("/v1/events?limit=1000").await.good();
        let told = events["items"].as_array().unwrap().iter().find(|one| one["data"]["name"] == "by-hand").unwrap();
        assert_eq!((&told["type"], &told["data"]["metadata"]), (&json!("policy.installed"), &said));
        let without = install(&scene, guests::guard("silent", Manner::Agrees)).await;
        assert_eq!(without.get("metadata"), None, "{without}");

        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/policies/by-hand").await;
        for part in ["nobody has verified it", "Ann <ann@coffee.example>", "Says yes.", "Apache-2.0 OR MIT", "http://coffee.example/", "de978e17"] {
            assert!(page.says(part) && page.faults().is_empty(), "{part}: {:?} {}", page.faults(), page.html);
        }
        assert!(page.html.contains(r#"<a href="https://git.example/coffee/by-hand" rel="noreferrer nofollow">"#), "{}", page.html);
        assert!(!page.html.contains(r#"href="http:"#), "only what is over TLS is a link: {}", page.html);
        assert!(!browser.get("/ui/policies/silent").await.says("nobody has verified it"));
        assert!(browser.get("/ui/policies/percentage").await.says("Apache-2.0"), "those that come with Berth say it, too");
    }

    async fn g27_what_a_hostile_policy_says_of_itself_is_only_text(host) {
        let scene = Scene::set(host).await;
        let metadata = PolicyMetadata {
            authors: Some("<script>alert(1)</script>\u{202e}\u{1b}[2J\nBob".into()),
            licenses: Some("x".repeat(1_001)),
            source: Some("javascript:alert(1)".into()),
            homepage: Some("https://coffee.example@evil.example/".into()),
            ..PolicyMetadata::default()
        };
        let policy = install(&scene, with_metadata(guests::grayscale("by-hand", Manner::Agrees), &metadata)).await;
        assert_eq!(policy["metadata"], json!({
            "authors": "<script>alert(1)</script> [2J Bob", "source": "javascript:alert(1)",
            "homepage": "https://coffee.example@evil.example/",
        }));
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/policies/by-hand").await;
        assert!(page.says("<script>alert(1)</script> [2J Bob") && page.says("javascript:alert(1)"), "{}", page.html);
        assert!(!page.html.contains("<script>alert"), "{}", page.html);
        assert_eq!(page.faults(), ["has javascript:"], "as a text, and in no address");
        assert!(!page.html.contains(r#"href="javascript"#) && !page.html.contains(r#"href="https://coffee"#), "{}", page.html);
    }
}

/// A MiniApp with a version that is online and one in grayscale, for which `policy` decides. Returns the key of its host app, and the audit.
async fn in_grayscale(admin: &Api, policy: &str) -> (String, String) {
    let team = text(&admin.post("/v1/teams", json!({"name": "Coffee team"})).await.good()["id"]);
    admin.post("/v1/mini-apps", json!({"name": "Coffee", "id": "coffee", "team": team})).await.good();
    let host_app = admin.post("/v1/host-apps", json!({"name": "Super app", "id": "super-app"})).await.good();
    admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
    let mut audit = String::new();
    for number in ["1.0.0", "1.1.0"] {
        let name = format!("coffee_{number}.apkg");
        admin.push(&name, packed("coffee/1.0.0", &name)).await.good();
        let path = format!("/v1/mini-apps/coffee/versions/{number}/submit");
        audit = text(&admin.send("POST", &path, None).await.good()["id"]);
        while admin.get(&format!("/v1/audits/{audit}")).await.good()["state"] == "checking" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let decision = json!({"host_app": "super-app", "approve": true});
        admin.post(&format!("/v1/audits/{audit}/decisions"), decision).await.good();
    }
    admin.post("/v1/mini-apps/coffee/versions/1.0.0/publish", json!({})).await.good();
    let now = SystemClock.now();
    let task = json!({
        "name": "canary", "version": "1.1.0", "start": now, "end": now.plus_seconds(86_400),
        "policies": [{"policy": policy, "config": {"admit": "device.network == 'wifi'"}}],
    });
    admin.post("/v1/mini-apps/coffee/gray-tasks", task).await.good();
    (text(&host_app["public_key"]), audit)
}

/// The log tells of each question to a policy, if somebody wants to know: which policy and binding, how it ended. Never about whom.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g21_i8_each_question_to_a_policy_has_a_span_with_ids_and_without_secrets() {
    let mut installation = Installation::new(Database::Sqlite).await;
    let listening = "info,berth::policy=debug,berth_api::edge=debug";
    installation.environment.push(("BERTH_LOG".into(), listening.into()));
    let process = installation.start().await;
    let admin = installation.admin(&process);
    let (key, audit) = in_grayscale(&admin, "expression").await;
    let ask = json!({
        "host_app": "super-app", "guid": "canary-guid", "account": "canary-account", "network": "canary-net",
        "apps": [{"mini_app": "coffee"}],
    });
    while process.device(&key).post("/v1/check", ask.clone()).await.good()["results"][0]["version"] != "1.0.0" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let tasks = admin.get("/v1/mini-apps/coffee/gray-tasks").await.good();
    let (task, binding) = (text(&tasks["items"][0]["id"]), text(&tasks["items"][0]["policies"][0]["binding"]));
    let last = |policy: &str| {
        let said = installation.said();
        let mut lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.rfind(|line| line["target"] == "berth::policy" && line["span"]["policy"] == policy)
    };
    let told = |policy: &str| last(policy).unwrap_or_else(|| panic!("{policy} was not told: {}", installation.said()));
    let began = Instant::now();
    while last("expression").is_none() && began.elapsed() < Duration::from_secs(10) {
        process.device(&key).post("/v1/check", ask.clone()).await.good();
    }
    let asked = told("expression");
    let span = &asked["span"];
    let ids = (&span["binding"], &span["gray_task"], &span["outcome"], &span["said"]);
    assert_eq!(ids, (&json!(binding), &json!(task), &json!("verdict"), &json!("refuse")), "{asked}");
    assert!(span["micros"].as_u64() > Some(0) && span["memory_bytes"].as_u64() > Some(0), "{asked}");
    let request = asked["spans"].as_array().unwrap().iter().find(|one| one["name"] == "request").unwrap();
    assert!(request["request_id"].is_string() && request["route"] == "/v1/check", "{asked}");
    let judged = told("secrets");
    assert_eq!((&judged["span"]["outcome"], &judged["span"]["said"]), (&json!("verdict"), &json!("pass")), "{judged}");
    let of_audit = judged["spans"].as_array().unwrap().iter().find(|one| one["name"] == "audit.judge").unwrap();
    assert_eq!(of_audit["audit"], json!(audit), "{judged}");
    let said = installation.said();
    for secret in ["canary-guid", "canary-account", "canary-net", &key, installation.token.as_ref().unwrap()] {
        assert!(!said.contains(secret), "{secret} is in the log");
    }
}

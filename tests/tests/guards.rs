//! Guards of grayscale tasks, over HTTP: the one that comes with Berth, and some that break.

use std::time::Duration;

use berth_base::clock::ManualClock;
use berth_tests::{
    Answer, Host, clock,
    guests::{self, Manner},
    on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// A scene on a host whose clock the test moves, with 1.0.0 online and 1.1.0 approved.
async fn ready(host: Host) -> (Scene, ManualClock) {
    let (clock, nature) = clock();
    let scene = Scene::set(host.again_in(nature, |_| {}).await).await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    (scene, clock)
}

/// Devices ask, and run what they get: every fifth has 1.1.0, on which it says that it fails. Returns the progress of the task.
///
/// The progress is asked for in the end because it has what is counted written: guards look at what is written, and would
/// otherwise count a part of these devices in their next window.
async fn devices(scene: &Scene, task: &Value, count: usize, gray_fails: bool) -> Value {
    let device = scene.host.device(&scene.key);
    for number in 0..count {
        let (guid, gray) = (format!("device-{number}"), number % 5 == 0);
        let (network, version) = if gray { ("wifi", "1.1.0") } else { ("4g", "1.0.0") };
        for has in [Value::Null, json!(version)] {
            let apps = json!([{"mini_app": "coffee", "version": has}]);
            let asks = json!({"host_app": "super-app", "guid": guid, "network": network, "apps": apps});
            // A database that is slow to admit a device gives it the online version for now.
            let mut answer = device.post("/v1/check", asks.clone()).await.good();
            for _ in 0..20 {
                if answer["results"][0]["version"] == version {
                    break;
                }
                answer = device.post("/v1/check", asks.clone()).await.good();
            }
            assert_eq!(answer["results"][0]["version"], version);
        }
        if gray && gray_fails {
            let report = json!({"host_app": "super-app", "guid": guid, "mini_app": "coffee", "version": version, "kind": "failed"});
            device.post("/v1/reports", report).await.good();
        }
    }
    scene.progress(task).await
}

/// Waits until every guard of a task has looked so often, and returns the progress.
async fn looked(scene: &Scene, task: &Value, times: usize) -> Value {
    let path = format!("/v1/gray-tasks/{}/progress", text(&task["id"]));
    let mut progress = Value::Null;
    for _ in 0..600 {
        progress = scene.admin.get(&path).await.good();
        let done = |guard: &Value| guard["since"].is_string() && guard["looks"].as_array().unwrap().len() == times;
        if progress["guards"].as_array().unwrap().iter().all(done) {
            return progress;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the guards did not look {times} times in 30 s: {progress}");
}

async fn install(scene: &Scene, name: &str, manner: Manner) -> String {
    let request = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
    let policy = Answer::of(request.body(guests::guard(name, manner)), "install".into()).await.good();
    text(&policy["name"])
}

on_both! {
    async fn g13_a_release_that_fails_is_suspended_and_everybody_is_told_why(host) {
        let (scene, clock) = ready(host).await;
        let guard = json!({"policy": "error-rate", "config": {"min_devices": 20},
                           "watch": {"window_minutes": 10, "min_devices": 20}});
        let task = scene.gray("1.1.0", json!({"networks": ["wifi"], "policies": [guard]})).await.good();
        let binding = task["policies"][1].clone();
        assert_eq!((&binding["kind"], &binding["watch"]["window_minutes"]), (&json!("guard"), &json!(10)));
        assert_eq!(task["in_words"], json!(["Network: wifi", "Guard error-rate: watches the release, and may suspend or end it"]));
        scene.host.settled().await;
        let told = devices(&scene, &task, 150, true).await;
        assert_eq!((&told["failed"], &told["guards"][0]["looks"]), (&json!(30), &json!([])));
        clock.advance_seconds(600);
        let guards = looked(&scene, &task, 1).await["guards"].clone();
        let look = &guards[0]["looks"][0];
        assert_eq!((&look["said"], &look["moved"]), (&json!("suspend"), &json!(true)));
        let count = |side: &str| [&look["window"][side]["tried"], &look["total"][side]["tried"], &look["total"][side]["failed"]].map(|n| n.as_u64().unwrap());
        assert_eq!((count("gray"), count("online")), ([30, 30, 30], [120, 120, 0]));
        let stopped = scene.task(&task).await;
        let last = stopped["moves"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&stopped["state"], &last["cause"], &last["by"]), (&json!("suspended"), &json!("guard"), &binding["binding"]));
        let why = "error-rate suspends the task: 1.1.0 fails on 30 of 30 devices (100.0 %), the online version on 0 of 120 devices (0.0 %)";
        assert!(text(&last["note"]).starts_with(why), "{last}");
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let event = events["items"].as_array().unwrap().iter().find(|one| one["type"] == "gray_task.suspended").unwrap();
        assert_eq!((&event["data"]["cause"], &event["data"]["note"]), (&json!("guard"), &last["note"]));
        let step = scene.explain(json!({"guid": "new", "network": "wifi"})).await["steps"].clone();
        assert!(step.as_array().unwrap().iter().any(|one| text(&one["says"]).contains(why)), "{step}");
        assert_eq!(scene.check_as(json!({"guid": "new", "network": "wifi"})).await["version"], "1.0.0");
        let page = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
        let counted = r#"berth_guard_looks_total{policy="error-rate",mode="enforce",said="suspend"} 1"#;
        assert!(page.lines().any(|line| line == counted), "{page}");
        // Whoever resumes it has overruled the guard, which begins anew.
        scene.move_task(&task, "resume").await.good();
        clock.advance_seconds(600);
        assert_eq!(looked(&scene, &task, 2).await["guards"][0]["looks"][0]["said"], "too-few");
        assert_eq!(scene.task(&task).await["state"], "delivering");
    }

    async fn v14_what_a_guard_has_stopped_is_published_only_when_that_is_said(host) {
        let (scene, clock) = ready(host).await;
        let guard = json!({"policy": "error-rate", "config": {"min_devices": 20}, "watch": {"window_minutes": 10, "min_devices": 20}});
        let task = scene.gray("1.1.0", json!({"networks": ["wifi"], "policies": [guard]})).await.good();
        scene.host.settled().await;
        devices(&scene, &task, 150, true).await;
        clock.advance_seconds(600);
        looked(&scene, &task, 1).await;
        let refused = scene.publish("1.1.0").await.refused("guard-suspended");
        assert!(text(&refused["detail"]).contains("its guard error-rate suspends the task: 1.1.0 fails on"), "{refused}");
        assert_eq!(refused["gray_task"], task["id"]);
        assert_eq!(scene.task(&task).await["state"], "suspended");
        let path = "/v1/mini-apps/coffee/versions/1.1.0/publish";
        let released = scene.admin.post(path, json!({"despite_guard": true})).await.good();
        assert_eq!((&released["version"], &released["ended_tasks"]), (&json!("1.1.0"), &json!([task["id"]])));
    }

    async fn g13_f33_f37_f38_guards_that_break_hurt_nobody_and_say_how(host) {
        let (scene, clock) = ready(host).await;
        let watch = json!({"window_minutes": 1, "min_devices": 1});
        let mut policies = vec![json!({"policy": "error-rate", "config": {"min_devices": 1}, "watch": watch})];
        for (name, manner) in [("traps", Manner::Traps), ("loops", Manner::Loops), ("bombs", Manner::Bombs)] {
            let name = install(&scene, name, manner).await;
            policies.push(json!({"policy": name, "on_error": "open", "limits": {"deadline_ms": 200}, "watch": watch}));
        }
        let task = scene.gray("1.1.0", json!({"networks": ["wifi"], "policies": policies})).await.good();
        scene.host.settled().await;
        devices(&scene, &task, 10, false).await;
        clock.advance_seconds(60);
        let guards = looked(&scene, &task, 1).await["guards"].clone();
        let said: Vec<_> = guards.as_array().unwrap().iter().map(|one| text(&one["looks"][0]["said"])).collect();
        assert_eq!(said, ["carry-on", "trapped", "limited", "limited"]);
        let words = |at: usize| text(&guards[at]["looks"][0]["words"]);
        assert!(words(0).starts_with("1.1.0 fails on 0 of 2 devices") && words(2).contains("deadline limit"), "{guards}");
        assert_eq!(scene.task(&task).await["state"], "delivering");
        assert_eq!(scene.check_as(json!({"guid": "other", "network": "wifi"})).await["version"], "1.1.0");
        scene.move_task(&task, "end").await.good();
        // Closed on error, which is the default, one that breaks has objected.
        let closed = json!({"policies": [{"policy": "traps", "watch": watch}], "networks": ["wifi"]});
        let task = scene.gray("1.1.0", closed).await.good();
        assert_eq!(scene.check_as(json!({"guid": "third", "network": "wifi"})).await["version"], "1.1.0");
        assert_eq!(scene.check("third", Some("1.1.0")).await["version"], "1.1.0");
        scene.progress(&task).await;
        clock.advance_seconds(60);
        looked(&scene, &task, 1).await;
        let moves = scene.task(&task).await["moves"].clone();
        let last = moves.as_array().unwrap().last().unwrap();
        assert_eq!((&last["to"], &last["cause"]), (&json!("suspended"), &json!("guard")));
        assert!(text(&last["note"]).starts_with("traps gave no verdict and fails closed: The policy broke"), "{last}");
    }

    async fn g13_what_a_guard_is_told_is_checked_and_can_be_edited(host) {
        let (scene, _) = ready(host).await;
        let of = |policy: &str, watch: Value| json!({"policies": [{"policy": policy, "watch": watch}]});
        for (policy, watch) in [
            ("error-rate", json!({"window_minutes": 0})),
            ("error-rate", json!({"window_minutes": 1441})),
            ("error-rate", json!({"min_devices": 0})),
            ("percentage", json!({"window_minutes": 5})),
        ] {
            let mut new = of(policy, watch);
            if policy == "percentage" {
                new["policies"][0]["config"] = json!({"percent": 10});
            }
            scene.gray("1.1.0", new).await.refused("invalid-field");
        }
        let wrong = json!({"policies": [{"policy": "error-rate", "config": {"alpha": 0.9}}]});
        scene.gray("1.1.0", wrong).await.refused("policy-config");
        scene.gray("1.1.0", json!({"policies": [{"policy": "secrets"}]})).await.refused("policy-kind");
        let bound = json!({"policy": "error-rate", "scope": {"kind": "mini_app", "id": "coffee"}});
        scene.admin.post("/v1/policy-bindings", bound).await.refused("policy-kind");
        let task = scene.gray("1.1.0", json!({"policies": [{"policy": "error-rate"}]})).await.good();
        assert_eq!(task["policies"][0]["watch"], json!({"window_minutes": 5, "min_devices": 50}));
        let path = format!("/v1/gray-tasks/{}", text(&task["id"]));
        let edit = json!({"policies": [{"binding": task["policies"][0]["binding"], "mode": "shadow", "config": {"then": "end"},
                          "watch": {"window_minutes": 30, "min_devices": 500}}]});
        let edited = scene.admin.send("PATCH", &path, Some(&edit)).await.good();
        let change = &edited["moves"].as_array().unwrap().last().unwrap()["changes"];
        let fields: Vec<_> = change.as_array().unwrap().iter().map(|one| text(&one["field"])).collect();
        assert_eq!(fields, ["error-rate.config", "error-rate.mode", "error-rate.watch"]);
        assert_eq!(edited["policies"][0]["watch"], json!({"window_minutes": 30, "min_devices": 500}));
    }
}

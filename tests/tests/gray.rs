//! The life of grayscale tasks, over HTTP.

use std::time::Duration;

use berth_tests::{
    Answer, on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// A scene with 1.0.0 online and 1.1.0 approved.
async fn ready(host: berth_tests::Host) -> Scene {
    let scene = Scene::set(host).await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    scene
}

/// Reports what became of a version on a device.
async fn report(scene: &Scene, guid: &str, version: &str, kind: &str, detail: &str) {
    let body = json!({
        "host_app": "super-app", "guid": guid, "mini_app": "coffee", "version": version, "kind": kind, "detail": detail,
    });
    assert_eq!(scene.host.device(&scene.key).post("/v1/reports", body).await.status, 202);
}

/// The progress of a task, once it is as the test waits for it, or after five seconds.
async fn progress(scene: &Scene, task: &Value, there: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/gray-tasks/{}/progress", text(&task["id"]));
    let mut progress = scene.admin.get(&path).await.good();
    for _ in 0..50 {
        if there(&progress) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        progress = scene.admin.get(&path).await.good();
    }
    progress
}

fn counts<const N: usize>(progress: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| progress[name].as_u64().unwrap())
}

async fn end(scene: &Scene, task: &Value) {
    scene.move_task(task, "end").await.good();
}

on_both! {
    async fn g2_a_name_has_1_to_20_characters_of_any_script(host) {
        let scene = ready(host).await;
        for name in ["", "   ", "123456789012345678901", "一二三四五六七八九十一二三四五六七八九十一"] {
            scene.gray("1.1.0", json!({"name": name})).await.refused("invalid-field");
        }
        for name in ["a", "12345678901234567890", "一二三四五六七八九十一二三四五六七八九十", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"] {
            let task = scene.gray("1.1.0", json!({"name": name})).await.good();
            assert_eq!(task["name"], name);
            end(&scene, &task).await;
        }
    }

    async fn g3_the_end_lies_after_now_and_not_before_the_start(host) {
        let scene = ready(host).await;
        let now = scene.host.app.db.now();
        let period = |start: i64, end: i64| json!({"start": now.plus_seconds(start), "end": now.plus_seconds(end)});
        scene.gray("1.1.0", period(-100, -50)).await.refused("gray-period");
        scene.gray("1.1.0", period(100, 50)).await.refused("gray-period");
        scene.gray("1.1.0", json!({"end": "tomorrow"})).await.refused("invalid-field");
        let waiting = scene.gray("1.1.0", period(3600, 7200)).await.good();
        assert_eq!(waiting["state"], "pending");
        assert_eq!(scene.version_for("d").await, "1.0.0");
        end(&scene, &waiting).await;
        assert_eq!(scene.gray("1.1.0", period(-100, 100)).await.good()["state"], "delivering");
        assert_eq!(scene.version_for("d").await, "1.1.0");
    }

    async fn g5_every_move_records_who_what_and_when(host) {
        let scene = ready(host).await;
        let me = scene.admin.get("/v1/me").await.good()["account"]["id"].clone();
        let task = scene.gray("1.1.0", json!({"max_users": 1})).await.good();
        scene.move_task(&task, "resume").await.refused("gray-state");
        scene.move_task(&task, "suspend").await.good();
        scene.move_task(&task, "resume").await.good();
        assert_eq!(scene.version_for("d").await, "1.1.0");
        let task = scene.task(&task).await;
        let told = |one: &Value| (text(&one["from"]), text(&one["to"]), text(&one["cause"]), one["by"].clone());
        let moves: Vec<_> = task["moves"].as_array().unwrap().iter().map(told).collect();
        let word = str::to_owned;
        assert_eq!(
            moves,
            [
                (word("pending"), word("delivering"), word("time"), json!("berth")),
                (word("delivering"), word("suspended"), word("hand"), me.clone()),
                (word("suspended"), word("delivering"), word("hand"), me),
                (word("delivering"), word("ended"), word("cap"), json!("berth")),
            ]
        );
        assert!(task["moves"].as_array().unwrap().iter().all(|one| one["at"].is_string()));
        assert_eq!(task["moves"][1]["note"], "suspend");
        for step in ["suspend", "resume"] {
            scene.move_task(&task, step).await.refused("gray-state");
        }
    }

    async fn g6_an_end_by_the_cap_leaves_the_version_with_its_devices(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({"max_users": 2})).await.good();
        assert_eq!(scene.version_for("a").await, "1.1.0");
        assert_eq!(scene.version_for("b").await, "1.1.0");
        assert_eq!(scene.version_for("c").await, "1.0.0");
        assert_eq!(scene.task(&task).await["ended_by"], "cap");
        assert_eq!(scene.check("a", Some("1.1.0")).await["status"], "current");
        assert_eq!(scene.version_for("b").await, "1.1.0");
        end(&scene, &task).await; // by hand, afterwards
        assert_eq!(scene.version_for("a").await, "1.0.0");
    }

    async fn g6_an_end_by_hand_or_by_time_takes_the_version_back(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        assert_eq!(scene.version_for("a").await, "1.1.0");
        end(&scene, &task).await;
        assert_eq!(scene.check("a", Some("1.1.0")).await["version"], "1.0.0");
        let soon = scene.host.app.db.now().plus_seconds(2);
        let task = scene.gray("1.1.0", json!({"end": soon})).await.good();
        assert_eq!(scene.version_for("a").await, "1.1.0");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(scene.version_for("a").await, "1.0.0");
        let ended = scene.task(&task).await;
        assert_eq!((&ended["state"], &ended["ended_by"]), (&json!("ended"), &json!("time")));
    }

    async fn g8_progress_counts_offered_downloaded_running_and_failed(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({"max_users": 10})).await.good();
        let device = scene.host.device(&scene.key);
        for guid in ["a", "b", "c"] {
            let url = text(&scene.check(guid, None).await["package"]["url"]);
            if guid != "c" {
                assert_eq!(device.get(&url).await.status, 200);
            }
        }
        assert_eq!(scene.check("a", Some("1.1.0")).await["status"], "current"); // runs it
        let failed = json!({"host_app": "super-app", "guid": "b", "mini_app": "coffee", "version": "1.1.0", "kind": "failed"});
        device.post("/v1/reports", failed.clone()).await.good();
        device.post("/v1/reports", failed).await.good(); // counted once
        let stranger = json!({"host_app": "super-app", "guid": "z", "mini_app": "coffee", "version": "1.1.0", "kind": "failed"});
        device.post("/v1/reports", stranger).await.good();
        let of = |progress: &Value| counts(progress, ["offered", "downloaded", "waiting", "running", "failed", "max_users"]);
        let progress = progress(&scene, &task, |progress| of(progress) == [3, 2, 1, 1, 1, 10]).await;
        assert_eq!(of(&progress), [3, 2, 1, 1, 1, 10]);
        let over_time = progress["over_time"].as_array().unwrap();
        assert_eq!(over_time.iter().map(|one| one["offered"].as_u64().unwrap()).sum::<u64>(), 3);
    }

    async fn g8_a_device_is_in_one_state_and_reasons_of_failures_are_grouped(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        for guid in ["a", "b", "c", "d"] {
            assert_eq!(scene.version_for(guid).await, "1.1.0");
        }
        report(&scene, "a", "1.1.0", "running", "").await;
        report(&scene, "a", "1.1.0", "failed", "timeout after 12034 ms\n  at app.js:10").await;
        report(&scene, "b", "1.1.0", "failed", "timeout  after 45021 ms").await;
        report(&scene, "b", "1.1.0", "failed", "status 404").await;
        report(&scene, "c", "1.1.0", "failed", "").await;
        let of = |progress: &Value| counts(progress, ["offered", "waiting", "running", "failed", "fell_back", "other_reasons"]);
        let failing = progress(&scene, &task, |progress| of(progress) == [4, 1, 0, 3, 0, 0]).await;
        assert_eq!(of(&failing), [4, 1, 0, 3, 0, 0]);
        let told = |one: &Value| (text(&one["reason"]), one["devices"].as_u64().unwrap(), one["failures"].as_u64().unwrap());
        let reasons: Vec<_> = failing["reasons"].as_array().unwrap().iter().map(told).collect();
        assert_eq!(reasons, [("timeout after … ms".into(), 2, 2), (String::new(), 1, 1), ("status 404".into(), 1, 1)]);
        // It works again, and fails once more.
        assert_eq!(scene.check("b", Some("1.1.0")).await["status"], "current");
        let mended = progress(&scene, &task, |progress| of(progress) == [4, 1, 1, 2, 0, 0]).await;
        assert_eq!(of(&mended), [4, 1, 1, 2, 0, 0]);
        report(&scene, "b", "1.1.0", "failed", "status 404").await;
        let again = progress(&scene, &task, |progress| of(progress) == [4, 1, 0, 3, 1, 0]).await;
        assert_eq!(of(&again), [4, 1, 0, 3, 1, 0]);
        assert_eq!(again["over_time"].as_array().unwrap().iter().map(|one| one["failed"].as_u64().unwrap()).sum::<u64>(), 3);
    }

    async fn g15_a_device_that_fell_back_is_offered_the_version_no_more(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        let has_old = json!({"guid": "b", "apps": [{"mini_app": "coffee", "version": "1.0.0"}]});
        for _ in 0..3 {
            assert_eq!(scene.check("b", Some("1.0.0")).await["version"], "1.1.0");
            report(&scene, "b", "1.1.0", "failed", "white screen").await;
        }
        let answer = scene.check("b", Some("1.0.0")).await;
        assert_eq!((&answer["version"], &answer["status"], &answer["reason"]), (&json!("1.0.0"), &json!("current"), &json!("online")));
        assert_eq!(scene.version_for("b").await, "1.0.0", "nor when it has nothing");
        let told = scene.explain(has_old.clone()).await;
        let step = told["steps"].as_array().unwrap().iter().find(|step| step["rule"] == "failures").unwrap();
        assert_eq!((&step["passed"], &step["gray_task"]), (&json!(false), &task["id"]));
        let says = text(&step["says"]);
        assert!(says.contains("failed 3 times") && says.contains("--gray-max-failures"), "{says}");
        let fallen = progress(&scene, &task, |progress| progress["fell_back"] == 1).await;
        assert_eq!(counts(&fallen, ["offered", "failed", "fell_back", "max_failures"]), [1, 1, 1, 3]);
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let told: Vec<_> = events["items"].as_array().unwrap().iter().filter(|one| one["type"] == "gray_task.fell_back").collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let data = &told[0]["data"];
        assert_eq!((&told[0]["subject"], &data["version"]), (&task["id"], &json!("1.1.0")));
        assert_eq!(counts(data, ["fell_back", "admitted", "max_failures"]), [1, 1, 3]);
        assert_eq!(data["reasons"][0]["reason"], "white screen");

        // Another host knows, and one that starts now.
        let beside = scene.host.beside().await;
        assert_eq!(scene.check_on(&beside, "b", Some("1.0.0")).await["version"], "1.0.0");
        beside.stop().await;
        // With the version it keeps it: it runs, whatever failed before.
        assert_eq!(scene.check("b", Some("1.1.0")).await["status"], "current");
        assert_eq!(scene.check("b", Some("1.0.0")).await["version"], "1.0.0");
        // A version that mends the fault is offered again.
        scene.approved("1.2.0").await;
        scene.gray("1.2.0", json!({"name": "mended"})).await.good();
        assert_eq!(scene.check("b", Some("1.0.0")).await["version"], "1.2.0");
    }

    async fn g15_only_failures_of_what_the_device_was_offered_count(host) {
        let scene = ready(host).await;
        for _ in 0..5 {
            report(&scene, "early", "1.1.0", "failed", "before the task").await;
        }
        let task = scene.gray("1.1.0", json!({})).await.good();
        for _ in 0..5 {
            report(&scene, "early", "1.1.0", "failed", "before the offer").await;
        }
        assert_eq!(scene.check("early", Some("1.0.0")).await["version"], "1.1.0");
        for version in ["1.0.0", "9.9.9"] {
            for _ in 0..5 {
                report(&scene, "early", version, "failed", "another version").await;
            }
        }
        for _ in 0..5 {
            report(&scene, "early", "1.1.0", "downloaded", "not a failure").await;
        }
        let downloaded = progress(&scene, &task, |progress| progress["downloaded"] == 1).await;
        assert_eq!(counts(&downloaded, ["offered", "waiting", "failed", "fell_back"]), [1, 1, 0, 0]);
        assert_eq!(downloaded["reasons"], json!([]));
        assert_eq!(scene.check("early", Some("1.0.0")).await["version"], "1.1.0");
    }

    async fn g15_the_number_of_failures_is_a_setting(host) {
        let host = host.again(|config| config.gray.gray_max_failures = 0).await;
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        assert_eq!(scene.version_for("b").await, "1.1.0");
        for _ in 0..25 {
            report(&scene, "b", "1.1.0", "failed", "white screen").await;
        }
        assert_eq!(scene.check("b", Some("1.0.0")).await["version"], "1.1.0");
        let told = progress(&scene, &task, |progress| progress["reasons"][0]["failures"] == 20).await;
        assert_eq!((&told["reasons"][0]["failures"], &told["max_failures"]), (&json!(20), &json!(0)), "of one device 20 are kept");
        let Scene { host, admin: _, team, key } = scene;
        let host = host.again(|config| config.gray.gray_max_failures = 1).await;
        let scene = Scene { admin: host.admin(), host, team, key };
        assert_eq!(scene.check("b", Some("1.0.0")).await["version"], "1.0.0");
    }

    async fn g8_tasks_are_listed_newest_first_with_their_conditions_in_words(host) {
        let scene = ready(host).await;
        let first = scene.gray("1.1.0", json!({"name": "one", "networks": ["wifi"]})).await.good();
        let second = scene.gray("1.1.0", json!({"name": "two", "platforms": [{"platform": "android", "min_os": "10"}], "max_users": 5})).await.good();
        let page = scene.admin.get("/v1/mini-apps/coffee/gray-tasks?limit=1").await.good();
        assert_eq!(page["items"][0]["id"], second["id"]);
        let rest = scene.admin.get(&format!("/v1/mini-apps/coffee/gray-tasks?cursor={}", text(&page["next"]))).await.good();
        assert_eq!(rest["items"][0]["id"], first["id"]);
        let words = page["items"][0]["in_words"].to_string();
        assert!(words.contains("android") && words.contains("10") && words.contains("5 devices"), "{words}");
        assert!(page["items"][0]["created_by"].is_string());
    }

    async fn g9_of_several_tasks_the_newest_wins_and_explain_says_so(host) {
        let scene = ready(host).await;
        scene.approved("1.2.0").await;
        let older = scene.gray("1.2.0", json!({"name": "older"})).await.good();
        let newer = scene.gray("1.1.0", json!({"name": "newer", "networks": ["wifi"]})).await.good();
        let wifi = scene.check_as(json!({"network": "wifi"})).await;
        assert_eq!((&wifi["version"], &wifi["gray_task"]), (&json!("1.1.0"), &newer["id"]));
        let other = json!({"guid": "e", "network": "4g"});
        let told = scene.explain(other.clone()).await;
        let steps = told["steps"].as_array().unwrap();
        let of = |task: &Value| steps.iter().position(|step| step["gray_task"] == task["id"]).unwrap();
        assert!(of(&newer) < of(&older), "{told}");
        assert_eq!(steps[of(&newer)]["passed"], false);
        let answer = scene.check_as(other).await;
        assert_eq!((&answer["version"], &answer["gray_task"]), (&json!("1.2.0"), &older["id"]));
    }

    async fn g9_a_device_stays_with_its_task_whatever_a_newer_one_would_take(host) {
        let scene = ready(host).await;
        scene.approved("1.4.0").await;
        let older = scene.gray("1.4.0", json!({"name": "older"})).await.good();
        assert_eq!(scene.version_for("g1").await, "1.4.0");
        let newer = scene.gray("1.1.0", json!({"name": "newer", "max_users": 1})).await.good();
        assert_eq!(scene.version_for("g1").await, "1.4.0");
        let told = scene.explain(json!({"guid": "g1"})).await;
        let steps: Vec<_> = told["steps"].as_array().unwrap().iter().map(|step| (&step["rule"], &step["gray_task"], &step["passed"])).collect();
        assert_eq!(steps, [(&json!("owner"), &newer["id"], &json!(false)), (&json!("admitted"), &older["id"], &json!(true))]);
        let path = format!("/v1/gray-tasks/{}", text(&newer["id"]));
        assert_eq!(scene.admin.get(&path).await.good()["admitted"], 0, "its cap is not spent on devices of another task");
        assert_eq!(scene.version_for("g2").await, "1.1.0", "the newest first");
        scene.move_task(&older, "end").await.good();
        assert_eq!(scene.version_for("g1").await, "1.0.0", "it is free, and the cap is reached");
    }

    async fn g4_a_short_upper_end_is_a_family_in_the_words_and_in_the_decision(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({"platforms": [{"platform": "ios", "max_os": "17"}]})).await.good();
        assert!(task["in_words"].to_string().contains("ios 17.* and older"), "{}", task["in_words"]);
        for (guid, os, version) in [("a", "17.4.1", "1.1.0"), ("b", "17", "1.1.0"), ("c", "18.0", "1.0.0")] {
            let asker = json!({"guid": guid, "platform": "ios", "os_version": os});
            assert_eq!(scene.check_as(asker).await["version"], version, "{os}");
        }
        let refused = scene.explain(json!({"guid": "c", "platform": "ios", "os_version": "18.0"})).await;
        assert!(refused["steps"].to_string().contains("18.0 is not 17.* or earlier"), "{refused}");
    }

    async fn g10_suspended_admits_nobody_new_and_the_admitted_keep_it(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        assert_eq!(scene.version_for("a").await, "1.1.0");
        scene.move_task(&task, "suspend").await.good();
        assert_eq!(scene.version_for("a").await, "1.1.0");
        assert_eq!(scene.version_for("b").await, "1.0.0");
        scene.move_task(&task, "resume").await.good();
        assert_eq!(scene.version_for("b").await, "1.1.0");
    }

    async fn g4_an_uploaded_list_chooses_the_devices_however_it_was_written(host) {
        let scene = ready(host).await;
        let upload = async |body: &'static [u8]| {
            let request = scene.admin.request("POST", "/v1/mini-apps/coffee/cohorts?name=testers").header("Content-Type", "text/plain");
            Answer::of(request.body(body), "list".into()).await
        };
        let list = upload("\u{feff}alice\r\n\r\n  bob \r\nalice\r\n小明".as_bytes()).await.good();
        let counted = ["members", "lines", "blanks", "duplicates"].map(|name| list[name].as_u64().unwrap());
        assert_eq!(counted, [3, 5, 1, 1]);
        upload(b"alice\n\xff\xfe\n").await.refused("cohort-invalid");
        let objects = json!([{"kind": "account", "cohort": list["id"]}, {"kind": "guid", "values": ["typed"]}]);
        scene.gray("1.1.0", json!({"objects": objects, "networks": ["wifi"]})).await.good();
        for (device, version) in [
            (json!({"guid": "1", "account": "bob", "network": "wifi"}), "1.1.0"),
            (json!({"guid": "2", "account": "小明", "network": "wifi"}), "1.1.0"),
            (json!({"guid": "typed", "network": "wifi"}), "1.1.0"),
            (json!({"guid": "3", "account": "bob", "network": "4g"}), "1.0.0"),
            (json!({"guid": "bob", "network": "wifi"}), "1.0.0"),
            (json!({"guid": "4", "account": "carol", "network": "wifi"}), "1.0.0"),
        ] {
            assert_eq!(scene.check_as(device.clone()).await["version"], version, "{device}");
        }
    }
}

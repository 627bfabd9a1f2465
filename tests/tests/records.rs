//! The record of the devices that ask for a MiniApp, and grayscale policies that are replayed on it, over HTTP.

use std::time::Duration;

use berth_tests::{
    Answer, Api, on_both,
    process::berth,
    scene::{Scene, text},
};
use serde_json::{Value, json};

const RECORD: &str = "/v1/mini-apps/coffee/check-record";

/// Begins a record of all devices, for a week.
async fn record(scene: &Scene, more: Value) -> Value {
    let mut body = json!({"percent": 100, "ends_at": scene.host.app.db.now().plus_seconds(7 * 86_400)});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let begun = scene.admin.put(RECORD, body).await.good();
    scene.host.settled().await;
    begun
}

/// The record, once so many checks are in it.
async fn recorded(scene: &Scene, checks: u64) -> Value {
    for _ in 0..200 {
        let record = scene.admin.get(RECORD).await.good();
        if record["checks"].as_u64() >= Some(checks) {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{checks} checks were not recorded: {}", scene.admin.get(RECORD).await.good());
}

/// So many devices ask, every second of them an iPhone.
async fn ask(scene: &Scene, devices: u64) {
    let device = scene.host.device(&scene.key);
    for number in 0..devices {
        let platform = if number % 2 == 0 { "ios" } else { "android" };
        let check = json!({"host_app": "super-app", "guid": format!("device-{number}"), "platform": platform,
            "network": "wifi", "os_version": "17.1", "apps": [{"mini_app": "coffee", "version": "1.0.0"}]});
        device.post("/v1/check", check).await.good();
    }
}

fn of_coffee() -> Value {
    json!({"kind": "mini_app", "id": "coffee"})
}

fn percentage(percent: u64) -> Value {
    json!({"policy": "percentage", "config": {"percent": percent, "bucket_key": "wave-1"}})
}

fn expression(admit: &str) -> Value {
    json!({"policy": "expression", "config": {"admit": admit}})
}

async fn replay(api: &Api, new: Value, against: Value, scope: Value) -> Answer {
    api.post("/v1/policy-replays", json!({"new": new, "against": against, "scope": scope})).await
}

/// How many are admitted, the same, newly admitted, newly refused, failed.
fn numbers(told: &Value) -> [u64; 5] {
    ["admitted", "same", "newly_admitted", "newly_refused", "failed"].map(|name| told["counts"][name].as_u64().unwrap())
}

/// Everything that is kept about the devices of a record, and the files of SQLite.
async fn dump(scene: &Scene) -> String {
    let pool = scene.host.pool().await;
    let mut all = String::new();
    for sql in [
        "SELECT stand_in || CAST(device AS TEXT) FROM recorded_device",
        "SELECT COALESCE(salt, '') || CAST(attributes AS TEXT) FROM check_record",
        "SELECT CAST(data AS TEXT) FROM event",
    ] {
        all.extend(pool.texts(sql).await);
    }
    pool.close().await;
    for file in ["berth.db", "berth.db-wal"] {
        all += &String::from_utf8_lossy(&std::fs::read(scene.host.folder().join(file)).unwrap_or_default());
    }
    all
}

on_both! {
    async fn g25_it_is_off_until_somebody_switches_it_on_and_then_knows_no_person(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let person = json!({"guid": "guid-canary", "device_id": "hardware-canary", "account": "alice-canary", "platform": "ios",
            "os_version": "17.1", "attributes": {"city": "Suzhou", "phone": "canary-138"}});
        scene.check_as(person.clone()).await;
        scene.host.app.checks.written().await;
        let off = scene.admin.get(RECORD).await.good();
        assert_eq!(off, json!({"mini_app": "coffee", "recording": false, "checks": 0, "devices": 0}));
        let pool = scene.host.pool().await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM recorded_device").await, 0);

        let begun = record(&scene, json!({"attributes": ["city", "model"]})).await;
        assert_eq!((&begun["recording"], &begun["percent"], &begun["devices"]), (&json!(true), &json!(100.0), &json!(0)));
        scene.check_as(person.clone()).await;
        scene.explain(person.clone()).await; // a person who asks in the name of a device is no device
        scene.check_as(json!({"guid": "other", "platform": "android"})).await;
        scene.check_as(person.clone()).await;
        let known = recorded(&scene, 3).await;
        assert_eq!((&known["devices"], &known["checks"]), (&json!(2), &json!(3)), "a device counts once");
        let kept = dump(&scene).await;
        assert!(kept.contains("Suzhou") && !kept.contains("canary"), "something of a person is kept");
        // What a replay tells of it names nobody either.
        let told = replay(&scene.admin, expression("!has(device.account)"), json!(null), of_coffee()).await.good();
        assert_eq!(numbers(&told), [1, 1, 0, 1, 0]);
        assert!(!told.to_string().contains("canary") && told["items"][0]["attributes"] == json!({"city": "Suzhou"}), "{told}");

        // To begin again forgets what was there, and so does to end it.
        record(&scene, json!({"percent": 50})).await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM recorded_device").await, 0);
        scene.admin.delete(RECORD).await.good();
        scene.check_as(person).await;
        scene.host.app.checks.written().await;
        assert_eq!(scene.admin.get(RECORD).await.good(), off);
        assert_eq!(pool.number("SELECT COUNT(*) FROM recorded_device").await, 0);
        pool.close().await;
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let events: Vec<_> = events["items"].as_array().unwrap().iter().map(|one| text(&one["type"])).collect();
        assert!(events.ends_with(&["check_record.started", "check_record.started", "check_record.deleted"].map(String::from)), "{events:?}");
        let page = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
        assert!(page.lines().any(|line| line == "berth_check_records_lost_total 0"), "{page}");
    }

    async fn g25_the_record_has_a_share_an_end_and_as_many_devices_as_the_setting_says(host) {
        let host = host.again(|config| config.gray.gray_record_devices = 5).await;
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let end = |seconds: i64| scene.host.app.db.now().plus_seconds(seconds);
        for wrong in [
            json!({}),
            json!({"ends_at": end(-1)}),
            json!({"ends_at": end(31 * 86_400)}),
            json!({"ends_at": end(60), "percent": 0}),
            json!({"ends_at": end(60), "percent": 101}),
            json!({"ends_at": end(60), "attributes": vec!["a"; 17]}),
        ] {
            let refusal = scene.admin.put(RECORD, wrong.clone()).await;
            assert!(["invalid-field", "bad-request"].contains(&&*refusal.kind()), "{wrong}: {}", refusal.kind());
        }
        let unknown = json!({"ends_at": end(60), "lists": [format!("coh_{}", "0".repeat(26))]});
        scene.admin.put(RECORD, unknown).await.refused("not-found");
        record(&scene, json!({})).await;
        ask(&scene, 12).await;
        recorded(&scene, 12).await;
        ask(&scene, 1).await;
        assert_eq!(recorded(&scene, 13).await["devices"], 5, "those that asked last");
        record(&scene, json!({"ends_at": end(2)})).await;
        tokio::time::sleep(Duration::from_millis(2200)).await;
        ask(&scene, 3).await;
        scene.host.app.checks.written().await;
        let over = scene.admin.get(RECORD).await.good();
        assert_eq!((&over["recording"], &over["devices"], &over["percent"]), (&json!(false), &json!(0), &json!(100.0)));
    }

    async fn g26_a_replay_finds_what_a_change_of_share_or_rule_changes_and_says_the_same_twice(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        record(&scene, json!({})).await;
        ask(&scene, 200).await;
        assert_eq!(recorded(&scene, 200).await["devices"], 200);
        let events = async || scene.admin.get("/v1/events?limit=1000").await.good()["items"].as_array().unwrap().len();
        let before = events().await;
        let ask = async |new: &Value, against: Value| replay(&scene.admin, new.clone(), against, of_coffee()).await.good();

        let [fifth, half] = [percentage(20), percentage(50)];
        let [few, ..] = numbers(&ask(&fifth, json!(null)).await);
        let alone = ask(&half, json!(null)).await;
        let [many, ..] = numbers(&alone);
        assert_eq!(numbers(&alone), [many, many, 0, 200 - many, 0], "without another one every device had passed");
        assert!((15..=70).contains(&few) && (65..=135).contains(&many), "{few} and {many} of 200");
        let raised = ask(&half, fifth.clone()).await;
        assert_eq!(numbers(&raised), [many, 200 - (many - few), many - few, 0, 0]);
        assert_eq!(ask(&half, fifth.clone()).await, raised, "the same question has the same answer");
        assert_eq!(numbers(&ask(&fifth, half.clone()).await), [few, 200 - (many - few), 0, many - few, 0]);
        assert_eq!(numbers(&ask(&half, half.clone()).await), [many, 200, 0, 0, 0]);
        let example = &raised["items"][0];
        assert!(raised["items"].as_array().unwrap().len() <= 10 && raised.get("next").is_none(), "{raised}");
        assert_eq!((&example["change"], &example["new"], &example["network"]), (&json!("newly_admitted"), &json!("admits"), &json!("wifi")));
        assert!(text(&example["against"]).contains("now 20 % are admitted"), "{example}");

        let (all, phones) = (expression("true"), expression("device.platform == 'ios' && semver(device.os_version) >= semver('17')"));
        let narrowed = ask(&phones, all.clone()).await;
        assert_eq!(numbers(&narrowed), [100, 100, 0, 100, 0]);
        assert!(text(&narrowed["items"][0]["new"]).contains("✗ device.platform"), "{narrowed}");
        assert_eq!((&narrowed["items"][0]["platform"], &narrowed["items"][0]["current"]), (&json!("android"), &json!("1.0.0")));
        let broken = expression("int(device.network) > 1");
        assert_eq!(numbers(&ask(&broken, all).await), [0, 0, 0, 0, 200]);
        assert_eq!(events().await, before, "nothing is told");
        // Of a gray task the policy is told, and its stages go by the clock of the task.
        scene.approved("1.1.0").await;
        let task = scene.gray("1.1.0", json!({"policies": [fifth]})).await.good();
        let at_task = json!({"kind": "gray_task", "id": task["id"]});
        let told = replay(&scene.admin, expression("task.version == '1.1.0' && task.online == '1.0.0'"), json!(null), at_task.clone()).await;
        assert_eq!(numbers(&told.good()), [200, 200, 0, 0, 0]);
        let own = expression(&format!("task.id == '{}'", text(&task["id"])));
        assert_eq!(numbers(&replay(&scene.admin, own, json!(null), at_task).await.good()), [200, 200, 0, 0, 0]);

        let (config, old) = (r#"{"percent": 50, "bucket_key": "wave-1"}"#, text(&task["policies"][0]["binding"]));
        let command = ["policy", "replay", "percentage", "--config", config, "--against", &old, "--scope", "app:coffee"];
        let shown = berth(&scene.admin, &command).output().await.unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        let line = format!("newly admitted  {}", many - few);
        assert!(shown.contains("200 devices") && shown.contains(&line) && shown.contains(" 17.1, wifi: newly admitted"), "{shown}");
    }

    async fn g26_many_devices_are_judged_part_by_part(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        record(&scene, json!({})).await;
        ask(&scene, 1100).await;
        assert_eq!(recorded(&scene, 1100).await["devices"], 1100);
        let mut question = json!({"new": expression("device.platform == 'ios'"), "scope": of_coffee(), "limit": 2});
        let first = scene.admin.post("/v1/policy-replays", question.clone()).await.good();
        assert_eq!((&first["counts"]["devices"], first["items"].as_array().unwrap().len()), (&json!(1000), 2));
        question["cursor"] = first["next"].clone();
        let second = scene.admin.post("/v1/policy-replays", question).await.good();
        assert_eq!((&second["counts"]["devices"], second.get("next")), (&json!(100), None));
        let refused = |part: &Value| part["counts"]["newly_refused"].as_u64().unwrap();
        assert_eq!(refused(&first) + refused(&second), 550);
    }

    async fn g26_lists_answer_by_what_was_recorded_and_what_was_not_is_no_refusal(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let upload = async |name: &str, body: &'static str| {
            let path = format!("/v1/mini-apps/coffee/cohorts?name={name}");
            let request = scene.admin.request("POST", &path).header("Content-Type", "text/plain");
            text(&Answer::of(request.body(body), "list".into()).await.good()["id"])
        };
        let (known, late) = (upload("testers", "alice\ndevice-1\n").await, upload("late", "alice\n").await);
        record(&scene, json!({"lists": [known]})).await;
        for (guid, account) in [("device-1", "bob"), ("device-2", "alice"), ("device-3", "carol")] {
            scene.check_as(json!({"guid": guid, "account": account})).await;
        }
        recorded(&scene, 3).await;
        let in_list = |what: &str, list: &str| {
            let config = json!({"admit": format!("in_list('l', device.{what})"), "lists": {"l": list}});
            json!({"policy": "expression", "config": config})
        };
        let ask = async |new: Value| replay(&scene.admin, new, json!(null), of_coffee()).await.good();
        assert_eq!(numbers(&ask(in_list("guid", &known)).await), [1, 1, 0, 2, 0]);
        assert_eq!(numbers(&ask(in_list("account", &known)).await), [1, 1, 0, 2, 0]);
        let objects = json!([{"kind": "guid", "cohort": known}, {"kind": "account", "cohort": known}]);
        let conditions = json!({"policy": "standard-conditions", "config": {"objects": objects}});
        assert_eq!(numbers(&ask(conditions).await), [2, 2, 0, 1, 0]);
        let blind = ask(in_list("account", &late)).await;
        assert_eq!(numbers(&blind), [0, 0, 0, 0, 3]);
        assert!(text(&blind["items"][0]["new"]).contains(&late), "{blind}");
    }

    async fn g26_who_may_replay_where_and_on_what(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let half = percentage(50);
        let ask = async |api: &Api, new: &Value, against: Value, scope: Value| replay(api, new.clone(), against, scope).await;
        let refusal = ask(&scene.admin, &half, json!(null), of_coffee()).await.refused("no-check-record");
        assert!(text(&refusal["detail"]).contains("coffee"), "{refusal}");
        record(&scene, json!({})).await;
        let empty = ask(&scene.admin, &half, json!(null), of_coffee()).await.good();
        assert_eq!((&empty["counts"]["devices"], &empty["items"]), (&json!(0), &json!([])));
        let platform = json!({"kind": "platform"});
        ask(&scene.admin, &half, json!(null), platform.clone()).await.refused("invalid-field");
        ask(&scene.admin, &half, json!({"policy": "secrets"}), of_coffee()).await.refused("policy-kind");
        ask(&scene.admin, &json!({"policy": "secrets"}), half.clone(), of_coffee()).await.refused("policy-kind");
        ask(&scene.admin, &json!({"policy": "error-rate"}), json!(null), of_coffee()).await.refused("policy-kind");
        ask(&scene.admin, &expression("device.plattform"), json!(null), of_coffee()).await.refused("policy-config");
        let odd = json!({"new": half, "scope": of_coffee(), "cursor": "x"});
        scene.admin.post("/v1/policy-replays", odd).await.refused("invalid-cursor");
        let (account, viewer) = scene.host.somebody("viewer").await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "viewer"})).await.good();
        ask(&viewer, &half, json!(null), of_coffee()).await.refused("missing-grant");
        assert_eq!(viewer.get(RECORD).await.good()["recording"], true);
        viewer.delete(RECORD).await.refused("missing-grant");
        let (_, stranger) = scene.host.somebody("stranger").await;
        ask(&stranger, &half, json!(null), of_coffee()).await.refused("not-found");
        stranger.get(RECORD).await.refused("not-found");
    }

    async fn g12_g21_a_shadow_is_counted_beside_what_was_decided(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let policies = json!([
            {"policy": "expression", "config": {"admit": "device.platform == 'ios'"}},
            {"policy": "expression", "name": "tried", "mode": "shadow", "config": {"admit": "device.network == 'wifi'"}},
        ]);
        let task = scene.gray("1.1.0", json!({"policies": policies})).await.good();
        for (guid, platform, network) in [
            ("canary-1", "ios", "wifi"), ("canary-2", "ios", "5g"), ("canary-3", "ios", "5g"), ("canary-4", "android", "wifi"),
            ("canary-5", "android", "5g"),
        ] {
            scene.check_as(json!({"guid": guid, "account": "canary", "platform": platform, "network": network})).await;
        }
        let binding = |name: &str| {
            let one = task["policies"].as_array().unwrap().iter().find(|one| one["name"] == name);
            text(&one.unwrap()["binding"])
        };
        let figures = scene.admin.get("/v1/policies/expression/figures").await.good();
        let of = |name: &str| figures["bindings"].as_array().unwrap().iter().find(|one| one["binding"] == binding(name)).unwrap().clone();
        let tried = of("tried");
        let shadow = ["same", "would_admit", "would_refuse"].map(|name| tried["shadow"][name].as_u64().unwrap());
        assert_eq!(shadow, [2, 1, 2], "{tried}");
        assert_eq!(of("expression").get("shadow"), None, "it decides");
        let examples = tried["shadow"]["examples"].as_array().unwrap();
        let networks: Vec<_> = examples.iter().map(|one| (text(&one["network"]), one["would_admit"].clone())).collect();
        assert_eq!(networks, [("5g".to_owned(), json!(false)), ("5g".to_owned(), json!(false)), ("wifi".to_owned(), json!(true))]);
        assert!(!figures.to_string().contains("canary"), "{figures}");
        let page = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
        let counted = |said: &str| {
            let shows = |line: &&str| line.starts_with("berth_policy_shadow_total{policy=\"expression\"") && line.contains(said);
            page.lines().find(shows).and_then(|line| line.rsplit(' ').next()?.parse().ok())
        };
        let lines = ["same", "would_admit", "would_refuse"].map(|said| counted(&format!("said=\"{said}\"")));
        assert_eq!(lines, [Some(2), Some(1), Some(2)], "{page}");
        assert!(!page.contains("canary"), "{page}");
    }
}

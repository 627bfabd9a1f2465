//! Callers who ask for more than their share (F77), or for what they may not have yet.

use std::io::Cursor;

use berth_package::ZipWriter;
use berth_tests::{
    Answer, Host, on_both, packed,
    scene::{Scene, text},
};
use serde_json::{Value, json};

use crate::keys::rows;

/// A package whose manifest lists this many pages, of which only the first exists.
fn with_pages(count: usize) -> Vec<u8> {
    let pages: Vec<_> = (0..count).map(|page| format!("pages/p{page}")).collect();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_stored("app.json", json!({"pages": pages}).to_string().as_bytes()).unwrap();
    zip.add_stored("app.js", b"App({})").unwrap();
    zip.finish().unwrap().into_inner()
}

/// The scene on a host behind a proxy on loopback, with these limits of requests and of new devices for an address.
async fn limited(host: Host, requests: &str, newcomers: &str) -> Scene {
    let host = host
        .listening(|http| {
            http.trusted_proxy = vec!["127.0.0.0/8".parse().unwrap()];
            http.devices.per_address = requests.parse().unwrap();
            http.devices.newcomers = newcomers.parse().unwrap();
        })
        .await;
    let scene = Scene::set(host).await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    scene
}

/// A check of a device behind an address, as the proxy passes it on.
async fn check_from(scene: &Scene, address: &str, device: Value) -> Answer {
    let mut body = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
    body.as_object_mut().unwrap().extend(device.as_object().unwrap().clone());
    let request = scene.host.device(&scene.key).request("POST", "/v1/check").header("X-Forwarded-For", address);
    Answer::of(request.json(&body), format!("check from {address}")).await
}

on_both! {
    async fn f110_an_address_that_asks_too_often_is_told_when_to_come_back(host) {
        let scene = limited(host, "3/6s", "off").await;
        scene.host.settled().await;
        for _ in 0..3 {
            check_from(&scene, "203.0.113.7", json!({})).await.good();
        }
        let refused = check_from(&scene, "203.0.113.7", json!({})).await;
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=2).contains(&wait), "{wait}");
        let problem = refused.refused("too-many-requests");
        assert_eq!((&problem["retry_after_seconds"], problem["status"].as_u64()), (&json!(wait), Some(429)));
        assert!(text(&problem["detail"]).contains("203.0.113.7"), "{problem}");
        // Whatever a device asks counts, and who has another address is not concerned.
        let device = scene.host.device(&scene.key);
        let report = json!({"host_app": "super-app", "guid": "d", "mini_app": "coffee", "version": "1.0.0", "kind": "running"});
        for (method, path, body) in [("POST", "/v1/reports", Some(&report)), ("GET", "/v1/packages/coffee_1.0.0.apkg", None)] {
            let asked = |address: &str| {
                let request = device.request(method, path).header("X-Forwarded-For", address);
                body.iter().fold(request, |request, body| request.json(body))
            };
            Answer::of(asked("203.0.113.7"), path.into()).await.refused("too-many-requests");
            assert!(Answer::of(asked("203.0.113.8"), path.into()).await.status < 300, "{path}");
        }
        let person = scene.admin.request("GET", "/v1/packages/coffee_1.0.0.apkg").header("X-Forwarded-For", "203.0.113.7");
        assert_eq!(Answer::of(person, "person".into()).await.status, 200, "people have tokens, and no such limit");
        for _ in 0..9 {
            device.get("/v1/packages/coffee_1.0.0.apkg").await; // the proxy itself
        }
        tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
        check_from(&scene, "203.0.113.7", json!({})).await.good();
        let metrics = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes.to_vec()).unwrap();
        assert!(metrics.contains("berth_device_limits_reached_total{limit=\"address\"} 3"), "{metrics}");
    }

    async fn f110_f77_of_what_is_too_long_or_too_much_nobody_is_looked_up(host) {
        let scene = limited(host, "1/1h", "off").await;
        scene.host.settled().await;
        let address = "203.0.113.7";
        check_from(&scene, address, json!({})).await.good();
        check_from(&scene, address, json!({})).await.refused("too-many-requests");
        let (long, apps) = ("g".repeat(300_000), vec![json!({"mini_app": "coffee"}); 201]);
        check_from(&scene, address, json!({"guid": long})).await.refused("invalid-field");
        check_from(&scene, address, json!({"apps": apps})).await.refused("invalid-field");
        let report = json!({"host_app": "super-app", "guid": long, "mini_app": "coffee", "version": "1.0.0", "kind": "running"});
        let request = scene.host.device(&scene.key).request("POST", "/v1/reports").header("X-Forwarded-For", address);
        Answer::of(request.json(&report), "report".into()).await.refused("invalid-field");
    }

    async fn f110_who_a_list_names_is_never_locked_out(host) {
        let scene = limited(host, "1/1h", "1/1h").await;
        let objects = json!([{"kind": "guid", "values": ["tester"]}, {"kind": "account", "values": ["alice"]}]);
        scene.gray("1.1.0", json!({"objects": objects})).await.good();
        scene.push("1.0.0", "2.0.0").await.good();
        let trial = json!({"version": "2.0.0", "entry_path": "pages/index/index", "accounts": ["bob"]});
        scene.admin.put("/v1/mini-apps/coffee/trial", trial).await.good();
        scene.host.settled().await;
        let address = "203.0.113.7";
        check_from(&scene, address, json!({"guid": "flood"})).await.good();
        check_from(&scene, address, json!({"guid": "flood", "account": "carol"})).await.refused("too-many-requests");
        for (device, version) in [
            (json!({"guid": "tester"}), "1.1.0"),
            (json!({"guid": "x", "account": "alice"}), "1.1.0"),
            (json!({"guid": "y", "account": "bob"}), "2.0.0"),
        ] {
            let answer = check_from(&scene, address, device.clone()).await.good();
            assert_eq!(answer["results"][0]["version"], version, "{device}");
            let url = text(&answer["results"][0]["package"]["url"]);
            let request = scene.host.device(&scene.key).request("GET", &url).header("X-Forwarded-For", address);
            assert_eq!(Answer::of(request, url.clone()).await.status, 200, "{url}");
        }
    }

    async fn f110_one_address_cannot_use_up_a_task_with_invented_guids(host) {
        let scene = limited(host, "off", "2/1h").await;
        let task = scene.gray("1.1.0", json!({"max_users": 3})).await.good();
        scene.host.settled().await;
        let version = async |address: &str, guid: &str| {
            let answer = check_from(&scene, address, json!({"guid": guid})).await.good();
            text(&answer["results"][0]["version"])
        };
        let mut got = Vec::new();
        for number in 0..6 {
            got.push(version("203.0.113.7", &format!("invented-{number}")).await);
        }
        assert_eq!(got, ["1.1.0", "1.1.0", "1.0.0", "1.0.0", "1.0.0", "1.0.0"]);
        assert_eq!(version("203.0.113.7", "invented-0").await, "1.1.0", "who is in stays in");
        assert_eq!(version("203.0.113.8", "honest").await, "1.1.0");
        assert_eq!(version("203.0.113.9", "late").await, "1.0.0", "the cap is exact");
        let task = scene.task(&task).await;
        assert_eq!((&task["admitted"], &task["ended_by"]), (&json!(3), &json!("cap")));
    }

    async fn f110_g13_one_address_cannot_spoil_what_a_guard_compares_with_by_invented_guids(host) {
        let scene = limited(host, "off", "2/1h").await;
        let task = scene.gray("1.1.0", json!({"networks": ["wifi"], "policies": [{"policy": "error-rate"}]})).await.good();
        scene.host.settled().await;
        for number in 0..4 {
            let address = format!("203.0.113.{}", 100 + number);
            let gray = check_from(&scene, &address, json!({"guid": format!("gray-{number}"), "network": "wifi"})).await.good();
            assert_eq!(gray["results"][0]["version"], "1.1.0");
        }
        for number in 0..6 {
            check_from(&scene, "203.0.113.7", json!({"guid": format!("invented-{number}")})).await.good();
        }
        check_from(&scene, "203.0.113.8", json!({"guid": "honest"})).await.good();
        let pool = scene.host.pool().await;
        let beside = async || rows(&pool, &["bystander"]).await.join("\n");
        for _ in 0..100 {
            if beside().await.contains("honest") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let beside = beside().await;
        assert!(beside.contains("honest") && beside.matches("invented").count() == 2, "{task} {beside}");
        pool.close().await;
    }

    async fn f110_many_devices_on_loopback_have_no_limit_by_default(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        scene.host.settled().await;
        for number in 0..250 {
            assert_eq!(scene.check_on(&scene.host, &format!("d{number}"), None).await["version"], "1.1.0");
        }
        assert_eq!(scene.task(&task).await["admitted"], 250);
    }

    async fn o3_one_unreadable_version_leaves_the_others_their_answers(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.host.settled().await;
        let asked = json!([
            {"mini_app": "tea", "version": "1.x"},
            {"mini_app": "coffee", "version": 7},
            {"mini_app": "milk", "version": null},
        ]);
        let ask = json!({"host_app": "super-app", "guid": "d", "account": null, "network": null, "apps": asked});
        let answer = scene.host.device(&scene.key).post("/v1/check", ask).await.good();
        let of = |at: usize, member: &str| answer["results"][at][member].clone();
        assert_eq!([of(0, "status"), of(1, "status"), of(2, "status")], [json!("unknown"), json!("update"), json!("unknown")]);
        assert!(text(&of(0, "warning")).contains("\"1.x\" cannot be read"), "{answer}");
        assert_eq!((of(1, "warning").is_string(), of(2, "warning")), (true, Value::Null), "{answer}");
    }

    async fn f77_a_check_names_each_mini_app_once(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.host.settled().await;
        let device = scene.host.device(&scene.key);
        let ask = |apps: Value| json!({"host_app": "super-app", "guid": "d", "apps": apps});
        device.post("/v1/check", ask(json!([{"mini_app": "coffee"}, {"mini_app": "coffee"}]))).await.refused("invalid-field");
        device.post("/v1/check", ask(json!([{"mini_app": "coffee"}, {"mini_app": "tea"}]))).await.good();
        device.post("/v1/check/explain", ask(json!([{"mini_app": "coffee"}]))).await.refused("missing-token");
        let (_, stranger) = scene.host.somebody("stranger").await;
        stranger.post("/v1/check", ask(json!([]))).await.refused("missing-grant");
    }

    async fn f77_an_account_creates_a_hundred_teams_at_the_most(host) {
        let (_, busy) = host.somebody("busy").await;
        for number in 0..100 {
            busy.post("/v1/teams", json!({"name": format!("Team {number}")})).await.good();
        }
        busy.post("/v1/teams", json!({"name": "One more"})).await.refused("team-limit");
    }

    async fn f77_a_mini_app_has_twenty_tasks_at_the_most_that_have_not_ended(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let first = scene.gray("1.1.0", json!({})).await.good();
        for _ in 1..20 {
            scene.gray("1.1.0", json!({})).await.good();
        }
        scene.gray("1.1.0", json!({})).await.refused("gray-limit");
        scene.move_task(&first, "end").await.good();
        scene.gray("1.1.0", json!({})).await.good();
    }

    async fn f77_long_manifests_are_bounded_and_stay_out_of_lists_and_events(host) {
        let scene = Scene::set(host).await;
        let refused = scene.admin.push("coffee_0.1.0.apkg", with_pages(2001)).await.refused("package-manifest");
        assert!(text(&refused["detail"]).contains("2000 are allowed"), "{refused}");
        scene.admin.push("coffee_0.1.0.apkg", with_pages(2000)).await.good();
        let manifest = |version: &Value| (version["manifest"]["page_count"].clone(), version["manifest"]["pages"].clone());
        let whole = scene.admin.get("/v1/mini-apps/coffee/versions/0.1.0").await.good();
        assert_eq!(whole["manifest"]["pages"].as_array().unwrap().len(), 2000);
        let listed = scene.admin.get("/v1/mini-apps/coffee/versions").await.good();
        assert_eq!(manifest(&listed["items"][0]), (json!(2000), Value::Null));
        let looked = scene.admin.get("/v1/mini-apps/coffee/overview").await.good();
        assert_eq!(manifest(&looked["development"][0]), (json!(2000), Value::Null));
        let events = scene.admin.get("/v1/events?mini_app=coffee").await.good();
        let uploaded = events["items"].as_array().unwrap().iter().find(|one| one["type"] == "version.uploaded").unwrap();
        assert_eq!(manifest(&uploaded["data"]), (json!(2000), Value::Null));
    }

    async fn f77_a_list_has_two_million_lines_at_the_most(host) {
        let scene = Scene::set(host).await;
        let upload = async |lines: usize| {
            let request = scene.admin.request("POST", "/v1/mini-apps/coffee/cohorts?name=x").body("a\n".repeat(lines));
            Answer::of(request, "upload of a list".into()).await
        };
        assert_eq!(upload(2_000_000).await.good()["members"], 1);
        upload(2_000_001).await.refused("cohort-invalid");
    }

    async fn i4_a_gray_package_is_for_devices_that_were_offered_it(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let device = scene.host.device(&scene.key);
        let now = scene.host.app.db.now();
        let later = scene.gray("1.1.0", json!({"start": now.plus_seconds(3600), "end": now.plus_seconds(7200)})).await.good();
        scene.host.settled().await;
        let package = "/v1/packages/coffee_1.1.0.apkg";
        device.get(package).await.refused("not-found");
        device.get(&format!("{package}?gray={}&guid=d", text(&later["id"]))).await.refused("not-found");
        scene.gray("1.1.0", json!({})).await.good();
        let offered = text(&scene.check("d", None).await["package"]["url"]);
        let got = device.get(&offered).await;
        assert_eq!((got.status, &got.bytes[..]), (200, &packed("coffee/1.0.0", "coffee_1.1.0.apkg")[..]));
        assert!(got.header("cache-control").starts_with("private"));
        device.get(&offered.replace("guid=d", "guid=e")).await.refused("not-found");
        device.get(package).await.refused("not-found");
    }
}

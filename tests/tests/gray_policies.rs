//! Policies of grayscale tasks, over HTTP: percentages, several at once, shadows, and explanations.

use berth_tests::{
    Answer, Host, on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

async fn ready(host: Host) -> Scene {
    let scene = Scene::set(host).await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    scene
}

fn percentage(config: Value) -> Value {
    json!({"policy": "percentage", "config": config})
}

/// A task with the policy `expression`.
fn expression(config: Value) -> Value {
    json!({"policies": [{"policy": "expression", "config": config}]})
}

/// The numbers of those of sixty devices that get the gray version.
async fn admitted(scene: &Scene) -> Vec<usize> {
    scene.host.settled().await;
    let mut gray = Vec::new();
    for number in 0..60 {
        let check = scene.check_on(&scene.host, &format!("device-{number}"), None).await;
        if check["version"] == "1.1.0" {
            gray.push(number);
        }
    }
    gray
}

on_both! {
    async fn g11_stages_go_by_the_clock_since_the_start(host) {
        let scene = ready(host).await;
        let stages = json!({"stages": [{"percent": 0, "after_hours": 0}, {"percent": 100, "after_hours": 24}]});
        let task = |hours: i64| {
            let start = scene.host.app.db.now().plus_seconds(-hours * 3600);
            json!({"start": start, "policies": [percentage(stages.clone())]})
        };
        let young = scene.gray("1.1.0", task(23)).await.good();
        assert_eq!(admitted(&scene).await.len(), 0);
        scene.move_task(&young, "end").await.good();
        scene.gray("1.1.0", task(25)).await.good();
        assert_eq!(admitted(&scene).await.len(), 60);
    }

    async fn g11_tasks_choose_independently_of_each_other(host) {
        let scene = ready(host).await;
        let half = json!({"policies": [percentage(json!({"percent": 50}))]});
        let first = scene.gray("1.1.0", half.clone()).await.good();
        let one = admitted(&scene).await;
        scene.move_task(&first, "end").await.good();
        scene.gray("1.1.0", half).await.good();
        let other = admitted(&scene).await;
        assert!((15..=45).contains(&one.len()) && (15..=45).contains(&other.len()), "{one:?} {other:?}");
        assert_ne!(one, other);
    }

    async fn g12_all_policies_must_admit_and_a_shadow_decides_nothing_but_is_recorded(host) {
        let scene = ready(host).await;
        let wifi = json!({"policy": "standard-conditions", "config": {"networks": ["wifi"]}});
        let mut shadow = percentage(json!({"percent": 0}));
        shadow["mode"] = json!("shadow");
        let policies = json!([wifi, percentage(json!({"percent": 100})), shadow]);
        let task = scene.gray("1.1.0", json!({"policies": policies, "platforms": [{"platform": "ios"}]})).await.good();
        assert_eq!(task["policies"].as_array().unwrap().len(), 4);
        let device = |guid: &str, platform: &str, network: &str| json!({"guid": guid, "platform": platform, "network": network});
        for (asks, version) in [
            (device("1", "ios", "wifi"), "1.1.0"),
            (device("2", "android", "wifi"), "1.0.0"),
            (device("3", "ios", "4g"), "1.0.0"),
        ] {
            assert_eq!(scene.check_as(asks).await["version"], version);
        }
        let steps = scene.explain(device("4", "ios", "wifi")).await["steps"].clone();
        let said: Vec<_> = steps.as_array().unwrap().iter().filter(|step| step["rule"] == "policy").collect();
        assert_eq!(said.len(), 4);
        let shadow = said.iter().find(|step| text(&step["says"]).contains("shadow")).unwrap();
        assert!(text(&shadow["says"]).contains("refuses"), "{shadow}");
        let metrics = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes).unwrap();
        let counted = |line: &&str| line.contains("shadow") && line.contains("percentage") && !line.ends_with(" 0");
        assert!(metrics.lines().any(|line| counted(&line)), "{metrics}");
    }

    async fn g14_explain_says_rule_by_rule_what_decided_and_admits_nobody(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({"max_users": 1, "networks": ["wifi"], "policies": [percentage(json!({"percent": 100}))]})).await.good();
        let wifi = json!({"guid": "d", "network": "wifi"});
        for _ in 0..3 {
            let told = scene.explain(wifi.clone()).await;
            assert_eq!((&told["version"], &told["reason"]), (&json!("1.1.0"), &json!("gray")));
        }
        assert_eq!(scene.task(&task).await["admitted"], 0);
        let told = scene.explain(json!({"guid": "d", "network": "4g"})).await;
        let refused = told["steps"].as_array().unwrap().iter().find(|step| step["passed"] == false).unwrap();
        assert_eq!((&refused["rule"], &refused["gray_task"]), (&json!("policy"), &task["id"]));
        let says = text(&refused["says"]);
        assert!(says.contains("4g") && says.contains("wifi"), "{says}");
        assert_eq!(told["version"], "1.0.0");
        assert_eq!(scene.check_as(wifi).await["version"], "1.1.0");
        let last = scene.explain(json!({"guid": "e", "network": "wifi"})).await["steps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["rule"], &last["passed"]), (&json!("online"), &json!(true)));
        let unknown = scene.admin.post("/v1/check/explain", json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "nothing"}]})).await.good();
        assert_eq!(unknown["results"][0]["steps"][0]["rule"], "binding");
    }

    async fn g18_an_expression_decides_and_explain_tells_its_operands(host) {
        let scene = ready(host).await;
        let admit = "device.platform == 'ios' && semver(device.host_version) >= semver('8.2') && device.attributes.city in ['Suzhou']";
        let task = scene.gray("1.1.0", expression(json!({"admit": admit}))).await.good();
        assert_eq!(task["policies"][0]["config"]["admit"], admit);
        let device = |guid: &str, platform: &str, host_version: &str, city: &str| {
            json!({"guid": guid, "platform": platform, "host_version": host_version, "attributes": {"city": city}})
        };
        for (asks, version) in [
            (device("1", "ios", "8.10", "Suzhou"), "1.1.0"),
            (device("2", "ios", "8.1.9", "Suzhou"), "1.0.0"),
            (device("3", "android", "8.10", "Suzhou"), "1.0.0"),
            (json!({"guid": "4", "platform": "ios", "host_version": "9"}), "1.0.0"),
        ] {
            assert_eq!(scene.check_as(asks.clone()).await["version"], version, "{asks}");
        }
        let told = scene.explain(device("5", "ios", "8.1.9", "Wuxi")).await;
        let refused = told["steps"].as_array().unwrap().iter().find(|step| step["passed"] == false).unwrap();
        let says = text(&refused["says"]);
        for part in [
            "expression refuses: The expression is false: ✓ device.platform == 'ios', ",
            "✗ semver(device.host_version) >= semver('8.2') (device.host_version is '8.1.9'), ",
            "✗ device.attributes.city in ['Suzhou'] (device.attributes.city is 'Wuxi')",
        ] {
            assert!(says.contains(part), "{says}");
        }
    }

    async fn g18_buckets_of_an_expression_are_those_of_a_percentage(host) {
        let scene = ready(host).await;
        let percent = json!({"policies": [percentage(json!({"percent": 40, "bucket_key": "wave-1"}))]});
        let task = scene.gray("1.1.0", percent).await.good();
        let of_percentage = admitted(&scene).await;
        scene.move_task(&task, "end").await.good();
        scene.gray("1.1.0", expression(json!({"admit": "bucket('wave-1') < 40"}))).await.good();
        assert_eq!(admitted(&scene).await, of_percentage);
        assert!((10..=40).contains(&of_percentage.len()), "{of_percentage:?}");
    }

    async fn g18_an_expression_that_is_wrong_is_told_with_its_place_when_the_task_is_made(host) {
        let scene = ready(host).await;
        for (admit, says) in [
            ("device.platform = 'ios'", "line 1, column 17: = is no operator; == compares"),
            ("true &&\n  device.plattform == 'ios'", "line 2, column 10: device has no plattform"),
            ("true && rand() < 0.5", "line 1, column 9: there is no function rand"),
            ("device.platform", "the result is a text, and must be true or false"),
            ("in_list('testers', device.guid)", "lists has no"),
            ("device.guid.matches('(')", "is not a regular expression"),
            (&format!("{}true{}", "(".repeat(2_000), ")".repeat(2_000)), "nests deeper"),
            (&format!("{}1 > 1", "1 + ".repeat(1_000)), "nests deeper"),
        ] {
            let refused = scene.gray("1.1.0", expression(json!({"admit": admit}))).await.refused("policy-config");
            assert!(text(&refused["detail"]).contains(says), "{refused}");
        }
        for config in [json!({}), json!({"admit": ""}), json!({"admit": "true", "else": 1}), json!({"admit": " ".repeat(5_000)})] {
            scene.gray("1.1.0", expression(config)).await.refused("policy-config");
        }
    }

    async fn g17_g18_lists_of_an_expression_are_there(host) {
        let scene = ready(host).await;
        let path = "/v1/mini-apps/coffee/cohorts?name=testers";
        let upload = scene.admin.request("POST", path).header("Content-Type", "text/plain").body("a\n");
        let list = text(&Answer::of(upload, path.into()).await.good()["id"]);
        let asking = |list: &str| expression(json!({"admit": "in_list('testers', device.guid)", "lists": {"testers": list}}));
        scene.gray("1.1.0", asking("testers")).await.refused("policy-config");
        scene.gray("1.1.0", asking(&list)).await.good();
        assert_eq!((scene.version_for("a").await, scene.version_for("b").await), ("1.1.0".into(), "1.0.0".into()));
    }

    async fn g18_an_expression_that_cannot_decide_admits_nobody_and_says_why(host) {
        let scene = ready(host).await;
        let admit = "device.platform == 'ios' ? int(device.network) > 3 : range.exists(a, range.exists(b, a + b < 0))";
        let numbers: Vec<_> = (0..400).map(|number| number.to_string()).collect();
        let admit = admit.replace("range", &format!("[{}]", numbers.join(",")));
        scene.gray("1.1.0", expression(json!({"admit": admit}))).await.good();
        for (asks, why) in [(json!({"guid": "a", "platform": "ios", "network": "wifi"}), "int("), (json!({"guid": "b"}), "deadline")] {
            assert_eq!(scene.check_as(asks.clone()).await["version"], "1.0.0");
            let steps = scene.explain(asks).await["steps"].clone();
            let step = steps.as_array().unwrap().iter().find(|step| step["passed"] == false).unwrap().clone();
            assert!(text(&step["says"]).contains(why), "{step}");
        }
    }
}

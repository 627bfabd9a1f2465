//! Policies of grayscale tasks, over HTTP: percentages, several at once, shadows, and explanations.

use berth_tests::{
    Host, on_both,
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
}

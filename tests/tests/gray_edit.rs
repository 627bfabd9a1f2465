//! Edits of grayscale tasks, and lists that are none, over HTTP.

use std::collections::BTreeSet;

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

async fn edit(scene: &Scene, task: &Value, members: Value) -> Answer {
    scene.admin.send("PATCH", &format!("/v1/gray-tasks/{}", text(&task["id"])), Some(&members)).await
}

fn percentage(config: Value) -> Value {
    json!({"policy": "percentage", "config": config})
}

/// The same change to the one policy of a task.
fn of_policy(task: &Value, change: Value) -> Value {
    let mut one = change;
    one["binding"] = task["policies"][0]["binding"].clone();
    json!({"policies": [one]})
}

/// The numbers of those of sixty devices that get the gray version.
async fn admitted(scene: &Scene) -> BTreeSet<usize> {
    scene.host.settled().await;
    let mut gray = BTreeSet::new();
    for number in 0..60 {
        if scene.check_on(&scene.host, &format!("device-{number}"), None).await["version"] == "1.1.0" {
            gray.insert(number);
        }
    }
    gray
}

async fn upload(scene: &Scene, query: &str, file: &'static str) -> Answer {
    let path = format!("/v1/mini-apps/coffee/cohorts?name=testers{query}");
    Answer::of(scene.admin.request("POST", &path).header("Content-Type", "text/plain").body(file), path).await
}

on_both! {
    async fn g11_g16_a_raised_percentage_keeps_who_is_in_on_every_host(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", json!({"policies": [percentage(json!({"percent": 20}))]})).await.good();
        let few = admitted(&scene).await;
        let raised = edit(&scene, &task, of_policy(&task, json!({"config": {"percent": 60}}))).await.good();
        assert_eq!(raised["policies"][0]["config"], json!({"percent": 60}));
        let many = admitted(&scene).await;
        assert!(few.len() < many.len() && few.is_subset(&many), "{few:?} {many:?}");
        let falls = edit(&scene, &task, of_policy(&task, json!({"config": {"percent": 10}}))).await.refused("gray-narrows");
        assert!(text(&falls["detail"]).contains("percentage: 60 %"), "{falls}");
        assert!(text(&falls["detail"]).contains(&format!("berth gray end {}", text(&task["id"]))), "{falls}");
        let stages = json!({"stages": [{"percent": 60, "after_hours": 0}, {"percent": 100, "after_hours": 24}]});
        edit(&scene, &task, of_policy(&task, json!({"config": stages}))).await.good();
        edit(&scene, &task, of_policy(&task, json!({"config": {"percent": 100, "wrong": 1}}))).await.refused("policy-config");
        let after = scene.task(&task).await;
        assert_eq!(after["policies"][0]["config"], stages, "what is refused changes nothing");
        assert_eq!(after["moves"].as_array().unwrap().iter().filter(|one| one["changes"].is_array()).count(), 2);
    }

    async fn g16_a_running_task_is_widened_and_its_events_tell_of_it(host) {
        let scene = ready(host).await;
        let android = json!({"platforms": [{"platform": "android", "min_os": "12"}], "networks": ["wifi"], "max_users": 2});
        let task = scene.gray("1.1.0", android).await.good();
        let device = |guid: &str, platform: &str, network: &str| json!({"guid": guid, "platform": platform, "network": network});
        assert_eq!(scene.check_as(device("a", "ios", "wifi")).await["version"], "1.0.0");
        for narrower in [
            json!({"max_users": 1}),
            json!({"networks": ["5g"]}),
            json!({"platforms": [{"platform": "android", "min_os": "13"}]}),
            json!({"objects": [{"kind": "guid", "values": ["a"]}]}),
            json!({"start": "2030-01-31T08:00:00Z", "end": "2030-02-01T08:00:00Z"}),
        ] {
            edit(&scene, &task, narrower).await.refused("gray-narrows");
        }
        edit(&scene, &task, json!({"cap": 9})).await.refused("invalid-field");
        let wider = json!({"platforms": [{"platform": "android"}, {"platform": "ios"}], "max_users": null, "note": "calm"});
        let widened = edit(&scene, &task, wider).await.good();
        assert!(widened.get("max_users").is_none(), "{widened}");
        assert_eq!(scene.check_as(device("a", "ios", "wifi")).await["version"], "1.1.0");
        let last = widened["moves"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["from"], &last["to"], &last["note"]), (&json!("delivering"), &json!("delivering"), &json!("calm")));
        assert_eq!(last["changes"][0], json!({"field": "max_users", "from": 2, "to": null}));
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let edited = events["items"].as_array().unwrap().iter().find(|event| event["type"] == "gray_task.edited");
        let data = &edited.unwrap()["data"];
        assert_eq!((&data["changes"], &data["note"], &data["state"]), (&last["changes"], &json!("calm"), &json!("delivering")));
        scene.move_task(&task, "end").await.good();
        edit(&scene, &task, json!({"name": "late"})).await.refused("gray-state");
    }

    async fn g12_g16_mode_on_error_and_limits_are_given_and_changed(host) {
        let scene = ready(host).await;
        let mut nobody = percentage(json!({"percent": 0}));
        (nobody["mode"], nobody["limits"]) = (json!("shadow"), json!({"deadline_ms": 50}));
        let task = scene.gray("1.1.0", json!({"policies": [nobody]})).await.good();
        assert_eq!(task["policies"][0]["limits"], json!({"deadline_ms": 50}));
        assert_eq!(scene.version_for("a").await, "1.1.0");
        let binding = text(&task["policies"][0]["binding"]);
        let path = format!("/v1/policy-bindings/{binding}");
        let elsewhere = scene.admin.put(&path, json!({"mode": "enforce"})).await.refused("invalid-field");
        assert!(text(&elsewhere["detail"]).contains("berth gray edit gray_"), "{elsewhere}");
        let change = json!({"mode": "enforce", "on_error": "open", "limits": {"deadline_ms": 5000}});
        edit(&scene, &task, of_policy(&task, change)).await.refused("invalid-field"); // over the largest limit
        let change = json!({"mode": "enforce", "on_error": "open", "limits": {"deadline_ms": 900}});
        let now = edit(&scene, &task, of_policy(&task, change)).await.good();
        let policy = &now["policies"][0];
        assert_eq!((&policy["mode"], &policy["on_error"], &policy["limits"]), (&json!("enforce"), &json!("open"), &json!({"deadline_ms": 900})));
        assert_eq!(scene.version_for("b").await, "1.0.0");
        assert_eq!(scene.version_for("a").await, "1.1.0", "who is in stays in");
    }

    async fn g11_tasks_with_one_bucket_key_choose_the_same_devices(host) {
        let scene = ready(host).await;
        let spring = json!({"policies": [percentage(json!({"percent": 50, "bucket_key": "spring"}))]});
        let first = scene.gray("1.1.0", spring.clone()).await.good();
        let one = admitted(&scene).await;
        let other = json!({"config": {"percent": 50, "bucket_key": "summer"}});
        edit(&scene, &first, of_policy(&first, other)).await.refused("gray-narrows");
        scene.move_task(&first, "end").await.good();
        scene.gray("1.1.0", spring).await.good();
        assert_eq!(admitted(&scene).await, one);
    }

    async fn g17_a_table_is_told_line_by_line_and_a_column_is_taken(host) {
        let scene = ready(host).await;
        let table = "name,guid\r\nAnn,g-1\r\n\"Bob\",\"g-2\"\r\n";
        let refused = upload(&scene, "", table).await.refused("cohort-invalid");
        let lines = refused["lines"].as_array().unwrap();
        assert_eq!(lines.iter().map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(text(&refused["detail"]).contains("column=1"), "{refused}");
        for odd in ["guid\na\n", "\"a\"\nb\n", "a,\nb,\n"] {
            upload(&scene, "", odd).await.refused("cohort-invalid");
        }
        let taken = upload(&scene, "&column=guid", table).await.good();
        assert_eq!((&taken["members"], &taken["read"]["first"]), (&json!(2), &json!(["g-1", "g-2"])));
        let objects = json!({"objects": [{"kind": "guid", "cohort": taken["id"]}]});
        scene.gray("1.1.0", objects).await.good();
        assert_eq!(scene.version_for("g-2").await, "1.1.0");
        assert_eq!(scene.version_for("Bob").await, "1.0.0");
        let whole = upload(&scene, "&as_is=true", table).await.good();
        assert_eq!((&whole["members"], &whole["read"]["odd"][0]["line"]), (&json!(3), &json!(1)));
        upload(&scene, "&column=phone", table).await.refused("cohort-invalid");
        upload(&scene, "&column=1&as_is=true", table).await.refused("invalid-field");
    }

    async fn g17_a_config_names_lists_that_are_there(host) {
        let scene = ready(host).await;
        let list = text(&upload(&scene, "", "a\n").await.good()["id"]);
        let naming = |name: &str| {
            let config = json!({"objects": [{"kind": "guid", "cohort": name}]});
            json!({"policies": [{"policy": "standard-conditions", "config": config}]})
        };
        for unknown in ["testers", "coh_00000000000000000000000000"] {
            let refused = scene.gray("1.1.0", naming(unknown)).await.refused("policy-config");
            assert!(text(&refused["detail"]).contains(&list), "{refused}");
        }
        let task = scene.gray("1.1.0", naming(&list)).await.good();
        assert_eq!((scene.version_for("a").await, scene.version_for("b").await), ("1.1.0".into(), "1.0.0".into()));
        let mut change = naming("testers")["policies"][0].clone();
        change.as_object_mut().unwrap().remove("policy");
        let lists = change["config"]["objects"].as_array_mut().unwrap();
        lists.push(json!({"kind": "guid", "cohort": list}));
        edit(&scene, &task, of_policy(&task, change)).await.refused("policy-config");
    }
}

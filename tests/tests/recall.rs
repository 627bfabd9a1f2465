//! Recalls: what taking a MiniApp off the shelf and putting it back does to devices and to grayscale tasks, over HTTP. And
//! bulk moves right after the clock has moved a task, which no ticker has stored yet.

use std::time::Duration;

use berth_tests::{
    on_both,
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

async fn shelf(scene: &Scene, body: Value) -> Value {
    scene.admin.post("/v1/mini-apps/coffee/shelf", body).await.good()
}

/// The ids of the tasks in a list.
fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| text(&one["id"])).collect()
}

/// Everything that has moved a task, as `{state} by {cause}`.
async fn moves(scene: &Scene, task: &Value) -> Vec<String> {
    let task = scene.task(task).await;
    let told = |one: &Value| format!("{} by {}", text(&one["to"]), text(&one["cause"]));
    task["moves"].as_array().unwrap().iter().map(told).collect()
}

on_both! {
    async fn a2_a_recall_suspends_what_delivers_and_what_waits(host) {
        let scene = ready(host).await;
        let now = scene.host.app.db.now();
        let running = scene.gray("1.1.0", json!({})).await.good();
        let waiting = scene.gray("1.1.0", json!({"start": now.plus_seconds(3600)})).await.good();
        let off = shelf(&scene, json!({"on": false, "note": "recall"})).await;
        assert_eq!((&off["on_shelf"], ids(&off["suspended"])), (&json!(false), vec![text(&waiting["id"]), text(&running["id"])]));
        assert_eq!(moves(&scene, &running).await, ["delivering by time", "suspended by off-shelf"]);
        assert_eq!(moves(&scene, &waiting).await, ["suspended by off-shelf"]);
        assert_eq!(scene.task(&waiting).await["moves"][0]["note"], "recall");
    }

    async fn a3_back_on_the_shelf_it_says_what_is_suspended_and_resumes_what_the_recall_did(host) {
        let scene = ready(host).await;
        let now = scene.host.app.db.now();
        let running = scene.gray("1.1.0", json!({})).await.good();
        let waiting = scene.gray("1.1.0", json!({"start": now.plus_seconds(3600)})).await.good();
        let held = scene.gray("1.1.0", json!({})).await.good();
        scene.move_task(&held, "suspend").await.good();
        shelf(&scene, json!({"on": false})).await;
        let refused = scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false, "resume": true})).await;
        assert_eq!(refused.refused("invalid-field")["field"], "resume");
        let on = shelf(&scene, json!({"on": true})).await;
        let told: Vec<_> = on["suspended"].as_array().unwrap().iter().map(|one| (text(&one["id"]), one["by_recall"] == true)).collect();
        assert_eq!(told, [(text(&held["id"]), false), (text(&waiting["id"]), true), (text(&running["id"]), true)]);
        assert_eq!(on["resumed"], json!([]));
        let resumed = shelf(&scene, json!({"on": true, "resume": true})).await;
        assert_eq!(ids(&resumed["resumed"]), [text(&waiting["id"]), text(&running["id"])]);
        assert_eq!(ids(&resumed["suspended"]), [text(&held["id"])]);
        let states = [scene.task(&running).await, scene.task(&waiting).await, scene.task(&held).await];
        assert_eq!(states.each_ref().map(|task| text(&task["state"])), ["delivering", "pending", "suspended"]);
    }

    async fn v11_what_is_removed_comes_with_force(host) {
        let scene = ready(host).await;
        shelf(&scene, json!({"on": false, "note": "recall"})).await;
        for current in [Some("1.0.0"), None] {
            let removed = scene.check("d", current).await;
            assert_eq!((&removed["status"], &removed["force"]), (&json!("removed"), &json!(true)), "{current:?}");
        }
        let why = scene.admin.get("/v1/mini-apps/coffee/overview").await.good()["force"].clone();
        assert_eq!((&why[0]["cause"], why[0].get("below")), (&json!("off-shelf"), None));
        assert!(text(&why[0]["says"]).contains("recall"), "{why}");
    }

    async fn g5_a_task_that_waits_can_be_suspended_and_waits_again_once_it_is_resumed(host) {
        let scene = ready(host).await;
        let now = scene.host.app.db.now();
        let waiting = scene.gray("1.1.0", json!({"start": now.plus_seconds(3600)})).await.good();
        assert_eq!(scene.move_task(&waiting, "suspend").await.good()["state"], "suspended");
        assert_eq!(scene.move_task(&waiting, "resume").await.good()["state"], "pending");
    }

    async fn g5_a_recall_finds_every_task_that_started_a_moment_ago(host) {
        let scene = ready(host).await;
        let now = scene.host.app.db.now();
        let mut tasks = Vec::new();
        for after in [50, 100, 200, 300] {
            let start = berth_base::clock::Millis(now.0 + 500 + after);
            tasks.push(scene.gray("1.1.0", json!({"start": start})).await.good());
        }
        while scene.host.app.db.now().0 < now.0 + 800 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shelf(&scene, json!({"on": false})).await;
        for task in &tasks {
            assert_eq!(moves(&scene, task).await, ["delivering by time", "suspended by off-shelf"]);
        }
    }

    async fn g5_v8_a_task_whose_time_is_over_has_ended_by_time_and_not_by_the_publish_after_it(host) {
        let scene = ready(host).await;
        let end = berth_base::clock::Millis(scene.host.app.db.now().0 + 700);
        let task = scene.gray("1.1.0", json!({"end": end})).await.good();
        while scene.host.app.db.now() <= end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let published = scene.publish("1.1.0").await.good();
        assert_eq!(published.get("ended_tasks"), None, "{published}");
        assert_eq!(scene.task(&task).await["ended_by"], "time");
    }
}

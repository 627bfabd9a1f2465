//! The way back: from a bad release, from a mistaken rollback, from a minimum that is too high, over HTTP. And who is told
//! `force: true`, and why.

use berth_tests::{
    on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// A scene in which these versions went online, one after the other.
async fn after(host: berth_tests::Host, numbers: &[&str]) -> Scene {
    let scene = Scene::set(host).await;
    for number in numbers {
        scene.online(number).await;
    }
    scene
}

async fn forced(scene: &Scene, number: &str) {
    let path = format!("/v1/mini-apps/coffee/versions/{number}/publish");
    scene.admin.post(&path, json!({"forced": true, "note": "payment"})).await.good();
}

async fn set_min(scene: &Scene, number: &str) {
    scene.admin.put("/v1/mini-apps/coffee/min-version", json!({"version": number})).await.good();
}

async fn roll_back_and_lower(scene: &Scene, to: &str) -> Value {
    scene.admin.post("/v1/mini-apps/coffee/rollback", json!({"to": to, "lower_min": true})).await.good()
}

/// The releases, newest first, as `{version} {kind}`.
async fn releases(scene: &Scene) -> Vec<Value> {
    scene.admin.get("/v1/mini-apps/coffee/releases").await.good()["items"].as_array().unwrap().clone()
}

async fn overview(scene: &Scene) -> Value {
    scene.admin.get("/v1/mini-apps/coffee/overview").await.good()
}

/// The last event of this type.
async fn last_event(scene: &Scene, kind: &str) -> Option<Value> {
    let events = scene.admin.get("/v1/events?limit=1000").await.good();
    events["items"].as_array().unwrap().iter().rfind(|event| event["type"] == kind).cloned()
}

async fn try_out(scene: &Scene, number: &str) -> berth_tests::Answer {
    let trial = json!({"version": number, "entry_path": "pages/index/index", "accounts": ["alice"]});
    scene.admin.put("/v1/mini-apps/coffee/trial", trial).await
}

/// Asserts that a refusal names this command, in words and for programs.
fn points_at(problem: &Value, command: &str) {
    assert_eq!(problem["next"], command, "{problem}");
    assert!(text(&problem["detail"]).contains(&format!("`{command}`")), "{problem}");
}

on_both! {
    async fn v9_a_mistaken_rollback_is_undone_by_publishing_the_version_again(host) {
        let scene = after(host, &["1.0.0", "1.1.0"]).await;
        scene.approved("1.2.0").await;
        scene.roll_back("1.0.0").await.good();
        let twice = scene.roll_back("1.1.0").await.refused("rollback-twice");
        points_at(&twice, "berth version publish coffee 1.1.0");
        assert!(text(&twice["detail"]).contains("`berth app shelf coffee off`"), "{twice}");
        let canary = scene.gray("1.2.0", json!({"networks": ["none"]})).await.good();
        assert_eq!(scene.publish("1.1.0").await.good()["kind"], "publish");
        let check = scene.check("d", Some("1.0.0")).await;
        assert_eq!((&check["version"], &check["reason"]), (&json!("1.1.0"), &json!("online")));
        assert_eq!(scene.task(&canary).await["state"], "delivering");
        let kinds: Vec<_> = releases(&scene).await.iter().map(|one| (text(&one["version"]), text(&one["kind"]))).collect();
        let expected = [("1.1.0", "publish"), ("1.0.0", "rollback"), ("1.1.0", "publish"), ("1.0.0", "publish")];
        assert_eq!(kinds, expected.map(|(version, kind)| (version.to_owned(), kind.to_owned())));
        scene.roll_back("1.0.0").await.good();
    }

    async fn v9_a_version_is_online_since_the_rollback_and_not_since_its_first_release(host) {
        let scene = after(host, &["1.0.0", "1.1.0"]).await;
        let first = releases(&scene).await[1]["released_at"].clone();
        scene.roll_back("1.0.0").await.good();
        let since = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0").await.good()["online_at"].clone();
        assert_eq!(since, releases(&scene).await[0]["released_at"]);
        assert_ne!(since, first);
    }

    async fn v8_v9_a_version_that_is_published_again_ends_the_tasks_up_to_it_and_says_which(host) {
        let scene = after(host, &["1.0.0", "1.2.0"]).await;
        scene.approved("1.1.0").await;
        scene.approved("1.3.0").await;
        scene.roll_back("1.0.0").await.good();
        let overtaken = scene.gray("1.1.0", json!({"networks": ["none"]})).await.good();
        let above = scene.gray("1.3.0", json!({"networks": ["none"]})).await.good();
        try_out(&scene, "1.1.0").await.good();
        let again = scene.publish("1.2.0").await.good();
        assert_eq!((&again["ended_tasks"], &again["ended_trial"]), (&json!([overtaken["id"]]), &json!("1.1.0")));
        assert_eq!(scene.task(&overtaken).await["ended_by"], "superseded");
        assert_eq!(scene.task(&above).await["state"], "delivering");
        let told = last_event(&scene, "trial.cleared").await.unwrap();
        assert_eq!(told["data"], json!({"version": "1.1.0", "cause": "superseded"}));
    }

    async fn v8_v9_g9_a_rollback_that_leads_upwards_ends_the_tasks_up_to_it_and_frees_their_devices(host) {
        let scene = after(host, &["1.0.0", "1.3.0"]).await;
        for number in ["1.1.0", "1.2.0", "1.4.0"] {
            scene.approved(number).await;
        }
        scene.roll_back("1.0.0").await.good();
        scene.publish("1.1.0").await.good();
        let overtaken = scene.gray("1.2.0", json!({})).await.good();
        assert_eq!(scene.version_for("d").await, "1.2.0");
        let above = scene.gray("1.4.0", json!({"networks": ["none"]})).await.good();
        let back = scene.roll_back("1.3.0").await.good();
        assert_eq!((&back["version"], &back["ended_tasks"]), (&json!("1.3.0"), &json!([overtaken["id"]])));
        assert_eq!(scene.task(&overtaken).await["ended_by"], "superseded");
        assert_eq!(scene.task(&above).await["state"], "delivering");
        assert_eq!(scene.version_for("d").await, "1.3.0");
        scene.gray("1.4.0", json!({})).await.good();
        assert_eq!(scene.version_for("d").await, "1.4.0", "no task that has ended keeps the device");
    }

    async fn v9_every_refusal_names_the_command_that_helps(host) {
        let scene = after(host, &["1.0.0", "1.1.0", "1.2.0"]).await;
        points_at(&scene.publish("1.1.0").await.refused("version-order"), "berth version rollback coffee --to 1.1.0");
        points_at(&scene.roll_back("1.2.0").await.refused("version-state"), "berth version rollback coffee --to 1.1.0");
        scene.push("1.2.0", "1.3.0").await.good();
        points_at(&scene.roll_back("1.3.0").await.refused("never-online"), "berth version rollback coffee --to 1.1.0");
        assert_eq!(scene.publish("1.3.0").await.refused("version-state")["next"], "berth version submit coffee 1.3.0 --wait");
        scene.roll_back("1.0.0").await.good();
        points_at(&scene.gray("1.1.0", json!({})).await.refused("version-state"), "berth version publish coffee 1.1.0");
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false})).await.good();
        points_at(&scene.publish("1.1.0").await.refused("mini-app-off-shelf"), "berth app shelf coffee on");
    }

    async fn v9_where_the_only_release_is_bad_the_refusal_says_to_take_it_off_the_shelf(host) {
        let scene = after(host, &["1.0.0"]).await;
        scene.approved("0.9.0").await;
        for (to, code) in [("1.0.0", "version-state"), ("0.9.0", "never-online")] {
            let refused = scene.roll_back(to).await.refused(code);
            assert!(text(&refused["detail"]).contains("take it off the shelf"), "{refused}");
            points_at(&refused, "berth app shelf coffee off");
        }
    }

    async fn v12_a_forced_release_that_was_rolled_back_forces_nobody_any_more(host) {
        let scene = after(host, &["1.0.0"]).await;
        scene.approved("1.1.0").await;
        forced(&scene, "1.1.0").await;
        assert_eq!(scene.check("d", Some("1.0.0")).await["force"], true);
        assert_eq!(overview(&scene).await["force"][0]["below"], "1.1.0");
        scene.roll_back("1.0.0").await.good();
        let twice = scene.roll_back("1.1.0").await.refused("rollback-twice");
        points_at(&twice, "berth version publish coffee 1.1.0 --forced");
        scene.online("1.2.0").await;
        let check = scene.check("d", Some("1.0.0")).await;
        assert_eq!((&check["version"], &check["force"]), (&json!("1.2.0"), &json!(false)));
        assert_eq!(overview(&scene).await["force"], json!([]));
        let told: Vec<_> = releases(&scene).await.iter().map(|one| (one["forced"] == true, one["rolled_back"] == true)).collect();
        assert_eq!(told, [(false, false), (false, false), (true, true), (false, false)]);
    }

    async fn v12_published_again_as_forced_it_forces_again(host) {
        let scene = after(host, &["1.0.0"]).await;
        scene.approved("1.1.0").await;
        forced(&scene, "1.1.0").await;
        scene.roll_back("1.0.0").await.good();
        forced(&scene, "1.1.0").await;
        scene.online("1.2.0").await;
        assert_eq!(scene.check("d", Some("1.0.0")).await["force"], true);
        assert_eq!(scene.check("d", Some("1.1.0")).await["force"], false);
        scene.roll_back("1.1.0").await.good();
        assert_eq!(scene.check("d", Some("1.0.0")).await["force"], true, "a rollback to it leaves it standing");
    }

    async fn g14_v11_v12_the_overview_and_explain_say_why_force_is_true(host) {
        let scene = after(host, &["1.0.0", "1.1.0"]).await;
        scene.approved("1.2.0").await;
        forced(&scene, "1.2.0").await;
        set_min(&scene, "1.1.0").await;
        let reasons = overview(&scene).await["force"].clone();
        let told: Vec<_> = reasons.as_array().unwrap().iter().map(|one| (text(&one["cause"]), text(&one["below"]))).collect();
        let expected = [("min-version", "1.1.0"), ("forced-release", "1.2.0")];
        assert_eq!(told, expected.map(|(cause, below)| (cause.to_owned(), below.to_owned())));
        let why = async |current: &str| {
            let told = scene.explain(json!({"apps": [{"mini_app": "coffee", "version": current}]})).await;
            let steps = told["steps"].as_array().unwrap().clone();
            let passed = |rule: &str| steps.iter().find(|step| step["rule"] == rule).map(|step| step["passed"] == true);
            (told["force"] == true, passed("min-version"), passed("forced-release"))
        };
        assert_eq!(why("1.0.0").await, (true, Some(false), Some(false)));
        assert_eq!(why("1.1.0").await, (true, Some(true), Some(false)));
        assert_eq!(why("1.2.0").await, (false, None, None));
    }

    async fn v11_a_rollback_below_the_minimum_is_refused_unless_it_is_said(host) {
        let scene = after(host, &["1.0.0", "1.1.0"]).await;
        set_min(&scene, "1.1.0").await;
        let before = last_event(&scene, "mini_app.min_version").await.unwrap();
        let refused = scene.roll_back("1.0.0").await.refused("below-min-version");
        points_at(&refused, "berth version rollback coffee --to 1.0.0 --lower-min");
        assert_eq!(scene.version_for("d").await, "1.1.0");
        let done = roll_back_and_lower(&scene, "1.0.0").await;
        assert_eq!((&done["version"], &done["lowered_min_from"]), (&json!("1.0.0"), &json!("1.1.0")));
        let check = scene.check("d", Some("0.9.0")).await;
        assert_eq!((&check["version"], &check["min_version"], &check["force"]), (&json!("1.0.0"), &json!("1.0.0"), &json!(true)));
        let told = last_event(&scene, "mini_app.min_version").await.unwrap();
        assert!(told["seq"].as_u64() > before["seq"].as_u64());
        assert_eq!(told["data"]["min_version"], "1.0.0");
        assert_eq!(told["actor"], scene.admin.get("/v1/me").await.good()["account"]["id"]);
    }

    async fn v11_what_need_not_be_lowered_stays(host) {
        let scene = after(host, &["1.0.0", "1.1.0"]).await;
        set_min(&scene, "1.0.0").await;
        assert_eq!(roll_back_and_lower(&scene, "1.0.0").await.get("lowered_min_from"), None);
        assert_eq!(overview(&scene).await["mini_app"]["min_version"], "1.0.0");
    }

    async fn v11_a_trial_below_the_minimum_or_below_what_everybody_gets_is_refused_or_ended(host) {
        let scene = after(host, &["1.0.0", "1.1.0"]).await;
        try_out(&scene, "1.0.0").await.refused("version-order");
        set_min(&scene, "1.1.0").await;
        try_out(&scene, "1.0.0").await.refused("below-min-version");
        scene.push("1.2.0", "1.2.0").await.good();
        try_out(&scene, "1.2.0").await.good();
        assert_eq!(scene.check_as(json!({"account": "alice"})).await["version"], "1.2.0");
        scene.approved("1.3.0").await;
        assert_eq!(scene.publish("1.3.0").await.good()["ended_trial"], "1.2.0");
        assert_eq!(scene.check_as(json!({"account": "alice"})).await["version"], "1.3.0");
        assert_eq!(overview(&scene).await["trial"], json!(null));
        let told = last_event(&scene, "trial.cleared").await.unwrap();
        assert_eq!(told["data"], json!({"version": "1.2.0", "cause": "superseded"}));
    }
}

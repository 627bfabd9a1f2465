//! The public keys of host apps, and who they are known by.

use berth_base::clock::{Nature, SystemRandom};
use berth_tests::{
    Answer, Host, clock, on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};
use std::sync::Arc;

const KEYS: &str = "/v1/host-apps/super-app";

/// What a device is answered that sends this key.
async fn ask(host: &Host, key: &str) -> Answer {
    let body = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
    host.device(key).post("/v1/check", body).await
}

/// A check, a report, a download and a batch of logs with this key.
async fn all_that_devices_ask(host: &Host, key: &str) -> [Answer; 4] {
    let (device, report) = (
        host.device(key),
        json!({"host_app": "super-app", "guid": "d", "mini_app": "coffee", "version": "1.0.0", "kind": "running"}),
    );
    let entry =
        json!({"mini_app": "coffee", "version": "1.0.0", "at": host.app.db.now(), "level": "info", "message": "m"});
    let logs = json!({"host_app": "super-app", "guid": "d", "entries": [entry]});
    [
        ask(host, key).await,
        device.post("/v1/reports", report).await,
        device.get("/v1/packages/coffee_1.0.0.apkg").await,
        device.post("/v1/logs", logs).await,
    ]
}

async fn events(scene: &Scene) -> Vec<Value> {
    let page = scene.admin.get("/v1/events?host_app=super-app&limit=1000").await.good();
    let of_keys = |one: &&Value| text(&one["type"]).starts_with("host_app.key_");
    page["items"].as_array().unwrap().iter().filter(of_keys).cloned().collect()
}

on_both! {
    async fn a6_a_key_that_was_replaced_works_until_its_end_and_not_a_moment_longer(host) {
        let (clock, nature) = clock();
        let scene = Scene::set(host.again_in(nature, |_| ()).await).await;
        scene.online("1.0.0").await;
        let (account, keeper) = scene.host.somebody("keeper").await;
        scene.admin.put(&format!("{KEYS}/members/{account}"), json!({"role": "admin"})).await.good();
        let rotated = keeper.post(&format!("{KEYS}/rotate-key"), json!({"keep_old_seconds": 3600})).await.good();
        let (old, new) = (scene.key.clone(), text(&rotated["public_key"]));
        assert_ne!(old, new);
        let former = &rotated["former_keys"][0];
        assert_eq!((&former["public_key"], &former["replaced_by"]), (&json!(old), &json!(account)));
        assert_eq!(keeper.get(KEYS).await.good(), rotated);
        scene.host.settled().await;
        for key in [&old, &new] {
            for answer in all_that_devices_ask(&scene.host, key).await {
                assert!(answer.status < 300, "{key}: {} {}", answer.status, answer.kind());
            }
        }
        clock.advance_seconds(3599);
        assert_eq!(ask(&scene.host, &old).await.status, 200, "one second is left");
        clock.advance_seconds(1);
        for answer in all_that_devices_ask(&scene.host, &old).await {
            answer.refused("invalid-host-app-key");
        }
        assert_eq!(ask(&scene.host, &new).await.status, 200);
        let told = events(&scene).await;
        assert_eq!((told.len(), &told[0]["type"], &told[0]["actor"]), (1, &json!("host_app.key_rotated"), &json!(account)));
        assert_eq!(told[0]["data"], rotated);
        // Nor does a host know it that has started since.
        let nature = Nature { clock: Arc::new(clock), random: Arc::new(SystemRandom) };
        let later = scene.host.again_in(nature, |_| ()).await;
        ask(&later, &old).await.refused("invalid-host-app-key");
        assert_eq!(ask(&later, &new).await.status, 200);
    }

    async fn a6_a_former_key_is_ended_sooner_or_later_by_an_admin_of_the_host_app(host) {
        let (clock, nature) = clock();
        let scene = Scene::set(host.again_in(nature, |_| ()).await).await;
        scene.online("1.0.0").await;
        let first = scene.key.clone();
        let second = text(&scene.admin.send("POST", &format!("{KEYS}/rotate-key"), None).await.good()["public_key"]);
        let shown = scene.admin.post(&format!("{KEYS}/rotate-key"), json!({"keep_old_seconds": 0})).await.good();
        let third = text(&shown["public_key"]);
        scene.host.settled().await;
        assert_eq!(ask(&scene.host, &first).await.status, 200, "90 days when nothing is said");
        ask(&scene.host, &second).await.refused("invalid-host-app-key");
        assert_eq!(ask(&scene.host, &third).await.status, 200);

        let path = |key: &str| format!("{KEYS}/former-keys/{key}");
        let later = scene.host.app.db.now().plus_seconds(600);
        scene.admin.put(&path(&second), json!({"ends_at": later})).await.good();
        scene.host.settled().await;
        assert_eq!(ask(&scene.host, &second).await.status, 200, "it was given more time");
        scene.admin.put(&path(&first), json!({})).await.good();
        scene.host.settled().await;
        ask(&scene.host, &first).await.refused("invalid-host-app-key");
        clock.advance_seconds(600);
        ask(&scene.host, &second).await.refused("invalid-host-app-key");

        let own = scene.admin.put(&path(&third), json!({})).await.refused("invalid-field");
        assert_eq!(own["next"], "berth host-app rotate-key super-app");
        scene.admin.put(&path("pk_0"), json!({})).await.refused("not-found");
        let far = scene.host.app.db.now().plus_seconds(3 * 365 * 86_400);
        scene.admin.put(&path(&first), json!({"ends_at": far})).await.refused("invalid-field");
        for seconds in [-1, 63_072_001] {
            let body = json!({"keep_old_seconds": seconds});
            let refused = scene.admin.post(&format!("{KEYS}/rotate-key"), body).await.refused("invalid-field");
            assert_eq!(refused["pointer"], "/keep_old_seconds");
        }
        let (account, auditor) = scene.host.somebody("auditor").await;
        scene.admin.put(&format!("{KEYS}/members/{account}"), json!({"role": "auditor"})).await.good();
        auditor.post(&format!("{KEYS}/rotate-key"), json!({})).await.refused("missing-grant");
        auditor.put(&path(&second), json!({})).await.refused("missing-grant");
        let types: Vec<_> = events(&scene).await.iter().map(|one| text(&one["type"])).collect();
        let [rotated, ends] = ["host_app.key_rotated", "host_app.key_ends"];
        assert_eq!(types, [rotated, rotated, ends, ends]);
        // The key of one host app, former or not, is no other's.
        scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        scene.admin.put(&format!("/v1/host-apps/other-app/former-keys/{second}"), json!({})).await.refused("not-found");
    }

    async fn v5_g4_a_host_app_that_binds_later_runs_what_others_approved_and_decides_from_then_on(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.push("1.0.0", "1.2.0").await.good();
        let asked = scene.submit("1.2.0").await;
        let everybody = scene.gray("1.1.0", json!({})).await.good();

        // Nothing can name a host app before it is there, nor before both sides have agreed.
        let named = || json!({"host_apps": [{"id": "super-app"}, {"id": "late"}]});
        let early = scene.gray("1.1.0", named()).await.refused("invalid-field");
        assert_eq!((&early["pointer"], &early["next"]), (&json!("/host_apps/1/id"), &json!("berth host-app bind late coffee")));
        scene.admin.post("/v1/bundles", json!({"host_app": "late"})).await.refused("not-found");
        let binding = "/v1/host-apps/late/bindings/coffee";
        scene.admin.put(binding, json!(null)).await.refused("not-found");
        let late = scene.admin.post("/v1/host-apps", json!({"name": "Late", "id": "late"})).await.good();
        let (account, keeper) = scene.host.somebody("keeper").await;
        scene.admin.put(&format!("/v1/host-apps/late/members/{account}"), json!({"role": "admin"})).await.good();
        assert_eq!(keeper.put(binding, json!(null)).await.good()["state"], "waits_for_team");
        let waiting = scene.gray("1.1.0", named()).await.refused("invalid-field");
        assert!(text(&waiting["detail"]).contains("an admin of the team has to agree first"), "{waiting}");
        assert_eq!(scene.admin.put(binding, json!(null)).await.good()["state"], "active");

        // It runs what the others approved, and what a task offers to everybody.
        scene.host.settled().await;
        let device = scene.host.device(&text(&late["public_key"]));
        let ask = json!({"host_app": "late", "guid": "d", "apps": [{"mini_app": "coffee"}]});
        let told = device.post("/v1/check", ask.clone()).await.good()["results"][0].clone();
        assert_eq!((&told["version"], &told["gray_task"]), (&json!("1.1.0"), &everybody["id"]));
        scene.move_task(&everybody, "end").await.good();
        scene.host.settled().await;
        assert_eq!(device.post("/v1/check", ask).await.good()["results"][0]["version"], "1.0.0");
        scene.gray("1.1.0", named()).await.good();

        // In an audit that was begun before it has no part, and has one in the next.
        let audit = format!("/v1/audits/{}", text(&asked["id"]));
        let approve = json!({"host_app": "late", "approve": true});
        keeper.post(&format!("{audit}/decisions"), approve).await.refused("not-found");
        scene.decide(&asked, true, "").await.good();
        assert_eq!(scene.admin.get(&audit).await.good()["state"], "approved");
        scene.push("1.0.0", "1.3.0").await.good();
        let next = scene.submit("1.3.0").await;
        let of: Vec<_> = next["items"].as_array().unwrap().iter().map(|item| item["host_app"].clone()).collect();
        assert_eq!(of, [json!("late"), json!("super-app")]);
    }
}

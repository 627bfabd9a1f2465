//! What waits for people over HTTP: it comes, it is theirs, and it goes when it is done.

use berth_tests::{
    Api, on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// The kinds of what waits for somebody, oldest first.
async fn kinds(api: &Api) -> Vec<String> {
    let list = api.get("/v1/waiting").await.good();
    assert_eq!(list["more"], json!(false));
    list["items"].as_array().unwrap().iter().map(|one| text(&one["kind"])).collect()
}

/// What waits for somebody of this kind, which is one thing.
async fn the(api: &Api, kind: &str) -> Value {
    let list = api.get("/v1/waiting").await.good();
    let mut of_kind = list["items"].as_array().unwrap().iter().filter(|one| one["kind"] == kind);
    let one = of_kind.next().unwrap_or_else(|| panic!("no {kind} in {list}")).clone();
    assert!(of_kind.next().is_none() && one["since"].is_string(), "{list}");
    one
}

async fn somebody(scene: &Scene, place: &str, role: &str) -> Api {
    let (account, api) = scene.host.somebody(&format!("{role} of {place}")).await;
    scene.admin.put(&format!("/v1/{place}/members/{account}"), json!({"role": role})).await.good();
    api
}

on_both! {
    async fn a7_v5_a_version_waits_for_its_auditor_then_for_its_operator_and_then_for_nobody(host) {
        let scene = Scene::set(host).await;
        let auditor = somebody(&scene, "host-apps/super-app", "auditor").await;
        let operator = somebody(&scene, &format!("teams/{}", scene.team), "operator").await;
        let developer = somebody(&scene, &format!("teams/{}", scene.team), "developer").await;
        scene.online("1.0.0").await;
        scene.push("1.0.0", "1.1.0").await.good();
        for nobody in [&auditor, &operator, &developer] {
            assert_eq!(kinds(nobody).await, Vec::<String>::new());
        }
        let audit = scene.submit("1.1.0").await;
        let waits = the(&auditor, "audit").await;
        let expected = json!({"kind": "audit", "since": audit["created_at"], "audit": audit["id"], "mini_app": "coffee",
            "mini_app_name": "Coffee", "version": "1.1.0", "host_app": "super-app", "host_app_name": "Super app"});
        assert_eq!(waits, expected);
        assert_eq!((kinds(&operator).await, kinds(&developer).await), (vec![], vec![]));
        scene.decide(&audit, true, "").await.good();
        assert_eq!(kinds(&auditor).await, Vec::<String>::new());
        let waits = the(&operator, "publish").await;
        assert_eq!((&waits["version"], &waits["mini_app_name"]), (&json!("1.1.0"), &json!("Coffee")));
        assert_eq!(kinds(&developer).await, Vec::<String>::new());
        scene.publish("1.1.0").await.good();
        assert_eq!(kinds(&operator).await, Vec::<String>::new());
    }

    async fn a7_a_rejected_version_waits_until_another_one_is_uploaded(host) {
        let scene = Scene::set(host).await;
        let developer = somebody(&scene, &format!("teams/{}", scene.team), "developer").await;
        scene.push("1.0.0", "1.0.0").await.good();
        let audit = scene.submit("1.0.0").await;
        scene.decide(&audit, false, "the text is wrong").await.good();
        let waits = the(&developer, "rejected").await;
        assert_eq!((&waits["version"], &waits["audit"]), (&json!("1.0.0"), &audit["id"]));
        scene.push("1.0.0", "1.0.1").await.good();
        assert_eq!(kinds(&developer).await, Vec::<String>::new());
    }

    async fn a7_a_binding_waits_for_the_other_side(host) {
        let scene = Scene::set(host).await;
        scene.admin.post("/v1/host-apps", json!({"name": "Kiosk", "id": "kiosk"})).await.good();
        let team = somebody(&scene, &format!("teams/{}", scene.team), "admin").await;
        let kiosk = somebody(&scene, "host-apps/kiosk", "admin").await;
        kiosk.put("/v1/host-apps/kiosk/bindings/coffee", json!(null)).await.good();
        assert_eq!((kinds(&kiosk).await, kinds(&team).await), (vec![], vec!["binding".to_owned()]));
        let waits = the(&team, "binding").await;
        assert_eq!((&waits["state"], &waits["host_app_name"]), (&json!("waits_for_team"), &json!("Kiosk")));
        team.put("/v1/host-apps/kiosk/bindings/coffee", json!(null)).await.good();
        assert_eq!(kinds(&team).await, Vec::<String>::new());
    }

    async fn a7_gray_tasks_that_are_suspended_or_end_soon_wait_for_the_operator(host) {
        let scene = Scene::set(host).await;
        let operator = somebody(&scene, &format!("teams/{}", scene.team), "operator").await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let end = scene.host.app.db.now().plus_seconds(3_600);
        let task = scene.gray("1.1.0", json!({"end": end})).await.good();
        assert_eq!(kinds(&operator).await, ["publish", "gray_ends"]);
        assert_eq!(the(&operator, "publish").await["in_gray"], json!(true));
        let waits = the(&operator, "gray_ends").await;
        assert_eq!((&waits["gray_task"], &waits["name"], &waits["end"]), (&task["id"], &json!("canary"), &json!(end)));
        scene.move_task(&task, "suspend").await.good();
        let listed = operator.get("/v1/mini-apps").await.good()["items"][0].clone();
        assert_eq!((&listed["delivering"], &listed["suspended"]), (&json!(0), &json!(1)));
        assert_eq!(the(&operator, "publish").await["in_gray"], json!(false), "it goes to no further device");
        let waits = the(&operator, "gray_suspended").await;
        assert_eq!((&waits["gray_task"], &waits["cause"]), (&task["id"], &json!("hand")));
        scene.move_task(&task, "end").await.good();
        assert_eq!(kinds(&operator).await, ["publish"]);
    }

    async fn a7_d3_an_application_waits_for_who_may_decide_on_it(host) {
        let scene = Scene::set(host).await;
        let auditor = somebody(&scene, "host-apps/super-app", "auditor").await;
        let manager = somebody(&scene, "host-apps/super-app", "admin").await;
        let marked = json!({"apis": [{"api": "scanCode"}]});
        scene.admin.put("/v1/host-apps/super-app/sensitive-apis", marked).await.good();
        for more in [json!({"kind": "sensitive_api", "api": "scanCode"}), json!({"kind": "skip_domains"})] {
            let mut new = json!({"host_app": "super-app", "reason": "tickets"});
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            scene.admin.post("/v1/mini-apps/coffee/permits", new).await.good();
        }
        assert_eq!((kinds(&auditor).await, kinds(&manager).await.len()), (vec!["permit".to_owned()], 2));
        let permit = the(&manager, "permit").await;
        assert_eq!((&permit["api"], &permit["mini_app"]), (&json!("scanCode"), &json!("coffee")));
        let skip = text(&the(&manager, "skip").await["permit"]);
        manager.post(&format!("/v1/permits/{skip}/approve"), json!({})).await.good();
        assert_eq!(kinds(&manager).await, ["permit"]);
    }
}

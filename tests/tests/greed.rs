//! Callers who ask for more than their share (F77), or for what they may not have yet.

use std::io::Cursor;

use berth_package::ZipWriter;
use berth_tests::{
    Answer, on_both, packed,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// A package whose manifest lists this many pages, of which only the first exists.
fn with_pages(count: usize) -> Vec<u8> {
    let pages: Vec<_> = (0..count).map(|page| format!("pages/p{page}")).collect();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_stored("app.json", json!({"pages": pages}).to_string().as_bytes()).unwrap();
    zip.add_stored("app.js", b"App({})").unwrap();
    zip.finish().unwrap().into_inner()
}

on_both! {
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

//! Finding MiniApps and what belongs to them: the list, which says what is next for each, and the search.

use berth_tests::{
    Api, on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// What somebody finds, as `kind id`.
async fn found(api: &Api, what: &str) -> Vec<String> {
    let list = api.get(&format!("/v1/search?q={what}")).await.good();
    list["items"].as_array().unwrap().iter().map(|one| format!("{} {}", text(&one["kind"]), text(&one["id"]))).collect()
}

async fn listed(api: &Api, query: &str) -> Vec<Value> {
    api.get(&format!("/v1/mini-apps{query}")).await.good()["items"].as_array().unwrap().clone()
}

on_both! {
    async fn a1_the_list_says_what_is_next_for_each_mini_app(host) {
        let scene = Scene::set(host).await;
        let new = json!({"name": "Tea", "id": "tea", "team": scene.team});
        scene.admin.post("/v1/mini-apps", new).await.good();
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.approved("1.2.0").await;
        scene.gray("1.1.0", json!({})).await.good();
        scene.push("1.0.0", "1.3.0").await.good();
        scene.submit("1.3.0").await;
        let items = listed(&scene.admin, "").await;
        let [coffee, tea] = &items[..] else { panic!("{items:?}") };
        let next = |one: &Value| ["online", "approved", "auditing", "delivering"].map(|member| one[member].clone());
        assert_eq!(next(coffee), [json!("1.0.0"), json!("1.2.0"), json!("1.3.0"), json!(1)]);
        assert_eq!(next(tea), [json!(null), json!(null), json!(null), json!(0)]);
        assert_eq!((&tea["name"], &tea["changed_at"]), (&json!("Tea"), &tea["created_at"]));
        assert_ne!(coffee["changed_at"], coffee["created_at"]);
        scene.admin.post("/v1/mini-apps/tea/shelf", json!({"on": false, "note": "season"})).await.good();
        let of_side = async |query: &str| {
            let items = listed(&scene.admin, query).await;
            items.iter().map(|one| text(&one["id"])).collect::<Vec<_>>()
        };
        assert_eq!((of_side("?shelf=on").await, of_side("?shelf=off").await), (vec!["coffee".into()], vec!["tea".into()]));
        scene.admin.get("/v1/mini-apps?shelf=left").await.refused("bad-request");
    }

    async fn a5_through_a_host_app_the_list_tells_what_was_submitted_to_it(host) {
        let scene = Scene::set(host).await;
        let (account, auditor) = scene.host.somebody("auditor").await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.gray("1.1.0", json!({})).await.good();
        scene.admin.post("/v1/host-apps", json!({"name": "Kiosk", "id": "kiosk"})).await.good();
        scene.admin.put("/v1/host-apps/kiosk/bindings/coffee", json!(null)).await.good();
        scene.admin.put(&format!("/v1/host-apps/kiosk/members/{account}"), json!({"role": "auditor"})).await.good();
        let seen = listed(&auditor, "").await.remove(0);
        let members = ["online", "approved", "delivering", "changed_at"].map(|member| seen[member].clone());
        assert_eq!(members, [json!("1.0.0"), json!(null), json!(null), json!(null)]);
        scene.push("1.0.0", "1.2.0").await.good();
        scene.submit("1.2.0").await;
        assert_eq!(listed(&auditor, "").await[0]["auditing"], "1.2.0");
    }

    async fn a8_things_are_found_by_names_and_by_ids(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = text(&scene.gray("1.1.0", json!({"name": "Canary 1%"})).await.good()["id"]);
        scene.push("1.0.0", "1.2.0").await.good();
        let audit = text(&scene.submit("1.2.0").await["id"]);
        let admin = &scene.admin;
        assert_eq!(found(admin, "COFFEE").await, ["mini_app coffee".to_owned(), format!("team {}", scene.team)]);
        assert_eq!(found(admin, "uper%20AP").await, ["host_app super-app"]);
        assert_eq!(found(admin, "canary").await, [format!("gray_task {task}")]);
        assert_eq!(found(admin, "1%25").await, [format!("gray_task {task}")]);
        assert_eq!(found(admin, "c_ffee").await, Vec::<String>::new(), "no pattern");
        assert_eq!(found(admin, &task).await, [format!("gray_task {task}")]);
        assert_eq!(found(admin, &audit).await, [format!("audit {audit}")]);
        assert_eq!(found(admin, &scene.team).await, [format!("team {}", scene.team)]);
        assert_eq!(found(admin, "1.1.0").await, ["version 1.1.0"]);
        assert_eq!(found(admin, "coffee_1.1.0.apkg").await, ["version 1.1.0"]);
        assert_eq!(found(admin, "nothing").await, Vec::<String>::new());
        let of_version = admin.get("/v1/search?q=1.1.0").await.good()["items"][0].clone();
        assert_eq!((&of_version["name"], &of_version["mini_app"]), (&json!("Coffee"), &json!("coffee")));
        let (_, stranger) = scene.host.somebody("stranger").await;
        for text in ["coffee", "super", "canary", &task, &audit, &scene.team, "1.1.0", "coffee_1.1.0.apkg"] {
            assert_eq!(found(&stranger, text).await, Vec::<String>::new(), "{text}");
        }
        admin.get("/v1/search?q=%20").await.refused("invalid-field");
        admin.get("/v1/search").await.refused("bad-request");
    }

    async fn a8_what_merchants_own_is_found_by_its_id(host) {
        let admin = host.admin();
        let merchant = berth_tests::merchant::Merchant::new(&admin, "bos-1").await;
        merchant.buys("pi-1", "mall").await;
        let cid = merchant.default_endpoint().await;
        let channel = merchant.channel("douyin", "tt1", &cid).await;
        assert_eq!(found(&admin, "bos-1").await, ["merchant bos-1"]);
        assert_eq!(found(&admin, "pi-1").await, ["product_instance pi-1"]);
        assert_eq!(found(&admin, &cid).await, [format!("endpoint_app {cid}")]);
        assert_eq!(found(&admin, &channel).await, [format!("channel {channel}")]);
        let (_, stranger) = host.somebody("stranger").await;
        for text in ["bos-1", "pi-1", &cid, &channel] {
            assert_eq!(found(&stranger, text).await, Vec::<String>::new(), "{text}");
        }
    }
}

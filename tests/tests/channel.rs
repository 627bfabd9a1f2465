//! Channels, organisation nodes, and what checks and bundles say of an endpoint application (E5, E7–E9, E11, O4).

use std::{io::Read, time::Duration};

use berth_tests::{
    Host,
    merchant::Merchant,
    on_both,
    scene::{Scene, text},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A merchant that has bought a mall and a CRM.
async fn merchant(host: &Host) -> Merchant {
    let merchant = Merchant::new(&host.admin(), "bos-1").await;
    merchant.buys("pi-mall", "mall").await;
    merchant.buys("pi-crm", "crm").await;
    merchant
}

/// Creates an account with the role operator in the merchant `bos-1`.
async fn operator(host: &Host) -> (String, berth_tests::Api) {
    let admin = host.admin();
    let (account, operator) = host.somebody("operator").await;
    admin.put(&format!("/v1/merchants/bos-1/members/{account}"), json!({"role": "operator"})).await.good();
    (account, operator)
}

on_both! {
    async fn e5_a_channel_has_one_endpoint_application_and_moves_only_when_told(host) {
        let merchant = merchant(&host).await;
        let (one, two) = (merchant.endpoint("One", &["pi-mall"]).await, merchant.endpoint("Two", &["pi-mall"]).await);
        let channel = merchant.channel("wechat_mini_program", "wxb11529c136998cb6", &one).await;
        merchant.binds(&channel, &one, false).await.good();
        assert_eq!(merchant.binds(&channel, &two, false).await.refused("channel-bound")["endpoint_app"], one.as_str());
        assert_eq!(merchant.binds(&channel, &two, true).await.good()["endpoint_app"], two.as_str());
        assert_eq!(merchant.ids(&format!("/v1/channels?endpoint_app={one}")).await, [""; 0]);
        merchant.admin.delete(&format!("/v1/channels/{channel}")).await.refused("channel-bound");
        merchant.admin.delete(&format!("/v1/endpoint-apps/{two}")).await.refused("endpoint-in-use");
        merchant.admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.good();
        merchant.admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.refused("not-found");
        merchant.admin.delete(&format!("/v1/channels/{channel}")).await.good();
        merchant.authorises("wechat_mini_program", "wxb11529c136998cb6").await.good();
    }

    async fn e5_of_20_endpoint_applications_that_want_a_channel_at_once_one_gets_it(host) {
        let merchant = merchant(&host).await;
        let channel = text(&merchant.authorises("douyin", "tt1").await.good()["id"]);
        let mut endpoints = Vec::new();
        for number in 0..20 {
            endpoints.push(merchant.endpoint(&format!("App {number}"), &["pi-mall"]).await);
        }
        let (_, before) = merchant.events(0).await;
        let answers = join_all(endpoints.iter().map(|cid| merchant.binds(&channel, cid, false))).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            lost.refused("channel-bound");
        }
        let stored = merchant.admin.get(&format!("/v1/channels/{channel}")).await.good();
        assert_eq!(stored["endpoint_app"], won[0].json()["endpoint_app"]);
        assert_eq!(merchant.events(before).await.0, ["channel.bound"]);
    }

    async fn e15_a_run_moves_a_channel_that_is_bound_elsewhere_and_those_that_failed_give_way(host) {
        let merchant = merchant(&host).await;
        let (one, two) = (merchant.endpoint("One", &["pi-mall"]).await, merchant.endpoint("Two", &["pi-mall"]).await);
        let channel = merchant.channel("h5", "https://shop.example/", &one).await;
        let begin = async |target: Value| {
            let vouched = json!({"app_id": "https://shop.example/", "name": "Page"});
            let new = json!({"merchant": "bos-1", "kind": "h5", "vouched": vouched, "endpoint_app": target});
            merchant.admin.post("/v1/channel-authorisations", new).await.good()
        };
        let act = async |run: &str, act: &str, how: Value| {
            merchant.admin.post(&format!("/v1/channel-authorisations/{run}/{act}"), how).await
        };
        let failed = async || merchant.ids("/v1/channel-authorisations?merchant=bos-1&state=failed").await;
        let first = begin(json!({"id": two})).await;
        assert_eq!((&first["state"], &first["reason"]), (&json!("failed"), &json!("channel-bound")));
        assert!(!text(&first["detail"]).contains('"'), "{first}");
        let new = json!({"new": {"name": "Three", "products": ["pi-crm"]}});
        let second = text(&begin(new).await["id"]);
        assert_eq!(failed().await, [second.as_str()], "the first one gave way");
        assert_eq!(act(&second, "restart", json!({})).await.good()["state"], "failed");

        // What cannot be bound moves nothing.
        merchant.leaves("pi-crm", "crm").await;
        act(&second, "restart", json!({"move": true})).await.refused("product-unsubscribed");
        let stored = merchant.admin.get(&format!("/v1/channels/{channel}")).await.good();
        assert_eq!((&stored["endpoint_app"], failed().await), (&json!(one), vec![second.clone()]));

        let third = text(&begin(json!({"id": two})).await["id"]);
        let (_, before) = merchant.events(0).await;
        let moved = act(&third, "restart", json!({"move": true})).await.good();
        assert_eq!((&moved["state"], &moved["endpoint_app"]), (&json!("bound"), &json!(two)));
        assert_eq!(moved["channel"], json!(channel));
        let told = merchant.events(before).await.0;
        assert!(["channel.unbound", "channel.bound"].iter().all(|one| told.iter().any(|told| told == one)), "{told:?}");
        act(&third, "restart", json!({"move": true})).await.refused("authorisation-state");

        let fourth = text(&begin(json!({"id": one})).await["id"]);
        assert_eq!(failed().await, [fourth.as_str()]);
        merchant.binds(&channel, &one, true).await.good();
        assert!(failed().await.is_empty(), "the channel was bound by hand");
        let fifth = text(&begin(json!({"id": two})).await["id"]);
        assert_eq!(act(&fifth, "abandon", json!(null)).await.good()["state"], "abandoned");
        act(&fifth, "abandon", json!(null)).await.refused("authorisation-state");
    }

    async fn e10_a_wechat_account_can_be_vouched_for_in_a_run(host) {
        let merchant = merchant(&host).await;
        let cid = merchant.endpoint("One", &["pi-mall"]).await;
        let vouched = json!({"app_id": "wxb11529c136998cb6", "name": "Shop"});
        let new = json!({"merchant": "bos-1", "kind": "wechat_mini_program", "vouched": vouched, "endpoint_app": {"id": cid}});
        let run = merchant.admin.post("/v1/channel-authorisations", new).await.good();
        assert_eq!(run["state"], "bound", "{run}");
        let path = format!("/v1/channels/{}", text(&run["channel"]));
        assert_eq!(merchant.admin.get(&path).await.good()["proof"], "vouched");
    }

    async fn e5_of_two_merchants_that_authorise_one_channel_one_has_it_and_stays_unnamed(host) {
        let admin = host.admin();
        let merchants = [Merchant::new(&admin, "bos-1").await, Merchant::new(&admin, "bos-2").await];
        let both = merchants.iter().map(|merchant| merchant.authorises("h5", "https://shop.example/a"));
        let answers = join_all(both).await;
        let winner = answers.iter().position(|answer| answer.status == 201).unwrap();
        let problem = answers[1 - winner].refused("channel-taken").to_string();
        assert!(!problem.contains(&merchants[winner].id), "{problem}");
        let again = merchants[winner].authorises("h5", "https://SHOP.example:443/a").await;
        assert_eq!(again.refused("channel-exists")["channel"], answers[winner].json()["id"]);
    }

    async fn e5_a_mini_app_of_ours_needs_a_developer_of_it(host) {
        let scene = Scene::set(host).await;
        let merchant = merchant(&scene.host).await;
        let (account, operator) = operator(&scene.host).await;
        let new = json!({"merchant": merchant.id, "kind": "mini_app", "app_id": "coffee", "name": "Coffee"});
        operator.post("/v1/channels", new.clone()).await.refused("not-found");
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "viewer"})).await.good();
        operator.post("/v1/channels", new.clone()).await.refused("missing-grant");
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "developer"})).await.good();
        operator.post("/v1/channels", new).await.good();
        let told = scene.admin.get("/v1/events?mini_app=coffee").await.good();
        let told = told["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((text(&told["type"]), text(&told["merchant"])), ("channel.authorised".into(), merchant.id));
    }

    async fn e5_an_endpoint_application_of_another_merchant_is_not_there(host) {
        let (one, two) = (merchant(&host).await, Merchant::new(&host.admin(), "bos-2").await);
        two.buys("pi-other", "mall").await;
        let channel = text(&one.authorises("douyin", "tt1").await.good()["id"]);
        one.binds(&channel, &two.default_endpoint().await, false).await.refused("not-found");
        one.node("vid-1", None, &["pi-mall"]).await;
        one.admin.put("/v1/org-nodes/vid-1/products/pi-other", json!(null)).await.refused("not-found");
        one.assigns(&two.default_endpoint().await, "vid-1").await.refused("not-found");
        let new = json!({"merchant": "bos-2", "name": "N", "parent": "vid-1"});
        one.admin.post("/v1/org-nodes", new).await.refused("not-found");
    }

    async fn e7_an_endpoint_application_is_found_by_its_channel_and_by_its_node(host) {
        let merchant = merchant(&host).await;
        let (mall, crm) = (merchant.endpoint("Mall", &["pi-mall"]).await, merchant.endpoint("CRM", &["pi-crm"]).await);
        let channel = merchant.channel("alipay", "2021001161688888", &mall).await;
        merchant.node("vid-1", None, &["pi-mall"]).await;
        let default = merchant.default_endpoint().await;
        assert_eq!(merchant.ids("/v1/endpoint-apps?channel_app_id=2021001161688888").await, [mall.as_str()]);
        assert_eq!(merchant.ids("/v1/channels?app_id=2021001161688888").await, [channel.as_str()]);
        assert_eq!(merchant.ids("/v1/channels?kind=alipay&merchant=bos-1").await, [channel]);
        assert_eq!(merchant.ids("/v1/channels?kind=douyin").await, [""; 0]);
        // A page is found by the address by which it was made a channel, and by any other spelling of it.
        let page = merchant.channel("h5", "https://Shop.Example:443", &crm).await;
        for written in ["https://Shop.Example:443", "https://shop.example/", "https://SHOP.example"] {
            assert_eq!(merchant.ids(&format!("/v1/channels?app_id={written}")).await, [page.as_str()], "{written}");
            assert_eq!(merchant.ids(&format!("/v1/endpoint-apps?channel_app_id={written}")).await, [crm.as_str()], "{written}");
        }
        let mut usable = merchant.ids("/v1/endpoint-apps?org_node=vid-1").await;
        usable.sort();
        let mut expected = [default, mall.clone()];
        expected.sort();
        assert_eq!(usable, expected);
        merchant.assigns(&mall, "vid-1").await.good();
        assert_eq!(merchant.ids(&format!("/v1/org-nodes?endpoint_app={mall}")).await, ["vid-1"]);
        assert_eq!(merchant.ids(&format!("/v1/org-nodes?endpoint_app={crm}")).await, [""; 0]);
    }

    async fn e8_every_change_of_channels_and_nodes_is_told(host) {
        let merchant = merchant(&host).await;
        let (one, two) = (merchant.endpoint("One", &["pi-mall"]).await, merchant.endpoint("Two", &["pi-mall"]).await);
        let (_, before) = merchant.events(0).await;
        let admin = &merchant.admin;
        let channel = merchant.channel("douyin", "tt1", &one).await;
        admin.send("PATCH", &format!("/v1/channels/{channel}"), Some(&json!({"name": "Videos"}))).await.good();
        merchant.binds(&channel, &two, true).await.good();
        merchant.binds(&channel, &two, false).await.good();
        admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.good();
        admin.delete(&format!("/v1/channels/{channel}")).await.good();
        let (kinds, before) = merchant.events(before).await;
        assert_eq!(kinds, ["channel.authorised", "channel.bound", "channel.edited", "channel.unbound", "channel.bound",
            "channel.unbound", "channel.deleted"]);

        merchant.node("vid-1", None, &["pi-mall", "pi-mall"]).await;
        admin.send("PATCH", "/v1/org-nodes/vid-1", Some(&json!({"limited": true}))).await.good();
        merchant.assigns(&one, "vid-1").await.good();
        merchant.assigns(&one, "vid-1").await.good();
        admin.delete(&format!("/v1/endpoint-apps/{one}/org-nodes/vid-1")).await.good();
        merchant.assigns(&two, "vid-1").await.good();
        admin.delete("/v1/org-nodes/vid-1").await.good();
        let (kinds, _) = merchant.events(before).await;
        assert_eq!(kinds, ["org_node.created", "org_node.product_opened", "org_node.edited", "endpoint.org_node_added",
            "endpoint.org_node_removed", "endpoint.org_node_added", "endpoint.org_node_removed",
            "org_node.product_closed", "org_node.deleted"]);
    }

    async fn e9_an_assignment_needs_a_product_of_the_endpoint_application_open_on_the_node(host) {
        let merchant = merchant(&host).await;
        let (mall, default) = (merchant.endpoint("Mall", &["pi-mall"]).await, merchant.default_endpoint().await);
        merchant.node("vid-1", None, &["pi-crm"]).await;
        merchant.assigns(&mall, "vid-1").await.refused("org-node-not-open");
        merchant.assigns(&default, "vid-1").await.good();
        merchant.admin.put("/v1/org-nodes/vid-1/products/pi-mall", json!(null)).await.good();
        merchant.assigns(&mall, "vid-1").await.good();
        assert_eq!(merchant.reach(&mall).await, json!(["vid-1"]));
        merchant.assigns(&mall, "vid-2").await.refused("not-found");
    }

    async fn e9_an_assignment_goes_with_the_last_product_that_allowed_it(host) {
        let merchant = merchant(&host).await;
        let (mall, both) =
            (merchant.endpoint("Mall", &["pi-mall"]).await, merchant.endpoint("Both", &["pi-mall", "pi-crm"]).await);
        for vid in ["vid-1", "vid-2", "vid-3"] {
            merchant.node(vid, None, &["pi-mall", "pi-crm"]).await;
            merchant.assigns(&mall, vid).await.good();
            merchant.assigns(&both, vid).await.good();
        }
        let assigned = async |cid: &str| merchant.ids(&format!("/v1/org-nodes?endpoint_app={cid}")).await;
        merchant.admin.delete("/v1/org-nodes/vid-1/products/pi-mall").await.good();
        assert_eq!(assigned(&mall).await, ["vid-2", "vid-3"], "closed there");
        assert_eq!(assigned(&both).await, ["vid-1", "vid-2", "vid-3"]);
        merchant.admin.delete("/v1/org-nodes/vid-1/products/pi-mall").await.refused("not-found");
        merchant.admin.delete(&format!("/v1/endpoint-apps/{both}/products/pi-crm")).await.good();
        assert_eq!(assigned(&both).await, ["vid-2", "vid-3"], "taken out of the endpoint application");
        merchant.leaves("pi-mall", "mall").await;
        assert_eq!(assigned(&mall).await, [""; 0], "unsubscribed");
        let node = merchant.admin.get("/v1/org-nodes/vid-2").await.good();
        assert_eq!((&node["products"], &node["endpoint_apps"]), (&json!(["pi-crm"]), &json!([])));
        merchant.admin.put("/v1/org-nodes/vid-2/products/pi-mall", json!(null)).await.refused("product-unsubscribed");
    }

    async fn e9_a_limited_node_is_for_those_assigned_to_it(host) {
        let merchant = merchant(&host).await;
        let (mall, both) =
            (merchant.endpoint("Mall", &["pi-mall"]).await, merchant.endpoint("Both", &["pi-mall", "pi-crm"]).await);
        assert_eq!(merchant.reach(&mall).await, Value::Null, "no nodes, no bounds");
        merchant.node("vid-1", None, &["pi-mall"]).await;
        merchant.node("vid-2", Some("vid-1"), &["pi-mall"]).await;
        merchant.node("vid-3", None, &["pi-crm"]).await;
        assert_eq!(merchant.reach(&mall).await, json!(["vid-1", "vid-2"]));
        merchant.admin.send("PATCH", "/v1/org-nodes/vid-2", Some(&json!({"limited": true}))).await.good();
        assert_eq!(merchant.reach(&mall).await, json!(["vid-1"]));
        assert_eq!(merchant.reach(&both).await, json!(["vid-1", "vid-3"]));
        merchant.assigns(&mall, "vid-2").await.good();
        assert_eq!(merchant.reach(&mall).await, json!(["vid-2"]), "assigned somewhere, and so only there");
        assert_eq!(merchant.reach(&both).await, json!(["vid-1", "vid-3"]));
    }

    async fn e9_an_organisation_is_a_tree(host) {
        let merchant = merchant(&host).await;
        merchant.node("vid-1", None, &[]).await;
        merchant.node("vid-2", Some("vid-1"), &[]).await;
        merchant.node("vid-3", Some("vid-2"), &[]).await;
        let edit = async |vid: &str, body: Value| {
            merchant.admin.send("PATCH", &format!("/v1/org-nodes/{vid}"), Some(&body)).await
        };
        for below in ["vid-1", "vid-2", "vid-3"] {
            edit("vid-1", json!({"parent": below})).await.refused("org-node-cycle");
        }
        merchant.admin.delete("/v1/org-nodes/vid-2").await.refused("org-node-in-use");
        assert_eq!(edit("vid-3", json!({"parent": null, "name": "Root"})).await.good()["parent"], Value::Null);
        assert_eq!(edit("vid-1", json!({"parent": "vid-3"})).await.good()["parent"], "vid-3");
        assert_eq!(edit("vid-1", json!({"name": "Renamed"})).await.good()["parent"], "vid-3", "absent stays");
        assert_eq!(merchant.ids("/v1/org-nodes?parent=vid-1").await, ["vid-2"]);
        edit("vid-1", json!({"parent": "vid-9"})).await.refused("not-found");
        let taken = json!({"merchant": "bos-1", "name": "N", "id": "vid-1"});
        merchant.admin.post("/v1/org-nodes", taken).await.refused("org-node-exists");
    }

    async fn e9_two_moves_at_once_make_no_ring(host) {
        let merchant = merchant(&host).await;
        merchant.node("vid-1", None, &[]).await;
        merchant.node("vid-2", None, &[]).await;
        let (one, two) = (json!({"parent": "vid-2"}), json!({"parent": "vid-1"}));
        let moves = [
            merchant.admin.send("PATCH", "/v1/org-nodes/vid-1", Some(&one)),
            merchant.admin.send("PATCH", "/v1/org-nodes/vid-2", Some(&two)),
        ];
        let moved = join_all(moves).await;
        assert_eq!(moved.iter().filter(|answer| answer.status == 200).count(), 1);
        moved.iter().find(|answer| answer.status != 200).unwrap().refused("org-node-cycle");
    }

    async fn e11_a_check_tells_the_mini_app_what_it_is_a_channel_of(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let merchant = merchant(&scene.host).await;
        assert_eq!(scene.check("g", None).await["runtime"]["endpoint"], Value::Null, "not a channel yet");
        let cid = merchant.endpoint("Mall", &["pi-mall"]).await;
        let channel = merchant.channel("mini_app", "coffee", &cid).await;
        let endpoint = scene.check("g", Some("1.0.0")).await["runtime"]["endpoint"].clone();
        let rest = json!({"bos_id": "bos-1", "cid": cid, "org_nodes": null, "products": ["mall"], "unify_users": false});
        let digest = berth_base::ids::Digest::of(rest.to_string().as_bytes());
        assert_eq!(endpoint, with(&rest, "digest", json!(digest)));
        let runtime = merchant.admin.get(&format!("/v1/endpoint-apps/{cid}/runtime")).await.good();
        assert_eq!(runtime["endpoint"], endpoint);

        let body = json!({"host_app": "super-app", "guid": "g", "apps": [{"mini_app": "coffee"}]});
        let explained = scene.admin.post("/v1/check/explain", body).await.good()["results"][0].clone();
        assert_eq!(explained["runtime"]["endpoint"], endpoint);
        let step = explained["steps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(step["rule"], "endpoint");
        assert!(text(&step["says"]).contains(&cid) && text(&step["says"]).contains("mall"), "{step}");

        merchant.admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.good();
        assert_eq!(scene.check("g", None).await["runtime"]["endpoint"], Value::Null);
    }

    async fn e11_what_changes_reaches_checks_on_every_host_within_a_second(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let other = scene.host.beside().await;
        let merchant = merchant(&scene.host).await;
        let cid = merchant.default_endpoint().await;
        merchant.channel("mini_app", "coffee", &cid).await;
        follows(&scene, &other, "products", json!(["crm", "mall"])).await;
        merchant.leaves("pi-mall", "mall").await;
        follows(&scene, &other, "products", json!(["crm"])).await;
        merchant.node("vid-1", None, &["pi-crm"]).await;
        follows(&scene, &other, "org_nodes", json!(["vid-1"])).await;
        merchant.admin.send("PATCH", "/v1/org-nodes/vid-1", Some(&json!({"limited": true}))).await.good();
        follows(&scene, &other, "org_nodes", json!([])).await;
        merchant.assigns(&cid, "vid-1").await.good();
        follows(&scene, &other, "org_nodes", json!(["vid-1"])).await;
        let soon = scene.host.app.db.now().plus_seconds(2);
        let at = scene.host.app.db.now().plus_seconds(-60).to_string();
        merchant.said("purchase", "pi-guide", "guide", &at, json!({"expires_at": soon})).await;
        follows(&scene, &other, "products", json!(["crm", "guide"])).await;
        follows(&scene, &other, "products", json!(["crm"])).await; // by the clock
        let fresh = scene.host.beside().await;
        assert_eq!(scene.check_on(&fresh, "g", None).await["runtime"], scene.check("g", None).await["runtime"]);
    }

    async fn e11_a_mini_app_that_this_host_app_does_not_run_tells_nothing(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let merchant = merchant(&scene.host).await;
        merchant.channel("mini_app", "coffee", &merchant.default_endpoint().await).await;
        assert_ne!(scene.check("g", None).await["runtime"]["endpoint"], Value::Null);
        scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        let answer = scene.check("g", None).await;
        assert_eq!((&answer["status"], &answer["runtime"]), (&json!("unknown"), &Value::Null));
    }

    async fn o4_e11_a_bundle_by_cid_holds_the_channels_and_what_they_run_as(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let merchant = merchant(&scene.host).await;
        let (cid, other) = (merchant.endpoint("Mall", &["pi-mall"]).await, merchant.default_endpoint().await);
        merchant.channel("mini_app", "coffee", &cid).await;
        let device = scene.host.device(&scene.key);
        let ask = async |cid: &str| device.post("/v1/bundles", json!({"host_app": "super-app", "cid": cid})).await;
        let bundle = ask(&cid).await;
        let manifest = manifest(&bundle.bytes);
        assert_eq!(manifest["cid"], cid.as_str());
        let package = &manifest["packages"][0];
        assert_eq!(package["file"], "coffee_1.0.0.apkg");
        assert_eq!(package["runtime"], scene.check("g", None).await["runtime"]);
        assert_eq!(ask(&cid).await.bytes, bundle.bytes, "the same bytes again");
        merchant.admin.put(&format!("/v1/endpoint-apps/{cid}/products/pi-crm"), json!(null)).await.good();
        assert_ne!(ask(&cid).await.bytes, bundle.bytes, "another runtime");
        ask(&other).await.refused("not-found");
        ask("cid_00000000000000000000000000").await.refused("not-found");
        let both = json!({"host_app": "super-app", "cid": cid, "mini_apps": ["coffee"]});
        device.post("/v1/bundles", both).await.refused("invalid-field");
        let whole = scene.admin.post("/v1/bundles", json!({"host_app": "super-app"})).await;
        assert_eq!(self::manifest(&whole.bytes)["packages"][0]["runtime"]["endpoint"], Value::Null, "asked for by no cid");
    }
}

fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

fn manifest(zip: &[u8]) -> Value {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut text = String::new();
    archive.by_name("berth-bundle.json").unwrap().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Waits until another host says this of the endpoint application. A second is promised; a busy machine gets more.
async fn follows(scene: &Scene, other: &Host, member: &str, expected: Value) {
    let began = tokio::time::Instant::now();
    loop {
        let said = scene.check_on(other, "g", None).await["runtime"]["endpoint"][member].clone();
        if said == expected {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(8), "{member}: {said} and not {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

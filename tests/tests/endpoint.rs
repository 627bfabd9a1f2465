//! Merchants, what they have bought, and the endpoint applications that they make of it, over HTTP (E1–E4, E6–E8).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use berth_tests::{Answer, Api, Host, on_both, scene::text, there_is};
use berth_work::{
    config::{Config, Storage},
    endpoint::fulfilment::listen::ListenConfig,
    nats::NatsConfig,
};
use serde_json::{Value, json};

/// A merchant, and the order system that sends messages about it.
struct Store {
    host: Host,
    admin: Api,
}

impl Store {
    /// Creates the merchant `bos-coffee`, which has bought nothing yet.
    async fn open(host: Host) -> Self {
        let admin = host.admin();
        admin.post("/v1/merchants", json!({"name": "Coffee chain", "id": "bos-coffee"})).await.good();
        Self { host, admin }
    }

    /// A message of the order system about something that happened `ago` seconds ago.
    fn says(&self, id: &str, kind: &str, instance: &str, ago: i64) -> Value {
        let product = instance.split('-').next().unwrap();
        let at = self.host.app.db.now().plus_seconds(-ago);
        json!({"id": id, "merchant": "bos-coffee", "instance": instance, "product": product, "kind": kind, "at": at})
    }

    /// Sends one message, and returns the result for it.
    async fn send(&self, message: &Value) -> Value {
        self.admin.post("/v1/fulfilments", message.clone()).await.good()["results"][0].clone()
    }

    async fn buys(&self, instance: &str, ago: i64) {
        let message = self.says(&format!("buy-{instance}"), "purchase", instance, ago);
        assert_eq!(self.send(&message).await["outcome"], "applied");
    }

    async fn unsubscribes(&self, instance: &str, ago: i64) {
        let message = self.says(&format!("leave-{instance}"), "unsubscribe", instance, ago);
        assert_eq!(self.send(&message).await["outcome"], "applied");
    }

    async fn create(&self, name: &str, products: &[&str]) -> Answer {
        let new = json!({"merchant": "bos-coffee", "name": name, "products": products});
        self.admin.post("/v1/endpoint-apps", new).await
    }

    async fn created(&self, name: &str, products: &[&str]) -> String {
        text(&self.create(name, products).await.good()["id"])
    }

    /// Returns the CID of the default endpoint application.
    async fn default(&self) -> String {
        let found = self.list("merchant=bos-coffee&default=true").await;
        assert_eq!(found.len(), 1, "exactly one");
        found.first().unwrap().clone()
    }

    /// The product instances that an endpoint application holds.
    async fn holds(&self, cid: &str) -> Vec<String> {
        let endpoint = self.admin.get(&format!("/v1/endpoint-apps/{cid}")).await.good();
        endpoint["products"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect()
    }

    /// The CIDs of the endpoint applications that a query finds.
    async fn list(&self, query: &str) -> BTreeSet<String> {
        let page = self.admin.get(&format!("/v1/endpoint-apps?{query}")).await.good();
        page["items"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect()
    }

    /// The types of the merchant's events after the event `seq`, in order.
    async fn told_after(&self, seq: i64) -> Vec<String> {
        let page = self.admin.get(&format!("/v1/events?merchant=bos-coffee&after={seq}&limit=1000")).await.good();
        page["items"].as_array().unwrap().iter().map(|one| text(&one["type"])).collect()
    }

    async fn last_event(&self) -> i64 {
        self.admin.get("/v1/events?merchant=bos-coffee&limit=1000").await.good()["last"].as_i64().unwrap()
    }
}

fn set(ids: &[&String]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).clone()).collect()
}

on_both! {
    async fn e1_the_first_purchase_creates_the_default_one_whatever_the_order_and_repetition(host) {
        let store = Store::open(host).await;
        assert!(store.list("merchant=bos-coffee").await.is_empty());
        // Left before it is bought, as far as we hear: no purchase, so no endpoint application.
        store.unsubscribes("mall-1", 10).await;
        assert!(store.list("merchant=bos-coffee").await.is_empty());
        let bought = store.send(&store.says("buy-mall-1", "purchase", "mall-1", 20)).await;
        assert_eq!((&bought["outcome"], &bought["overtaken_by"]), (&json!("applied"), &json!("leave-mall-1")));
        let cid = store.default().await;
        assert!(store.holds(&cid).await.is_empty(), "it was unsubscribed since");
        store.buys("crm-1", 5).await;
        let other = store.send(&store.says("buy-crm-1", "renew", "crm-1", 1)).await;
        assert_eq!((&other["id"], &other["reason"]), (&json!("buy-crm-1"), &json!("message-contradicts")));
        let kept = store.admin.get(&format!("/v1/fulfilments/{}", text(&other["kept_as"]))).await.good();
        assert_eq!((&kept["state"], &kept["message"]["kind"]), (&json!("parked"), &json!("renew")));
        assert_eq!(store.default().await, cid);
        assert_eq!(store.holds(&cid).await, ["crm-1"]);
    }

    async fn e1_a_batch_with_bad_messages_applies_the_good_ones(host) {
        let store = Store::open(host).await;
        let good = store.says("m-1", "purchase", "mall-1", 9);
        let mut unknown = store.says("m-2", "purchase", "mall-2", 9);
        unknown["merchant"] = json!("bos-later");
        let mut odd = store.says("m-3", "purchase", "mall-3", 9);
        odd["expires_at"] = json!("never");
        let messages = json!([good, unknown, odd, 7, good, store.says("m-4", "renew", "mall-1", 3)]);
        let results = store.admin.post("/v1/fulfilments", json!({"messages": messages})).await.good()["results"].clone();
        let outcomes: Vec<_> = results.as_array().unwrap().iter().map(|one| text(&one["outcome"])).collect();
        assert_eq!(outcomes, ["applied", "parked", "parked", "parked", "repeated", "applied"]);
        assert_eq!((&results[1]["reason"], &results[2]["reason"]), (&json!("merchant-unknown"), &json!("malformed")));
        assert!(text(&results[2]["detail"]).starts_with("/expires_at:"), "{}", results[2]);
        assert_eq!(results[3]["detail"], "The message must be an object, and is 7.");
        let parked = store.admin.get("/v1/fulfilments?state=parked").await.good();
        assert_eq!(parked["items"].as_array().unwrap().len(), 3);

        store.admin.post("/v1/merchants", json!({"name": "Later", "id": "bos-later"})).await.good();
        assert_eq!(store.list("merchant=bos-later").await.len(), 1, "the message had waited for its merchant");
        assert_eq!(store.admin.get("/v1/fulfilments/m-2").await.good()["state"], "applied");

        odd["expires_at"] = json!("2099-01-31T08:00:00Z");
        let replayed = store.admin.post("/v1/fulfilments/m-3/replay", json!({"message": odd})).await.good();
        assert_eq!(replayed["outcome"], "applied");
        assert_eq!(store.admin.get("/v1/product-instances/mall-3").await.good()["expires_at"], "2099-01-31T08:00:00.000Z");
        let again = store.admin.post("/v1/fulfilments/replay", json!({"reason": "malformed"})).await.good();
        assert_eq!(again["results"].as_array().unwrap().len(), 1, "the 7 still waits");
    }

    async fn e12_a_parked_message_is_discarded_with_a_note_and_the_alarm_is_over(host) {
        let store = Store::open(host).await;
        let mut odd = store.says("m-1", "purchase", "mall-1", 9);
        odd["kind"] = json!("buy");
        assert_eq!(store.send(&odd).await["reason"], "malformed");
        let discard = "/v1/fulfilments/m-1/discard";
        let nothing = store.admin.post(discard, json!({})).await.refused("invalid-field");
        assert_eq!((&nothing["pointer"], &nothing["detail"]), (&json!("/note"), &json!("/note is missing.")));
        store.admin.post(discard, json!({"note": " "})).await.refused("invalid-field");
        store.admin.post("/v1/fulfilments/m-9/discard", json!({"note": "n"})).await.refused("not-found");
        let seen = store.last_event().await;
        let discarded = store.admin.post(discard, json!({"note": "Their test"})).await.good();
        let me = store.admin.get("/v1/me").await.good()["account"]["id"].clone();
        assert_eq!((&discarded["state"], &discarded["note"], &discarded["discarded_by"]), (&json!("discarded"), &json!("Their test"), &me));
        assert!(discarded["settled_at"].is_string() && discarded.get("reason").is_none(), "{discarded}");
        assert_eq!(store.admin.get("/v1/fulfilments/m-1").await.good(), discarded);
        assert_eq!(store.told_after(seen).await, ["fulfilment.discarded"]);
        assert!(store.admin.get("/v1/fulfilments?state=parked").await.good()["items"].as_array().unwrap().is_empty());
        assert_eq!(store.admin.get("/v1/fulfilments?state=discarded").await.good()["items"], json!([discarded]));
        let refused = store.admin.post(discard, json!({"note": "Another"})).await.refused("fulfilment-settled");
        assert!(text(&refused["detail"]).contains("Their test"), "{refused}");

        let again = store.send(&odd).await;
        assert_eq!((&again["outcome"], again.get("reason")), (&json!("discarded"), None));
        assert!(text(&again["detail"]).contains("Their test"), "{again}");
        odd["kind"] = json!("purchase");
        let replayed = store.admin.post("/v1/fulfilments/m-1/replay", json!({"message": odd})).await.good();
        assert_eq!(replayed["outcome"], "applied");
        assert_eq!(store.admin.get("/v1/fulfilments/m-1").await.good()["state"], "applied");
    }

    async fn e1_a_request_that_is_no_delivery_is_refused_as_a_whole(host) {
        let store = Store::open(host).await;
        store.admin.post("/v1/fulfilments", json!({"messages": []})).await.refused("invalid-field");
        store.admin.post("/v1/fulfilments", json!({"messages": vec![json!({}); 1001]})).await.refused("invalid-field");
        store.admin.post("/v1/fulfilments", json!({"messages": "all"})).await.refused("invalid-field");
        store.admin.post("/v1/fulfilments/m-9/replay", json!({})).await.refused("not-found");
    }

    async fn e2_the_default_one_holds_all_active_instances_always(host) {
        let store = Store::open(host).await;
        for instance in ["mall-1", "crm-1", "guide-1"] {
            store.buys(instance, 50).await;
        }
        let cid = store.default().await;
        assert_eq!(store.holds(&cid).await, ["crm-1", "guide-1", "mall-1"]);
        store.unsubscribes("crm-1", 40).await;
        assert_eq!(store.holds(&cid).await, ["guide-1", "mall-1"]);
        // Its time is over by the clock of the host.
        let mut short = store.says("short", "renew", "mall-1", 30);
        short["expires_at"] = json!(store.host.app.db.now().plus_seconds(1));
        store.send(&short).await;
        let mut tries = 0;
        while store.holds(&cid).await.len() == 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            tries += 1;
            assert!(tries < 100, "mall-1 does not expire");
        }
        assert_eq!(store.admin.get("/v1/product-instances/mall-1").await.good()["state"], "expired");
        store.send(&store.says("again", "renew", "mall-1", 0)).await;
        assert_eq!(store.holds(&cid).await, ["guide-1", "mall-1"]);

        store.admin.put(&format!("/v1/endpoint-apps/{cid}/products/crm-1"), json!(null)).await.refused("endpoint-default");
        store.admin.delete(&format!("/v1/endpoint-apps/{cid}/products/mall-1")).await.refused("endpoint-default");
        store.admin.delete(&format!("/v1/endpoint-apps/{cid}")).await.refused("endpoint-default");
    }

    async fn e3_custom_ones_hold_what_was_chosen_and_share_it_freely(host) {
        let store = Store::open(host).await;
        for instance in ["mall-1", "crm-1", "guide-1"] {
            store.buys(instance, 50).await;
        }
        let club = store.created("Club", &["crm-1", "guide-1", "crm-1"]).await;
        let shop = store.created("Shop", &["mall-1", "crm-1"]).await;
        assert_eq!(store.holds(&club).await, ["crm-1", "guide-1"]);
        assert_eq!(store.holds(&shop).await, ["crm-1", "mall-1"]);
        let product = |instance: &str| format!("/v1/endpoint-apps/{club}/products/{instance}");
        store.admin.put(&product("mall-1"), json!(null)).await.good();
        store.admin.put(&product("mall-1"), json!(null)).await.good();
        store.admin.delete(&product("crm-1")).await.good();
        store.admin.delete(&product("crm-1")).await.refused("not-found");
        assert_eq!(store.holds(&club).await, ["guide-1", "mall-1"]);
        store.admin.delete(&product("guide-1")).await.good();
        store.admin.delete(&product("mall-1")).await.refused("endpoint-empty");
        let path = format!("/v1/endpoint-apps/{shop}");
        let renamed = store.admin.send("PATCH", &path, Some(&json!({"name": "Sale"}))).await.good();
        assert_eq!(renamed["name"], "Sale");
        store.admin.delete(&path).await.good();
        store.admin.get(&path).await.refused("not-found");
    }

    async fn e14_no_two_endpoint_applications_have_one_name_case_and_blanks_aside(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        let shop = store.created("Member shop", &["mall-1"]).await;
        let before = store.last_event().await;
        let refused = store.create(" MEMBER  Shop", &["mall-1"]).await.refused("name-taken");
        assert_eq!((&refused["endpoint_app"], &refused["field"]), (&json!(shop), &json!("name")));
        assert!(store.told_after(before).await.is_empty());
        let (default, sale) = (store.default().await, store.created("Sale", &["mall-1"]).await);
        let rename = async |cid: &str, name: &str| {
            store.admin.send("PATCH", &format!("/v1/endpoint-apps/{cid}"), Some(&json!({"name": name}))).await
        };
        rename(&sale, "membershop").await.refused("name-taken");
        rename(&sale, "SALE").await.good();
        rename(&default, "Sale").await.good();
        store.admin.delete(&format!("/v1/endpoint-apps/{shop}")).await.good();
        store.created("Member shop", &["mall-1"]).await;
    }

    async fn e3_what_cannot_be_chosen_is_refused_and_leaves_nothing_behind(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        store.buys("crm-1", 50).await;
        store.unsubscribes("crm-1", 40).await;
        store.admin.post("/v1/merchants", json!({"name": "Other", "id": "bos-other"})).await.good();
        let mut foreign = store.says("foreign", "purchase", "mall-9", 9);
        foreign["merchant"] = json!("bos-other");
        store.send(&foreign).await;
        let before = store.last_event().await;
        store.create("None", &[]).await.refused("invalid-field");
        store.create("Gone", &["mall-1", "crm-1"]).await.refused("product-unsubscribed");
        store.create("Foreign", &["mall-1", "mall-9"]).await.refused("not-found");
        store.create("Unheard of", &["mall-1", "mall-404"]).await.refused("not-found");
        store.create("", &["mall-1"]).await.refused("invalid-field");
        assert_eq!(store.list("merchant=bos-coffee").await.len(), 1);
        assert!(store.told_after(before).await.is_empty());
    }

    async fn e3_f80_whose_a_product_instance_is_is_said_to_whoever_may_know_it(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        store.admin.post("/v1/merchants", json!({"name": "Other", "id": "bos-other"})).await.good();
        let mut foreign = store.says("foreign", "purchase", "mall-9", 9);
        foreign["merchant"] = json!("bos-other");
        store.send(&foreign).await;
        let club = store.created("Club", &["mall-1"]).await;
        let added = store.admin.put(&format!("/v1/endpoint-apps/{club}/products/mall-9"), json!(null)).await;
        assert_eq!(added.refused("not-found")["merchant"], "bos-other");
        let refused = store.create("Foreign", &["mall-1", "mall-9"]).await.refused("not-found");
        assert_eq!(refused["detail"], "The product instance mall-9 is bos-other's, not bos-coffee's.");
        assert_eq!(refused["next"], "berth product list --merchant bos-coffee");
        store.admin.post("/v1/org-nodes", json!({"merchant": "bos-coffee", "name": "N", "id": "vid-1"})).await.good();
        let opened = store.admin.put("/v1/org-nodes/vid-1/products/mall-9", json!(null)).await;
        assert_eq!(opened.refused("not-found")["merchant"], "bos-other");
        // Who may not know the other merchant is not told of it.
        let (account, operator) = store.host.somebody("operator").await;
        store.admin.put(&format!("/v1/merchants/bos-coffee/members/{account}"), json!({"role": "operator"})).await.good();
        let foreign = json!({"merchant": "bos-coffee", "name": "Foreign", "products": ["mall-9"]});
        let mut blind = operator.post("/v1/endpoint-apps", foreign).await.refused("not-found");
        assert!(!blind.to_string().contains("bos-other"), "{blind}");
        let unheard = json!({"merchant": "bos-coffee", "name": "Foreign", "products": ["mall-404"]});
        let mut unheard = operator.post("/v1/endpoint-apps", unheard).await.refused("not-found");
        for problem in [&mut blind, &mut unheard] {
            problem.as_object_mut().unwrap().remove("request_id");
        }
        assert_eq!(blind.to_string(), unheard.to_string().replace("mall-404", "mall-9"), "they look alike");
    }

    async fn e4_an_unsubscribed_instance_leaves_every_endpoint_application(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        store.buys("crm-1", 50).await;
        let (default, club) = (store.default().await, store.created("Club", &["crm-1"]).await);
        let both = store.created("Both", &["mall-1", "crm-1"]).await;
        store.unsubscribes("crm-1", 40).await;
        for (cid, left) in [(&default, vec!["mall-1"]), (&club, vec![]), (&both, vec!["mall-1"])] {
            assert_eq!(store.holds(cid).await, left);
        }
        // Bought again, it is active again; what was chosen is over.
        store.send(&store.says("again", "purchase", "crm-1", 30)).await;
        assert_eq!(store.holds(&default).await, ["crm-1", "mall-1"]);
        assert!(store.holds(&club).await.is_empty());
        // A repetition of the unsubscription, and an older one that arrives late, end nothing that came after them.
        store.admin.put(&format!("/v1/endpoint-apps/{club}/products/crm-1"), json!(null)).await.good();
        assert_eq!(store.send(&store.says("older", "unsubscribe", "crm-1", 45)).await["outcome"], "applied");
        assert_eq!(store.holds(&club).await, ["crm-1"]);
    }

    async fn e6_whether_users_are_unified_across_endpoint_applications_is_a_setting(host) {
        let store = Store::open(host).await;
        let merchant = store.admin.get("/v1/merchants/bos-coffee").await.good();
        assert_eq!(merchant["unify_users"], false);
        let edit = json!({"unify_users": true});
        store.admin.send("PATCH", "/v1/merchants/bos-coffee", Some(&edit)).await.good();
        assert_eq!(store.admin.get("/v1/merchants/bos-coffee").await.good()["unify_users"], true);
    }

    async fn e7_endpoint_applications_are_found_by_everything_that_leads_to_them(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        store.buys("crm-1", 50).await;
        let (default, club) = (store.default().await, store.created("Club", &["crm-1"]).await);
        let sale = store.created("Sale", &["mall-1"]).await;
        assert_eq!(store.list("merchant=bos-coffee").await, set(&[&default, &club, &sale]));
        assert_eq!(store.list("merchant=bos-coffee&default=false").await, set(&[&club, &sale]));
        assert_eq!(store.list("product_instance=crm-1").await, set(&[&default, &club]));
        store.unsubscribes("crm-1", 40).await;
        assert!(store.list("product_instance=crm-1").await.is_empty());

        let new = json!({"merchant": "bos-coffee", "kind": "douyin", "app_id": "tt42", "name": "Videos"});
        let channel = text(&store.admin.post("/v1/channels", new).await.good()["id"]);
        assert!(store.list("channel_app_id=tt42").await.is_empty(), "not bound");
        let bind = json!({"endpoint_app": sale});
        store.admin.put(&format!("/v1/channels/{channel}/endpoint-app"), bind).await.good();
        assert_eq!(store.list("channel_app_id=tt42").await, set(&[&sale]));
        let full = store.admin.get(&format!("/v1/endpoint-apps/{sale}")).await.good();
        assert_eq!((&full["channels"][0]["app_id"], &full["merchant"]), (&json!("tt42"), &json!("bos-coffee")));
        let refused = store.admin.delete(&format!("/v1/endpoint-apps/{sale}")).await.refused("endpoint-in-use");
        assert_eq!(refused["channels"], json!([channel]));

        let first = store.admin.get("/v1/endpoint-apps?limit=2").await.good();
        let cursor = text(&first["next"]);
        let second = store.admin.get(&format!("/v1/endpoint-apps?limit=2&cursor={cursor}")).await.good();
        assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
        store.admin.get("/v1/endpoint-apps?merchant=bos-nobody").await.refused("not-found");
    }

    async fn e7_endpoint_applications_are_found_by_the_node_at_which_they_may_be_used(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        store.buys("crm-1", 50).await;
        let (default, club) = (store.default().await, store.created("Club", &["crm-1"]).await);
        for node in ["vid-north", "vid-south"] {
            let new = json!({"merchant": "bos-coffee", "name": node, "id": node});
            store.admin.post("/v1/org-nodes", new).await.good();
        }
        assert!(store.list("org_node=vid-north").await.is_empty(), "nothing is open there");
        store.admin.put("/v1/org-nodes/vid-north/products/mall-1", json!(null)).await.good();
        assert_eq!(store.list("org_node=vid-north").await, set(&[&default]));
        store.admin.put("/v1/org-nodes/vid-north/products/crm-1", json!(null)).await.good();
        store.admin.put("/v1/org-nodes/vid-south/products/crm-1", json!(null)).await.good();
        assert_eq!(store.list("org_node=vid-north").await, set(&[&default, &club]));
        // Assigned to the south, it may be used there only; a limited node lets in what is assigned to it.
        store.admin.put(&format!("/v1/endpoint-apps/{club}/org-nodes/vid-south"), json!(null)).await.good();
        assert_eq!(store.list("org_node=vid-north").await, set(&[&default]));
        store.admin.send("PATCH", "/v1/org-nodes/vid-south", Some(&json!({"limited": true}))).await.good();
        assert_eq!(store.list("org_node=vid-south").await, set(&[&club]));
        for node in ["vid-north", "vid-south"] {
            for (cid, reaches) in [(&default, node == "vid-north"), (&club, node == "vid-south")] {
                let reach = store.admin.get(&format!("/v1/endpoint-apps/{cid}/org-nodes")).await.good();
                assert_eq!(reach["org_nodes"].as_array().unwrap().contains(&json!(node)), reaches, "the list agrees");
            }
        }
        // The product goes, and with it the assignment that stood on it.
        store.unsubscribes("crm-1", 40).await;
        let full = store.admin.get(&format!("/v1/endpoint-apps/{club}")).await.good();
        assert_eq!((&full["products"], &full["org_nodes"]), (&json!([]), &json!([])));
    }

    async fn e7_product_instances_are_found_by_merchant_product_state_and_endpoint_application(host) {
        let store = Store::open(host).await;
        store.buys("mall-1", 50).await;
        store.buys("mall-2", 50).await;
        store.buys("crm-1", 50).await;
        let (default, club) = (store.default().await, store.created("Club", &["crm-1", "mall-1"]).await);
        store.unsubscribes("mall-2", 40).await;
        let cases = [
            ("merchant=bos-coffee".to_owned(), vec!["crm-1", "mall-1", "mall-2"]),
            ("merchant=bos-coffee&product=mall".into(), vec!["mall-1", "mall-2"]),
            ("product=mall&state=active".into(), vec!["mall-1"]),
            (format!("endpoint_app={club}&product=crm"), vec!["crm-1"]),
            (format!("endpoint_app={default}"), vec!["crm-1", "mall-1"]),
            ("org_node=vid-nowhere".into(), vec![]),
        ];
        for (query, expected) in cases {
            let page = store.admin.get(&format!("/v1/product-instances?{query}")).await.good();
            let found: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
            assert_eq!(found, expected, "{query}");
        }
    }

    async fn e2_e3_e7_who_holds_what_is_seen_side_by_side(host) {
        let store = Store::open(host).await;
        for instance in ["crm-1", "guide-1", "mall-1"] {
            store.buys(instance, 50).await;
        }
        let (default, club) = (store.default().await, store.created("Club", &["crm-1", "guide-1"]).await);
        store.unsubscribes("guide-1", 40).await;
        let matrix = async |query: &str| {
            let path = format!("/v1/merchants/bos-coffee/endpoint-matrix?{query}");
            let matrix = store.admin.get(&path).await.good();
            let columns = matrix["products"]["items"].as_array().unwrap().iter().map(|one| text(&one["id"]));
            let rows = matrix["endpoint_apps"]["items"].as_array().unwrap().iter();
            let rows: Vec<_> = rows.map(|row| (text(&row["id"]), row["holds"].clone())).collect();
            (columns.collect::<Vec<_>>(), rows, matrix)
        };
        let (columns, rows, _) = matrix("").await;
        assert_eq!(columns, ["crm-1", "mall-1"], "what was given up is no column");
        assert_eq!(rows, [(default.clone(), json!(["crm-1", "mall-1"])), (club.clone(), json!(["crm-1"]))]);
        for number in 10..30 {
            store.buys(&format!("mall-{number}"), 50).await;
        }
        let (columns, rows, whole) = matrix("").await;
        assert_eq!((columns.len(), &whole["products"]["next"]), (10, &json!("mall-17")));
        assert_eq!(rows[1], (club.clone(), json!(["crm-1"])));
        let (columns, rows, _) = matrix("products=mall-17").await;
        assert_eq!((&*columns[0], rows[0].1.as_array().unwrap().len(), &rows[1].1), ("mall-18", 10, &json!([])));
        let (_, rows, _) = matrix(&format!("endpoint_apps={default}")).await;
        assert_eq!(rows, [(club, json!(["crm-1"]))]);
    }

    async fn e8_every_change_is_told_once(host) {
        let store = Store::open(host).await;
        let mut seen = store.last_event().await;
        store.buys("mall-1", 50).await;
        let told = ["endpoint.created", "product_instance.created", "endpoint.product_added"];
        assert_eq!(store.told_after(seen).await, told);
        seen = store.last_event().await;
        store.buys("crm-1", 50).await;
        assert_eq!(store.told_after(seen).await, ["product_instance.created", "endpoint.product_added"]);
        seen = store.last_event().await;
        let club = store.created("Club", &["crm-1"]).await;
        store.admin.put(&format!("/v1/endpoint-apps/{club}/products/crm-1"), json!(null)).await.good();
        assert_eq!(store.told_after(seen).await, ["endpoint.created", "endpoint.product_added"]);
        seen = store.last_event().await;
        store.unsubscribes("crm-1", 40).await;
        store.unsubscribes_again("crm-1", 40).await;
        let told = ["product_instance.changed", "endpoint.product_removed", "endpoint.product_removed"];
        assert_eq!(store.told_after(seen).await, told, "it left the default one and the club");
        seen = store.last_event().await;
        store.send(&store.says("old", "renew", "mall-1", 60)).await;
        assert!(store.told_after(seen).await.is_empty(), "an old message says nothing new");
        store.admin.delete(&format!("/v1/endpoint-apps/{club}")).await.good();
        assert_eq!(store.told_after(seen).await, ["endpoint.deleted"]);
    }
}

/// Starts a host that takes fulfilment messages from a subject of NATS.
async fn listening_to(subject: &str, nats: &NatsConfig) -> Host {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut config = Config::with_defaults(Storage::in_folder(folder.path().to_owned()));
    config.nats = nats.clone();
    config.listen_to = ListenConfig { nats_fulfilments: Some(subject.into()) };
    Host::with(config, folder).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e1_messages_come_from_nats_as_well_and_parked_ones_hold_up_nothing() {
    let Some(url) = there_is("BERTH_TEST_NATS") else { return };
    let nats = NatsConfig { nats_url: Some(url), ..NatsConfig::default() };
    let subject = format!("orders.{}", std::process::id());
    let store = Store::open(listening_to(&subject, &nats).await).await;
    let context = berth_work::nats::connect(&nats).await.unwrap();
    let batch = json!({"messages": [store.says("m-1", "purchase", "mall-1", 9), {"id": "m-2"}]});
    for payload in ["\u{0} what?".to_owned(), batch.to_string(), store.says("m-3", "purchase", "crm-1", 5).to_string()]
    {
        // The host creates the stream when it is up.
        while context.publish(subject.clone(), payload.clone().into()).await.unwrap().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    let stream = format!("ORDERS_{}", std::process::id());
    let mut waiting = 3;
    for _ in 0..200 {
        waiting = context.get_stream(&stream).await.unwrap().cached_info().state.messages;
        if waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(waiting, 0, "all are acknowledged");
    let cid = store.default().await;
    assert_eq!(store.holds(&cid).await, ["crm-1", "mall-1"]);
    let parked = store.admin.get("/v1/fulfilments?state=parked").await.good();
    assert_eq!(parked["items"].as_array().unwrap().len(), 2);
}

impl Store {
    async fn unsubscribes_again(&self, instance: &str, ago: i64) {
        let message = self.says(&format!("leave-twice-{instance}"), "unsubscribe", instance, ago + 1);
        assert_eq!(self.send(&message).await["outcome"], "applied", "older than the first one, so it changes nothing");
    }
}

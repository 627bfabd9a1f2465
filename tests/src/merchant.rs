//! A merchant that buys products, for the tests of endpoint applications.

use serde_json::{Value, json};

use crate::{Answer, Api, scene::text};

/// A merchant, as an admin of the platform works with it.
pub struct Merchant {
    /// The merchant's BosID.
    pub id: String,
    /// A client that acts as an admin of the platform.
    pub admin: Api,
}

impl Merchant {
    /// Creates a merchant whose BosID and name are `id`.
    pub async fn new(admin: &Api, id: &str) -> Self {
        admin.post("/v1/merchants", json!({"name": id, "id": id})).await.good();
        Self { id: id.into(), admin: admin.clone() }
    }

    /// Sends a fulfilment message and asserts that it is applied: `said("purchase", "pi-mall", "mall",
    /// "2026-01-01T00:00:00Z", json!({}))`.
    pub async fn said(&self, kind: &str, instance: &str, product: &str, at: &str, more: Value) {
        let mut message = json!({"id": format!("{kind}-{instance}-{at}"), "merchant": self.id, "instance": instance,
            "product": product, "kind": kind, "at": at});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let receipts = self.admin.post("/v1/fulfilments", message).await.good();
        assert_eq!(receipts["results"][0]["outcome"], "applied", "{receipts}");
    }

    /// Sends the message that the merchant buys a product as the product instance `instance`.
    pub async fn buys(&self, instance: &str, product: &str) {
        self.said("purchase", instance, product, "2026-01-01T00:00:00Z", json!({})).await;
    }

    /// Sends the message that the merchant gives up a product instance.
    pub async fn leaves(&self, instance: &str, product: &str) {
        self.said("unsubscribe", instance, product, "2026-02-01T00:00:00Z", json!({})).await;
    }

    /// Creates an endpoint application with these product instances, and returns its CID.
    pub async fn endpoint(&self, name: &str, products: &[&str]) -> String {
        let new = json!({"merchant": self.id, "name": name, "products": products});
        text(&self.admin.post("/v1/endpoint-apps", new).await.good()["id"])
    }

    /// Returns the CID of the merchant's default endpoint application.
    pub async fn default_endpoint(&self) -> String {
        let path = format!("/v1/endpoint-apps?merchant={}&default=true", self.id);
        text(&self.admin.get(&path).await.good()["items"][0]["id"])
    }

    /// Registers a channel that was authorised outside Berth.
    pub async fn authorises(&self, kind: &str, app_id: &str) -> Answer {
        let new = json!({"merchant": self.id, "kind": kind, "app_id": app_id, "name": app_id});
        self.admin.post("/v1/channels", new).await
    }

    /// Creates a channel, binds it to an endpoint application, and returns its id.
    pub async fn channel(&self, kind: &str, app_id: &str, cid: &str) -> String {
        let id = text(&self.authorises(kind, app_id).await.good()["id"]);
        self.binds(&id, cid, false).await.good();
        id
    }

    /// Binds a channel to an endpoint application. `take` also takes it from the one that it is bound to.
    pub async fn binds(&self, channel: &str, cid: &str, take: bool) -> Answer {
        let body = json!({"endpoint_app": cid, "move": take});
        self.admin.put(&format!("/v1/channels/{channel}/endpoint-app"), body).await
    }

    /// Creates an organisation node on which these product instances are open.
    pub async fn node(&self, vid: &str, parent: Option<&str>, open: &[&str]) {
        let new = json!({"merchant": self.id, "name": vid, "id": vid, "parent": parent});
        self.admin.post("/v1/org-nodes", new).await.good();
        for instance in open {
            self.admin.put(&format!("/v1/org-nodes/{vid}/products/{instance}"), json!(null)).await.good();
        }
    }

    /// Assigns an endpoint application to an organisation node.
    pub async fn assigns(&self, cid: &str, vid: &str) -> Answer {
        self.admin.put(&format!("/v1/endpoint-apps/{cid}/org-nodes/{vid}"), json!(null)).await
    }

    /// Returns the organisation nodes at which an endpoint application may be used.
    pub async fn reach(&self, cid: &str) -> Value {
        self.admin.get(&format!("/v1/endpoint-apps/{cid}/org-nodes")).await.good()["org_nodes"].clone()
    }

    /// Returns the ids of the things on the first page of a list.
    pub async fn ids(&self, path: &str) -> Vec<String> {
        let page = self.admin.get(path).await.good();
        page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
    }

    /// Returns the types of the merchant's events after the event `seq`, oldest first, and the number of the last one.
    pub async fn events(&self, seq: i64) -> (Vec<String>, i64) {
        let path = format!("/v1/events?merchant={}&after={seq}&limit=1000", self.id);
        let page = self.admin.get(&path).await.good();
        let kinds = page["items"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
        (kinds, page["last"].as_i64().unwrap())
    }
}

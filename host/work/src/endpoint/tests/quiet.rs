//! A call that changes nothing emits no event; one that changes something does (E8, I6).

use super::*;
use berth_model::{
    access::{Role, Scope},
    endpoint::channel::{ChannelKind, EditChannel, NewChannel},
};

use crate::{
    access,
    endpoint::{channel, org},
};

/// A merchant with an active product, its endpoint application, a node and a channel.
struct Shop {
    host: TestHost,
    merchant: MerchantId,
    cid: EndpointAppId,
}

impl Shop {
    async fn open() -> Self {
        let host = crate::testing::host().await;
        let merchant = create_merchant(&host, "bos-one").await;
        apply(&host, &[message("bos-one", "i-1", "m-1", "purchase", 0)]).await;
        let cid = choose(&host, &merchant, &["i-1"]).await;
        Self { host, merchant, cid }
    }

    /// The types of the events after the first `before` ones.
    async fn told_since(&self, before: usize) -> Vec<String> {
        told(&self.host, &self.merchant).await.split_off(before).into_iter().map(|event| event.kind).collect()
    }

    async fn told(&self) -> usize {
        told(&self.host, &self.merchant).await.len()
    }

    async fn node(&self) -> berth_base::ids::OrgNodeId {
        let new = serde_json::from_value(json!({"merchant": self.merchant, "name": "N", "id": "vid-1"})).unwrap();
        let node = org::create(&self.host.app.db, &self.host.caller, new).await.unwrap().id;
        org::open(&self.host.app.db, &self.host.caller, &node, &"i-1".parse().unwrap()).await.unwrap();
        node
    }
}

#[tokio::test]
async fn e8_an_edit_that_changes_nothing_is_not_told() {
    let shop = Shop::open().await;
    let (app, caller, node) = (&shop.host.app, &shop.host.caller, shop.node().await);
    let new = NewChannel {
        merchant: shop.merchant.clone(),
        kind: ChannelKind::Douyin,
        app_id: "tt1".into(),
        name: "V".into(),
    };
    let channel = channel::create(&app.db, caller, new).await.unwrap().id;
    let before = shop.told().await;
    for edit in [json!({}), json!({"name": "M", "unify_users": false})] {
        merchant::edit(&app.db, caller, &shop.merchant, serde_json::from_value(edit).unwrap()).await.unwrap();
    }
    for edit in [json!({}), json!({"name": "N", "parent": null, "limited": false})] {
        org::edit(&app.db, caller, &node, serde_json::from_value(edit).unwrap()).await.unwrap();
    }
    let name = endpoint(app, &shop.host, &shop.cid).await.app.name;
    for edit in [json!({}), json!({ "name": name })] {
        app::edit(&app.db, caller, &shop.cid, serde_json::from_value(edit).unwrap()).await.unwrap();
    }
    channel::edit(&app.db, caller, &channel, EditChannel { name: "V".into() }).await.unwrap();
    assert!(shop.told_since(before).await.is_empty());
    channel::edit(&app.db, caller, &channel, EditChannel { name: "W".into() }).await.unwrap();
    assert_eq!(shop.told_since(before).await, ["channel.edited"]);
}

#[tokio::test]
async fn e8_each_assignment_that_ends_with_its_endpoint_application_or_node_is_told() {
    let shop = Shop::open().await;
    let (app, caller, node) = (&shop.host.app, &shop.host.caller, shop.node().await);
    org::assign(&app.db, caller, &shop.cid, &node).await.unwrap();
    let before = shop.told().await;
    app::delete(&app.db, caller, &shop.cid).await.unwrap();
    assert_eq!(shop.told_since(before).await, ["endpoint.org_node_removed", "endpoint.deleted"]);
    let default = defaults(&shop.host, &shop.merchant).await.remove(0).app.id;
    org::assign(&app.db, caller, &default, &node).await.unwrap();
    let before = shop.told().await;
    org::delete(&app.db, caller, &node).await.unwrap();
    let ended = ["endpoint.org_node_removed", "org_node.product_closed", "org_node.deleted"];
    assert_eq!(shop.told_since(before).await, ended);
}

#[tokio::test]
async fn i6_a_role_given_twice_and_a_token_revoked_twice_are_told_once() {
    let shop = Shop::open().await;
    let (app, caller) = (&shop.host.app, &shop.host.caller);
    let new = serde_json::from_value(json!({"name": "somebody"})).unwrap();
    let account = access::create_account(&app.db, caller, &new).await.unwrap().id;
    let scope = Scope::Merchant(shop.merchant.clone());
    for role in [Role::Viewer, Role::Viewer, Role::Operator] {
        access::set_role(&app.db, caller, &scope, &account, Some(role)).await.unwrap();
    }
    let new = serde_json::from_value(json!({"name": "laptop"})).unwrap();
    let token = access::issue_token(&app.db, caller, None, new).await.unwrap().token.id;
    for _ in 0..2 {
        access::revoke_token(&app.db, caller, &token).await.unwrap();
    }
    let query = EventQuery { limit: Some(1000), ..EventQuery::default() };
    let all = event::list(&app.db, caller, &query).await.unwrap().items;
    let times = |kind: &str, subject: &str| all.iter().filter(|one| one.kind == kind && one.subject == subject).count();
    assert_eq!(times("member.granted", account.as_str()), 2);
    assert_eq!(times("token.revoked", token.as_str()), 1);
}

#[tokio::test]
async fn e7_organisation_nodes_are_found_by_the_product_instance_that_is_open_on_them() {
    let shop = Shop::open().await;
    let node = shop.node().await;
    apply(&shop.host, &[message("bos-one", "i-2", "m-2", "purchase", 0)]).await;
    for (instance, expected) in [("i-1", vec![node]), ("i-2", vec![])] {
        let query = org::OrgNodeQuery { product_instance: Some(instance.parse().unwrap()), ..Default::default() };
        let found = org::list(&shop.host.app.db, &shop.host.caller, &query).await.unwrap().items;
        assert_eq!(found.into_iter().map(|node| node.id).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn f77_a_merchant_whose_rows_cannot_be_read_does_not_stop_the_clock_of_others() {
    let host = crate::testing::host().await;
    for id in ["bos-1", "bos-2", "bos-3"] {
        let new = serde_json::from_value(json!({"name": "M", "id": id})).unwrap();
        crate::endpoint::merchant::create(&host.app.db, &host.caller, new).await.unwrap();
        let buys = json!({"id": format!("m-{id}"), "merchant": id, "instance": format!("pi-{id}"), "product": "mall",
            "kind": "purchase", "at": DAWN, "expires_at": DAWN.plus_seconds(5)});
        crate::endpoint::fulfilment::deliver(&host.app.intake, &host.caller, &[buys]).await.unwrap();
    }
    let broken = "UPDATE product_instance SET said_kind = 'none' WHERE merchant_id = 'bos-2'";
    berth_store::testing::run(&host.app.db, broken).await;
    host.clock.advance_seconds(5);
    crate::endpoint::ticker::tick(&host.app.db).await.unwrap();
    let expired = "SELECT COUNT(*) FROM product_instance WHERE state = 'expired'";
    assert_eq!(berth_store::testing::number(&host.app.db, expired).await, 2);
}

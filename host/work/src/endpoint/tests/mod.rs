//! Fulfilment messages through the whole of a host, on SQLite or PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]

mod converge;
mod parked;
mod quiet;

use serde_json::{Value, json};

use berth_model::endpoint::{
    app::{EndpointAppQuery, EndpointAppView, NewEndpointApp},
    fulfilment::{Receipt, ReceiptOutcome},
    instance::InstanceQuery,
};

use crate::endpoint::{app, fulfilment, instance, merchant};
use berth_base::ids::{EndpointAppId, InstanceId, MerchantId};
use berth_model::event::{Event, EventQuery};

use crate::{
    app::App,
    event,
    testing::{DAWN, TestHost},
};

/// A message about one of the merchant's instances, dated `at` seconds after [`DAWN`].
fn message(merchant: &str, instance: &str, id: &str, kind: &str, at: i64) -> Value {
    json!({"id": id, "merchant": merchant, "instance": instance, "product": "mall", "kind": kind,
           "at": DAWN.plus_seconds(at)})
}

fn and(mut message: Value, member: &str, value: impl serde::Serialize) -> Value {
    message[member] = json!(value);
    message
}

async fn create_merchant(host: &TestHost, id: &str) -> MerchantId {
    let new = serde_json::from_value(json!({"name": "M", "id": id})).unwrap();
    merchant::create(&host.app.db, &host.caller, new).await.unwrap().id
}

async fn deliver(host: &TestHost, messages: &[Value]) -> Vec<Receipt> {
    fulfilment::deliver(&host.app.intake, &host.caller, messages).await.unwrap().results
}

/// The outcome of each message, or the reason for which it was parked.
async fn outcomes(host: &TestHost, messages: &[Value]) -> Vec<String> {
    let word = |receipt: Receipt| receipt.reason.map_or(receipt.outcome.to_string(), |reason| reason.to_string());
    deliver(host, messages).await.into_iter().map(word).collect()
}

async fn apply(host: &TestHost, messages: &[Value]) {
    for receipt in deliver(host, messages).await {
        assert_eq!(receipt.outcome, ReceiptOutcome::Applied, "{receipt:?}");
    }
}

async fn instances(host: &TestHost, merchant: &MerchantId) -> Vec<berth_model::endpoint::ProductInstance> {
    let query = InstanceQuery { merchant: Some(merchant.clone()), ..InstanceQuery::default() };
    instance::list(&host.app.db, &host.caller, &query).await.unwrap().items
}

async fn endpoint(app: &App, host: &TestHost, id: &EndpointAppId) -> EndpointAppView {
    app::get(&app.db, &host.caller, id).await.unwrap()
}

/// The merchant's default endpoint applications, of which there must be at most one.
async fn defaults(host: &TestHost, merchant: &MerchantId) -> Vec<EndpointAppView> {
    let query =
        EndpointAppQuery { merchant: Some(merchant.clone()), default: Some(true), ..EndpointAppQuery::default() };
    let mut found = Vec::new();
    for one in app::list(&host.app.db, &host.caller, &query).await.unwrap().items {
        found.push(endpoint(&host.app, host, &one.id).await);
    }
    found
}

async fn choose(host: &TestHost, merchant: &MerchantId, products: &[&str]) -> EndpointAppId {
    let products = products.iter().map(|id| id.parse().unwrap()).collect();
    let query = EndpointAppQuery { merchant: Some(merchant.clone()), ..EndpointAppQuery::default() };
    let known = app::list(&host.app.db, &host.caller, &query).await.unwrap().items.len();
    let new = NewEndpointApp { merchant: merchant.clone(), name: format!("Chosen {known}"), products };
    app::create(&host.app.db, &host.caller, new).await.unwrap().app.id
}

fn held(endpoint: &EndpointAppView) -> Vec<InstanceId> {
    endpoint.products.iter().map(|one| one.id.clone()).collect()
}

/// All events about a merchant.
async fn told(host: &TestHost, merchant: &MerchantId) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |event: &Event| event.seq);
        let query = EventQuery { merchant: Some(merchant.clone()), after, limit: Some(1000), ..EventQuery::default() };
        let page = event::list(&host.app.db, &host.caller, &query).await.unwrap();
        if page.items.is_empty() {
            return all;
        }
        all.extend(page.items);
    }
}

async fn told_of(host: &TestHost, merchant: &MerchantId, kind: &str) -> usize {
    told(host, merchant).await.iter().filter(|event| event.kind == kind).count()
}

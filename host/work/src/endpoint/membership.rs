//! Which endpoint application holds which product instances. A custom one holds what was chosen for it (E3), until the
//! instance is unsubscribed (E4). The default one holds all that are active (E2), which is computed and not stored.

pub use berth_model::endpoint::membership::*;

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{EndpointAppId, InstanceId, MerchantId},
};
use berth_model::{
    endpoint::{EndpointApp, InstanceState, ProductInstance},
    event::{Kind, kind},
};
use berth_store::Tx;

use crate::endpoint::{app, org};

const ADDED: Kind<ProductMoved> = kind::ENDPOINT_PRODUCT_ADDED;

const REMOVED: Kind<ProductMoved> = kind::ENDPOINT_PRODUCT_REMOVED;

fn tell(
    tx: &mut Tx,
    actor: &str,
    kind: Kind<ProductMoved>,
    endpoint: (&EndpointAppId, bool),
    instance: &ProductInstance,
    cause: MoveCause,
) {
    let moved = ProductMoved {
        endpoint_app: endpoint.0.clone(),
        default: endpoint.1,
        product_instance: instance.id.clone(),
        product: instance.product.clone(),
        cause,
    };
    tx.tell(kind, endpoint.0, actor, &moved).for_merchant(&instance.merchant);
}

/// Adds an instance to a custom endpoint application. The transaction holds the merchant.
///
/// # Errors
/// `not-found` when the instance is not the merchant's, `product-unsubscribed`.
pub async fn choose(tx: &mut Tx, actor: &str, endpoint: &EndpointApp, id: &InstanceId) -> Result<()> {
    let instance = tx.product_instance_of(&endpoint.merchant, id).await?;
    if instance.state == InstanceState::Unsubscribed {
        let text = format!("The product instance {id} is unsubscribed. Choose one that the merchant has.");
        return Err(Error::new(Code::ProductUnsubscribed, text).with("product_instance", id));
    }
    if tx.insert_endpoint_product(&endpoint.id, &instance, actor, tx.now()).await? {
        tell(tx, actor, ADDED, (&endpoint.id, false), &instance, MoveCause::Chosen);
    }
    Ok(())
}

/// Removes an instance from a custom endpoint application. The transaction holds the merchant.
///
/// # Errors
/// `not-found` when it is not in it, `endpoint-empty` when it is the last one.
pub(crate) async fn take_out(tx: &mut Tx, actor: &str, endpoint: &EndpointApp, id: &InstanceId) -> Result<()> {
    let was_in = tx.delete_endpoint_product(&endpoint.id, id).await?;
    let Some(instance) = tx.product_instance(id).await?.filter(|_| was_in) else {
        return Err(Error::not_found("product instance in this endpoint application:", id));
    };
    if tx.products_of_endpoint(endpoint, 1).await?.is_empty() {
        let text = format!("{id} is the last product instance of {}. Add another one first.", endpoint.id);
        return Err(Error::new(Code::EndpointEmpty, text));
    }
    tell(tx, actor, REMOVED, (&endpoint.id, false), &instance, MoveCause::Chosen);
    org::prune_assignments(tx, actor, &endpoint.merchant).await
}

/// Handles that an instance was unsubscribed at `left_at`: removes it from the custom endpoint applications and nodes
/// for which it was chosen at that time or before, even when it has become active again since (E4). True when there
/// were any.
pub async fn leave(tx: &mut Tx, actor: &str, instance: &ProductInstance, left_at: Millis) -> Result<bool> {
    let endpoints = tx.leave_endpoints(&instance.id, left_at).await?;
    for id in &endpoints {
        tell(tx, actor, REMOVED, (id, false), instance, MoveCause::Unsubscribed);
    }
    let nodes = org::close_everywhere(tx, actor, instance, left_at).await?;
    Ok(nodes || !endpoints.is_empty())
}

/// Emits the event of an instance that the default endpoint application gained or lost, as its state changed (E2).
pub(crate) fn follow_state(tx: &mut Tx, actor: &str, default: &EndpointAppId, instance: &ProductInstance) {
    let (kind, cause) = match instance.state {
        InstanceState::Active => (ADDED, MoveCause::Active),
        InstanceState::Expired => (REMOVED, MoveCause::Expired),
        InstanceState::Unsubscribed => (REMOVED, MoveCause::Unsubscribed),
    };
    tell(tx, actor, kind, (default, true), instance, cause);
}

/// Creates the default endpoint application of a merchant that has none yet (E1). The transaction holds the merchant.
pub(crate) async fn create_default(tx: &mut Tx, actor: &str, merchant: &MerchantId) -> Result<EndpointAppId> {
    let endpoint = app::fresh(tx, actor, merchant, "Default".into(), true);
    tx.insert_endpoint_app(&endpoint).await?;
    tx.tell(kind::ENDPOINT_CREATED, &endpoint.id, actor, &endpoint).for_merchant(merchant);
    Ok(endpoint.id)
}

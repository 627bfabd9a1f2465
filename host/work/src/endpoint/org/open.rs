//! Which product instances are open on an organisation node.

use berth_model::endpoint::{
    OrgNode,
    org::{OrgNodeDetail, ProductOfNode},
};

use super::detail;
use crate::endpoint::org::ending;
use berth_base::{
    error::{Code, Error, Result},
    ids::{InstanceId, OrgNodeId},
};
use berth_model::{access::Caller, endpoint::InstanceState, event::kind};
use berth_store::Db;

use crate::endpoint::{instance, owned};

/// Opens a product instance on a node. When it is open already nothing changes.
///
/// # Errors
/// `not-found` for an instance of another merchant, `product-unsubscribed`.
#[tracing::instrument(name = "org_node.open", skip_all, fields(org_node = %id, product_instance = %product))]
pub async fn open(db: &Db, caller: &Caller, id: &OrgNodeId, product: &InstanceId) -> Result<OrgNodeDetail> {
    let (mut tx, actor) = (db.begin().await?, caller.account.as_str());
    let (_, node) = owned::hold::<OrgNode>(&mut tx, caller, id).await?;
    instance::refuse_foreign(&mut tx, caller, &node.merchant, [product]).await?;
    let found = tx.product_instance_of(&node.merchant, product).await?;
    if found.state == InstanceState::Unsubscribed {
        let detail = format!("The product instance {product} is unsubscribed. Open one that the merchant has.");
        return Err(Error::new(Code::ProductUnsubscribed, detail).with("product_instance", product));
    }
    if tx.open_product(id, product, found.said_at, actor, tx.now()).await? {
        let data = ProductOfNode { org_node: id.clone(), product_instance: product.clone() };
        tx.tell(kind::ORG_NODE_PRODUCT_OPENED, id, actor, &data).for_merchant(&node.merchant);
    }
    let detail = detail(&mut tx, node).await?;
    tx.commit().await?;
    Ok(detail)
}

/// Closes a product instance on a node. Assignments to the node that depended on it alone end (E9).
///
/// # Errors
/// `not-found` when it is not open there.
#[tracing::instrument(name = "org_node.close", skip_all, fields(org_node = %id, product_instance = %instance))]
pub async fn close(db: &Db, caller: &Caller, id: &OrgNodeId, instance: &InstanceId) -> Result<()> {
    let (mut tx, actor) = (db.begin().await?, caller.account.as_str());
    let (_, node) = owned::hold::<OrgNode>(&mut tx, caller, id).await?;
    if !ending::close(&mut tx, actor, &node, instance).await? {
        return Err(Error::new(Code::NotFound, format!("The product instance {instance} is not open on {id}.")));
    }
    ending::prune_assignments(&mut tx, actor, &node.merchant).await?;
    tx.commit().await
}

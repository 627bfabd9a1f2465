//! What ends at organisation nodes when a product instance goes (E4, E9).

use serde::Serialize;

use super::ProductInstance;
use crate::{
    app::App,
    clock::Millis,
    error::Result,
    event,
    ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId},
    store::Tx,
};

/// An endpoint application and a node that it is assigned to, or was.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NodeOfEndpoint {
    #[sqlx(rename = "endpoint_app_id")]
    pub endpoint_app: EndpointAppId,
    #[sqlx(rename = "org_node_id")]
    pub org_node: OrgNodeId,
}

/// A product instance and a node that it is open on, or was.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProductOfNode {
    pub org_node: OrgNodeId,
    pub product_instance: InstanceId,
}

/// An assignment needs a product instance of its endpoint application open on its node: those that have none any more go
/// (E9). The transaction holds the merchant.
pub async fn prune_assignments(tx: &mut Tx, app: &App, actor: &str, merchant: &MerchantId) -> Result<()> {
    for gone in tx.delete_baseless_assignments(merchant).await? {
        let event = event::new(app, "endpoint.org_node_removed", &gone.endpoint_app, actor, &gone);
        tx.emit(event.for_merchant(merchant));
    }
    Ok(())
}

/// Closes an instance on the nodes where it was opened as of `left_at` or before (E4); true when there were any.
pub(super) async fn close_nodes(
    tx: &mut Tx,
    app: &App,
    actor: &str,
    instance: &ProductInstance,
    left_at: Millis,
) -> Result<bool> {
    let nodes = tx.leave_org_nodes(&instance.id, left_at).await?;
    let closed = !nodes.is_empty();
    for org_node in nodes {
        let data = ProductOfNode { org_node, product_instance: instance.id.clone() };
        let event = event::new(app, "org_node.product_closed", &data.org_node, actor, &data);
        tx.emit(event.for_merchant(&instance.merchant));
    }
    Ok(closed)
}

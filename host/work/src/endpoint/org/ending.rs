//! What ends at organisation nodes, by hand or because what it depends on has ended (E4, E9). An event is emitted for
//! each end. The transaction holds the merchant.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{InstanceId, MerchantId},
};
use berth_model::{
    endpoint::{
        EndpointApp, OrgNode, ProductInstance,
        org::{NodeOfEndpoint, ProductOfNode},
    },
    event::kind,
};
use berth_store::Tx;

/// Ends one assignment; false when there was none.
pub(super) async fn unassign(tx: &mut Tx, actor: &str, merchant: &MerchantId, what: NodeOfEndpoint) -> Result<bool> {
    let gone = tx.delete_assignment(&what.endpoint_app, &what.org_node).await?;
    if gone {
        tell_unassigned(tx, actor, merchant, vec![what]);
    }
    Ok(gone)
}

/// Ends all assignments of an endpoint application that is being deleted.
pub async fn unassign_everywhere(tx: &mut Tx, actor: &str, of: &EndpointApp) -> Result<()> {
    let gone = tx.delete_assignments_of(&of.id).await?;
    tell_unassigned(tx, actor, &of.merchant, gone);
    Ok(())
}

/// Ends the merchant's assignments to nodes on which no product instance of the endpoint application is open any more
/// (E9).
pub async fn prune_assignments(tx: &mut Tx, actor: &str, merchant: &MerchantId) -> Result<()> {
    let gone = tx.delete_baseless_assignments(merchant).await?;
    tell_unassigned(tx, actor, merchant, gone);
    Ok(())
}

/// Closes one product instance on a node; false when it was not open.
pub(super) async fn close(tx: &mut Tx, actor: &str, node: &OrgNode, instance: &InstanceId) -> Result<bool> {
    let gone = tx.close_product(&node.id, instance).await?;
    if gone {
        let what = ProductOfNode { org_node: node.id.clone(), product_instance: instance.clone() };
        tell_closed(tx, actor, &node.merchant, vec![what]);
    }
    Ok(gone)
}

/// Closes an instance on all nodes where it was opened at `left_at` or before (E4); true when there were any.
pub async fn close_everywhere(tx: &mut Tx, actor: &str, instance: &ProductInstance, left_at: Millis) -> Result<bool> {
    let gone = tx.leave_org_nodes(&instance.id, left_at).await?;
    let closed = !gone.is_empty();
    tell_closed(tx, actor, &instance.merchant, gone);
    Ok(closed)
}

/// Ends all assignments to a node that is being deleted, and closes all products on it.
pub(super) async fn clear(tx: &mut Tx, actor: &str, node: &OrgNode) -> Result<()> {
    let (assigned, open) = tx.clear_org_node(&node.id).await?;
    tell_unassigned(tx, actor, &node.merchant, assigned);
    tell_closed(tx, actor, &node.merchant, open);
    Ok(())
}

fn tell_unassigned(tx: &mut Tx, actor: &str, merchant: &MerchantId, mut gone: Vec<NodeOfEndpoint>) {
    gone.sort_unstable();
    for one in gone {
        tx.tell(kind::ENDPOINT_ORG_NODE_REMOVED, &one.endpoint_app, actor, &one).for_merchant(merchant);
    }
}

fn tell_closed(tx: &mut Tx, actor: &str, merchant: &MerchantId, mut gone: Vec<ProductOfNode>) {
    gone.sort_unstable();
    for one in gone {
        tx.tell(kind::ORG_NODE_PRODUCT_CLOSED, &one.org_node, actor, &one).for_merchant(merchant);
    }
}

//! Ends what is open on organisation nodes, or assigned to them.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId},
};
use berth_model::endpoint::org::{NodeOfEndpoint, ProductOfNode};

use crate::{Tx, fetch};

impl Tx {
    /// Deletes the assignments of a merchant whose endpoint application has no product instance open on the node (E9),
    /// and returns them. Expired instances count, because a renewal brings them back.
    pub async fn delete_baseless_assignments(&mut self, merchant: &MerchantId) -> Result<Vec<NodeOfEndpoint>> {
        Ok(fetch!(
            self,
            fetch_all,
            NodeOfEndpoint,
            "DELETE FROM assignment WHERE endpoint_app_id IN (SELECT id FROM endpoint_app WHERE merchant_id = $1)
             AND NOT EXISTS (SELECT 1 FROM org_product o JOIN endpoint_app e ON e.id = assignment.endpoint_app_id
                WHERE o.org_node_id = assignment.org_node_id AND (e.is_default OR EXISTS
                    (SELECT 1 FROM endpoint_product p WHERE p.endpoint_app_id = e.id AND p.instance_id = o.instance_id)))
             RETURNING endpoint_app_id, org_node_id",
            merchant
        )?)
    }

    /// Deletes all assignments of an endpoint application, and returns them.
    pub async fn delete_assignments_of(&mut self, id: &EndpointAppId) -> Result<Vec<NodeOfEndpoint>> {
        const SQL: &str = "DELETE FROM assignment WHERE endpoint_app_id = $1 RETURNING endpoint_app_id, org_node_id";
        Ok(fetch!(self, fetch_all, NodeOfEndpoint, SQL, id)?)
    }

    /// Closes a product instance on the nodes on which it was opened as of `left_at` or earlier (E4), and returns
    /// these.
    pub async fn leave_org_nodes(&mut self, id: &InstanceId, left_at: Millis) -> Result<Vec<ProductOfNode>> {
        const SQL: &str =
            "DELETE FROM org_product WHERE instance_id = $1 AND as_of <= $2 RETURNING org_node_id, instance_id";
        Ok(fetch!(self, fetch_all, ProductOfNode, SQL, id, left_at)?)
    }

    /// Removes everything from a node. Returns the assignments that were deleted and the product instances that were
    /// closed.
    pub async fn clear_org_node(&mut self, id: &OrgNodeId) -> Result<(Vec<NodeOfEndpoint>, Vec<ProductOfNode>)> {
        const ASSIGNED: &str = "DELETE FROM assignment WHERE org_node_id = $1 RETURNING endpoint_app_id, org_node_id";
        let assigned = fetch!(self, fetch_all, NodeOfEndpoint, ASSIGNED, id)?;
        const OPEN: &str = "DELETE FROM org_product WHERE org_node_id = $1 RETURNING org_node_id, instance_id";
        Ok((assigned, fetch!(self, fetch_all, ProductOfNode, OPEN, id)?))
    }
}

//! What ends at organisation nodes when a product instance goes.

use crate::{
    clock::Millis,
    endpoint::org_prune::NodeOfEndpoint,
    error::Result,
    ids::{InstanceId, MerchantId, OrgNodeId},
    store::{Tx, fetch},
};

impl Tx {
    /// Takes the assignments away whose endpoint application has no product instance open on the node (E9). Whether the
    /// instances are expired does not matter: a renewal brings them back.
    pub(crate) async fn delete_baseless_assignments(&mut self, merchant: &MerchantId) -> Result<Vec<NodeOfEndpoint>> {
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

    /// Closes an instance on the nodes where it was opened as of `left_at` or before (E4).
    pub(crate) async fn leave_org_nodes(&mut self, id: &InstanceId, left_at: Millis) -> Result<Vec<OrgNodeId>> {
        let sql = "DELETE FROM org_product WHERE instance_id = $1 AND as_of <= $2 RETURNING org_node_id";
        let rows = fetch!(self, fetch_all, (OrgNodeId,), sql, id, left_at)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

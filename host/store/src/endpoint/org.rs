//! Organisation nodes, the product instances that are open on them, and the endpoint applications that are assigned to
//! them.

use super::{push_if, push_known};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId},
    page::PageQuery,
};
use berth_model::{
    access::Caller,
    endpoint::{OrgNode, org::OrgNodeQuery},
};

use crate::{Tx, execute, fetch, fetch_built};

impl Tx {
    /// The node with this VID.
    pub async fn org_node(&mut self, id: &OrgNodeId) -> Result<Option<OrgNode>> {
        Ok(fetch!(self, fetch_optional, OrgNode, "SELECT * FROM org_node WHERE id = $1", id)?)
    }

    /// The number of nodes that a merchant has.
    pub async fn count_org_nodes(&mut self, merchant: &MerchantId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM org_node WHERE merchant_id = $1";
        Ok(fetch!(self, fetch_one, (i64,), SQL, merchant)?.0)
    }

    /// Every node of a merchant with its parent.
    pub async fn org_parents(&mut self, merchant: &MerchantId) -> Result<Vec<(OrgNodeId, Option<OrgNodeId>)>> {
        const SQL: &str = "SELECT id, parent_id FROM org_node WHERE merchant_id = $1";
        Ok(fetch!(self, fetch_all, (OrgNodeId, Option<OrgNodeId>), SQL, merchant)?)
    }

    /// Whether the node has nodes below it.
    pub async fn has_org_children(&mut self, id: &OrgNodeId) -> Result<bool> {
        const SQL: &str = "SELECT id FROM org_node WHERE parent_id = $1 LIMIT 1";
        Ok(fetch!(self, fetch_optional, (OrgNodeId,), SQL, id)?.is_some())
    }

    /// Adds a node. Returns the error of the database, by which callers recognise that the id is taken.
    pub async fn insert_org_node(&mut self, node: &OrgNode) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO org_node (id, merchant_id, parent_id, name, limited, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &node.id,
            &node.merchant,
            node.parent.as_ref(),
            &node.name,
            node.limited,
            node.created_at
        )
        .map(drop)
    }

    /// Stores the fields of a node that can be edited.
    pub async fn set_org_node(&mut self, node: &OrgNode) -> Result<()> {
        const SQL: &str = "UPDATE org_node SET parent_id = $2, name = $3, limited = $4 WHERE id = $1";
        execute!(self, SQL, &node.id, node.parent.as_ref(), &node.name, node.limited)?;
        Ok(())
    }

    /// Deletes a node. No product instance must be open on it, and nothing assigned to it.
    pub async fn delete_org_node(&mut self, id: &OrgNodeId) -> Result<()> {
        execute!(self, "DELETE FROM org_node WHERE id = $1", id)?;
        Ok(())
    }

    /// The product instances that are open on a node, by id.
    pub async fn products_open_on(&mut self, id: &OrgNodeId) -> Result<Vec<InstanceId>> {
        const SQL: &str = "SELECT instance_id FROM org_product WHERE org_node_id = $1 ORDER BY instance_id";
        let rows = fetch!(self, fetch_all, (InstanceId,), SQL, id)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Opens a product instance on a node. `as_of` is the time of the newest fulfilment message that was known of the
    /// instance. Returns `false` when it is open there already.
    pub async fn open_product(
        &mut self,
        id: &OrgNodeId,
        instance: &InstanceId,
        as_of: Millis,
        actor: &str,
        now: Millis,
    ) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO org_product (org_node_id, instance_id, as_of, opened_by, opened_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_node_id, instance_id) DO NOTHING",
            id,
            instance,
            as_of,
            actor,
            now
        )?;
        // Who opens it again knows what was said since: only a later unsubscription closes it (E4).
        const SQL: &str =
            "UPDATE org_product SET as_of = $3 WHERE org_node_id = $1 AND instance_id = $2 AND as_of < $3";
        execute!(self, SQL, id, instance, as_of)?;
        Ok(added > 0)
    }

    /// Closes a product instance on a node. Returns `false` when it was not open there.
    pub async fn close_product(&mut self, id: &OrgNodeId, instance: &InstanceId) -> Result<bool> {
        const SQL: &str = "DELETE FROM org_product WHERE org_node_id = $1 AND instance_id = $2";
        Ok(execute!(self, SQL, id, instance)? > 0)
    }

    /// The endpoint applications that are assigned to a node, by id.
    pub async fn endpoint_apps_assigned_to(&mut self, id: &OrgNodeId) -> Result<Vec<EndpointAppId>> {
        const SQL: &str = "SELECT endpoint_app_id FROM assignment WHERE org_node_id = $1 ORDER BY endpoint_app_id";
        let rows = fetch!(self, fetch_all, (EndpointAppId,), SQL, id)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Whether a product instance of the endpoint application is open on the node (E9). The default endpoint
    /// application has all instances of its merchant. The state of instances need not be considered, as unsubscribing
    /// closes them.
    pub async fn may_assign(&mut self, cid: &EndpointAppId, vid: &OrgNodeId) -> Result<bool> {
        const SQL: &str = "SELECT o.instance_id FROM org_product o
                   JOIN org_node n ON n.id = o.org_node_id
                   JOIN endpoint_app e ON e.id = $1 AND e.merchant_id = n.merchant_id
                   WHERE o.org_node_id = $2 AND (e.is_default OR EXISTS (SELECT 1 FROM endpoint_product p
                        WHERE p.endpoint_app_id = e.id AND p.instance_id = o.instance_id)) LIMIT 1";
        Ok(fetch!(self, fetch_optional, (InstanceId,), SQL, cid, vid)?.is_some())
    }

    /// Assigns an endpoint application to a node. Returns `false` when it is assigned there already.
    pub async fn insert_assignment(
        &mut self,
        cid: &EndpointAppId,
        vid: &OrgNodeId,
        actor: &str,
        now: Millis,
    ) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO assignment (endpoint_app_id, org_node_id, assigned_by, assigned_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (endpoint_app_id, org_node_id) DO NOTHING",
            cid,
            vid,
            actor,
            now
        )?;
        Ok(added > 0)
    }

    /// Deletes an assignment. Returns `false` when there was none.
    pub async fn delete_assignment(&mut self, cid: &EndpointAppId, vid: &OrgNodeId) -> Result<bool> {
        const SQL: &str = "DELETE FROM assignment WHERE endpoint_app_id = $1 AND org_node_id = $2";
        Ok(execute!(self, SQL, cid, vid)? > 0)
    }

    /// A page of the nodes that match `query` and that the caller may know about, by id, and one more than the page
    /// holds.
    pub async fn org_nodes_known_to(
        &mut self,
        caller: &Caller,
        query: &OrgNodeQuery,
        page: &PageQuery,
    ) -> Result<Vec<OrgNode>> {
        Ok(fetch_built!(self, OrgNode, |q| {
            q.push("SELECT * FROM org_node n WHERE n.id > ").push_bind(page.after());
            push_known!(q, caller, "n.merchant_id");
            push_if!(q, &query.merchant, " AND n.merchant_id = ", "");
            push_if!(q, &query.parent, " AND n.parent_id = ", "");
            let assigned = " AND n.id IN (SELECT org_node_id FROM assignment WHERE endpoint_app_id = ";
            push_if!(q, &query.endpoint_app, assigned, ")");
            let open = " AND n.id IN (SELECT org_node_id FROM org_product WHERE instance_id = ";
            push_if!(q, &query.product_instance, open, ")");
            q.push(" ORDER BY n.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}

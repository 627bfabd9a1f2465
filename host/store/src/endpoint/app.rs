use std::collections::{BTreeMap, BTreeSet};

use super::{push_ids, push_if, push_known};
use berth_base::{
    error::Result,
    ids::{EndpointAppId, MerchantId, OrgNodeId},
};
use berth_model::{
    access::Caller,
    endpoint::{Channel, EndpointApp, app::EndpointAppQuery},
};

use crate::{Tx, chosen, execute, fetch, fetch_built};
use berth_model::endpoint::app::{EndpointAppView, SHOWN};

/// Parts of a condition that selects the endpoint applications `e` usable at a node, whose id goes between the first
/// two parts: one of their product instances is active and open on the node, and they are assigned to the node, or they
/// are assigned nowhere and the node is not limited (E9).
const USABLE_AT: [&str; 4] = [
    " AND e.id IN (SELECT u.id FROM org_node n JOIN endpoint_app u ON u.merchant_id = n.merchant_id WHERE n.id = ",
    " AND EXISTS (SELECT 1 FROM org_product o JOIN product_instance i ON i.id = o.instance_id
        WHERE o.org_node_id = n.id AND i.state = 'active' AND (u.is_default OR EXISTS
            (SELECT 1 FROM endpoint_product p WHERE p.endpoint_app_id = u.id AND p.instance_id = i.id)))",
    " AND (EXISTS (SELECT 1 FROM assignment a WHERE a.endpoint_app_id = u.id AND a.org_node_id = n.id)
        OR NOT n.limited AND NOT EXISTS (SELECT 1 FROM assignment a WHERE a.endpoint_app_id = u.id))",
    ")",
];

impl Tx {
    /// The endpoint application with this CID.
    pub async fn endpoint_app(&mut self, id: &EndpointAppId) -> Result<Option<EndpointApp>> {
        Ok(fetch!(self, fetch_optional, EndpointApp, "SELECT * FROM endpoint_app WHERE id = $1", id)?)
    }

    /// The CID of a merchant's default endpoint application; `None` before its first purchase.
    pub async fn default_endpoint(&mut self, merchant: &MerchantId) -> Result<Option<EndpointAppId>> {
        const SQL: &str = "SELECT id FROM endpoint_app WHERE merchant_id = $1 AND is_default";
        Ok(fetch!(self, fetch_optional, (EndpointAppId,), SQL, merchant)?.map(|(id,)| id))
    }

    /// The CIDs of the default endpoint applications of those of the merchants that have one.
    pub async fn default_endpoints(
        &mut self,
        merchants: &BTreeSet<MerchantId>,
    ) -> Result<BTreeMap<MerchantId, EndpointAppId>> {
        if merchants.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = fetch_built!(self, (MerchantId, EndpointAppId), |q| {
            q.push("SELECT merchant_id, id FROM endpoint_app WHERE is_default AND merchant_id IN ");
            push_ids!(q, merchants);
        })?;
        Ok(found.into_iter().collect())
    }

    /// The custom endpoint applications of a merchant, by their names.
    pub async fn custom_endpoints(&mut self, merchant: &MerchantId) -> Result<Vec<(EndpointAppId, String)>> {
        const SQL: &str = "SELECT id, name FROM endpoint_app WHERE merchant_id = $1 AND NOT is_default ORDER BY id";
        Ok(fetch!(self, fetch_all, (EndpointAppId, String), SQL, merchant)?)
    }

    /// Adds an endpoint application.
    pub async fn insert_endpoint_app(&mut self, endpoint: &EndpointApp) -> Result<()> {
        execute!(
            self,
            "INSERT INTO endpoint_app (id, merchant_id, name, is_default, created_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &endpoint.id,
            &endpoint.merchant,
            &endpoint.name,
            endpoint.is_default,
            &endpoint.created_by,
            endpoint.created_at,
            endpoint.updated_at
        )?;
        Ok(())
    }

    /// Stores the name of an endpoint application.
    pub async fn rename_endpoint_app(&mut self, endpoint: &EndpointApp) -> Result<()> {
        const SQL: &str = "UPDATE endpoint_app SET name = $2, updated_at = $3 WHERE id = $1";
        execute!(self, SQL, &endpoint.id, &endpoint.name, endpoint.updated_at)?;
        Ok(())
    }

    /// Deletes an endpoint application, with its choice of product instances. It must have no channels and no
    /// assignments.
    pub async fn delete_endpoint_app(&mut self, id: &EndpointAppId) -> Result<()> {
        execute!(self, "DELETE FROM endpoint_product WHERE endpoint_app_id = $1", id)?;
        execute!(self, "DELETE FROM endpoint_app WHERE id = $1", id)?;
        Ok(())
    }

    /// The channels that are bound to an endpoint application, by id, at most `limit`.
    pub async fn channels_of_endpoint(&mut self, id: &EndpointAppId, limit: i64) -> Result<Vec<Channel>> {
        const SQL: &str = "SELECT * FROM channel WHERE endpoint_app_id = $1 ORDER BY id LIMIT $2";
        Ok(fetch!(self, fetch_all, Channel, SQL, id, limit)?)
    }

    /// The nodes to which an endpoint application is assigned, by id, at most `limit`.
    pub async fn assigned_org_nodes(&mut self, id: &EndpointAppId, limit: i64) -> Result<Vec<OrgNodeId>> {
        const SQL: &str = "SELECT org_node_id FROM assignment WHERE endpoint_app_id = $1 ORDER BY org_node_id LIMIT $2";
        let rows = fetch!(self, fetch_all, (OrgNodeId,), SQL, id, limit)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// A page of the endpoint applications that match `query` and that the caller may know about, by id, and one more
    /// than the page holds.
    pub async fn endpoint_apps_known_to(
        &mut self,
        caller: &Caller,
        query: &EndpointAppQuery,
    ) -> Result<Vec<EndpointApp>> {
        let page = query.page();
        Ok(fetch_built!(self, EndpointApp, |q| {
            q.push("SELECT * FROM endpoint_app e WHERE e.id > ").push_bind(page.after());
            push_known!(q, caller, "e.merchant_id");
            push_if!(q, &query.merchant, " AND e.merchant_id = ", "");
            push_if!(q, query.default, " AND e.is_default = ", "");
            let bound = " AND e.id IN (SELECT endpoint_app_id FROM channel WHERE app_id = ";
            push_if!(q, &query.channel_app_id, bound, ")");
            if let Some(instance) = chosen!(&query.product_instance) {
                q.push(" AND e.id IN (SELECT endpoint_app_id FROM endpoint_product WHERE instance_id = ");
                q.push_bind(instance).push(
                    " UNION ALL SELECT d.id FROM product_instance i JOIN endpoint_app d
                        ON d.merchant_id = i.merchant_id AND d.is_default WHERE i.state = 'active' AND i.id = ",
                );
                q.push_bind(instance).push(")");
            }
            let [usable, open, assigned, end] = USABLE_AT;
            push_if!(q, &query.org_node, usable, format_args!("{open}{assigned}{end}"));
            q.push(" ORDER BY e.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}

impl Tx {
    /// An endpoint application with its product instances, channels and organisation nodes, 200 of each at most.
    pub async fn endpoint_app_view(&mut self, app: EndpointApp) -> Result<EndpointAppView> {
        let limit = SHOWN as i64 + 1;
        let mut products = self.products_of_endpoint(&app, limit).await?;
        let mut channels = self.channels_of_endpoint(&app.id, limit).await?;
        let mut org_nodes = self.assigned_org_nodes(&app.id, limit).await?;
        let more = products.len().max(channels.len()).max(org_nodes.len()) > SHOWN;
        products.truncate(SHOWN);
        channels.truncate(SHOWN);
        org_nodes.truncate(SHOWN);
        Ok(EndpointAppView { app, products, channels, org_nodes, more })
    }
}

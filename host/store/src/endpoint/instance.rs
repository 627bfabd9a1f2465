use super::{push_if, push_known};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{EndpointAppId, InstanceId},
    page::PageQuery,
};
use berth_model::{
    access::Caller,
    endpoint::{EndpointApp, InstanceState, ProductInstance, instance::InstanceQuery},
};

use crate::{Tx, chosen, execute, fetch, fetch_built};
use berth_base::{error::Error, ids::MerchantId};

impl Tx {
    /// The product instance with this id.
    pub async fn product_instance(&mut self, id: &InstanceId) -> Result<Option<ProductInstance>> {
        Ok(fetch!(self, fetch_optional, ProductInstance, "SELECT * FROM product_instance WHERE id = $1", id)?)
    }

    /// The product instances that an endpoint application holds, by id, at most `limit`: the chosen ones, or for the
    /// default one all that are active (E2, E3).
    pub async fn products_of_endpoint(&mut self, endpoint: &EndpointApp, limit: i64) -> Result<Vec<ProductInstance>> {
        if endpoint.is_default {
            const SQL: &str =
                "SELECT * FROM product_instance WHERE merchant_id = $1 AND state = 'active' ORDER BY id LIMIT $2";
            return Ok(fetch!(self, fetch_all, ProductInstance, SQL, &endpoint.merchant, limit)?);
        }
        const SQL: &str = "SELECT i.* FROM endpoint_product p JOIN product_instance i ON i.id = p.instance_id
                   WHERE p.endpoint_app_id = $1 ORDER BY i.id LIMIT $2";
        Ok(fetch!(self, fetch_all, ProductInstance, SQL, &endpoint.id, limit)?)
    }

    /// A page of the product instances that a merchant has not given up, by id, and one more than the page holds.
    pub async fn products_kept_by(&mut self, merchant: &MerchantId, page: &PageQuery) -> Result<Vec<ProductInstance>> {
        const SQL: &str = "SELECT * FROM product_instance
            WHERE merchant_id = $1 AND id > $2 AND state <> 'unsubscribed' ORDER BY id LIMIT $3";
        Ok(fetch!(self, fetch_all, ProductInstance, SQL, merchant, page.after(), page.limit() + 1)?)
    }

    /// Which of the product instances from `first` to `last` were put into the custom endpoint applications of a merchant
    /// in the span.
    pub async fn chosen_between(
        &mut self,
        merchant: &MerchantId,
        endpoints: (&EndpointAppId, &EndpointAppId),
        products: (&InstanceId, &InstanceId),
    ) -> Result<Vec<(EndpointAppId, InstanceId)>> {
        const SQL: &str = "SELECT p.endpoint_app_id, p.instance_id
            FROM endpoint_app e JOIN endpoint_product p ON p.endpoint_app_id = e.id
            WHERE e.merchant_id = $1 AND e.id BETWEEN $2 AND $3 AND p.instance_id BETWEEN $4 AND $5";
        type Row = (EndpointAppId, InstanceId);
        Ok(fetch!(self, fetch_all, Row, SQL, merchant, endpoints.0, endpoints.1, products.0, products.1)?)
    }

    /// A page of the product instances that match `query` and that the caller may know about, by id, and one more than
    /// the page holds.
    pub async fn product_instances_known_to(
        &mut self,
        caller: &Caller,
        query: &InstanceQuery,
    ) -> Result<Vec<ProductInstance>> {
        let page = query.page();
        let state = query.state.map(InstanceState::as_str);
        Ok(fetch_built!(self, ProductInstance, |q| {
            q.push("SELECT * FROM product_instance i WHERE i.id > ").push_bind(page.after());
            push_known!(q, caller, "i.merchant_id");
            push_if!(q, &query.merchant, " AND i.merchant_id = ", "");
            push_if!(q, &query.product, " AND i.product = ", "");
            push_if!(q, state, " AND i.state = ", "");
            let open = " AND i.id IN (SELECT instance_id FROM org_product WHERE org_node_id = ";
            push_if!(q, &query.org_node, open, ")");
            if let Some(endpoint) = chosen!(&query.endpoint_app) {
                q.push(" AND (i.id IN (SELECT instance_id FROM endpoint_product WHERE endpoint_app_id = ");
                q.push_bind(endpoint).push(
                    ") OR i.state = 'active' AND i.merchant_id IN
                        (SELECT merchant_id FROM endpoint_app WHERE is_default AND id = ",
                );
                q.push_bind(endpoint).push("))");
            }
            q.push(" ORDER BY i.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Adds a product instance to a custom endpoint application. The time of the newest fulfilment message that is
    /// known of the instance is stored with it. Returns `false` when it is in the application already.
    pub async fn insert_endpoint_product(
        &mut self,
        endpoint: &EndpointAppId,
        instance: &ProductInstance,
        actor: &str,
        now: Millis,
    ) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO endpoint_product (endpoint_app_id, instance_id, as_of, chosen_by, chosen_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (endpoint_app_id, instance_id) DO NOTHING",
            endpoint,
            &instance.id,
            instance.said_at,
            actor,
            now
        )?;
        // Who chooses it again knows what was said since: only a later unsubscription ends it (E4).
        const SQL: &str =
            "UPDATE endpoint_product SET as_of = $3 WHERE endpoint_app_id = $1 AND instance_id = $2 AND as_of < $3";
        execute!(self, SQL, endpoint, &instance.id, instance.said_at)?;
        Ok(added > 0)
    }

    /// Removes a product instance from a custom endpoint application. Returns `false` when it was not in it.
    pub async fn delete_endpoint_product(&mut self, id: &EndpointAppId, instance: &InstanceId) -> Result<bool> {
        const SQL: &str = "DELETE FROM endpoint_product WHERE endpoint_app_id = $1 AND instance_id = $2";
        Ok(execute!(self, SQL, id, instance)? > 0)
    }

    /// Removes a product instance from the custom endpoint applications to which it was added as of `left_at` or
    /// earlier (E4), and returns these.
    pub async fn leave_endpoints(&mut self, id: &InstanceId, left_at: Millis) -> Result<Vec<EndpointAppId>> {
        const SQL: &str =
            "DELETE FROM endpoint_product WHERE instance_id = $1 AND as_of <= $2 RETURNING endpoint_app_id";
        let rows = fetch!(self, fetch_all, (EndpointAppId,), SQL, id, left_at)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

impl Tx {
    /// One product instance of the merchant, whatever its state.
    ///
    /// # Errors
    /// `not-found`, also when it is another merchant's.
    pub async fn product_instance_of(&mut self, merchant: &MerchantId, id: &InstanceId) -> Result<ProductInstance> {
        let instance = self.product_instance(id).await?.filter(|one| one.merchant == *merchant);
        instance.ok_or_else(|| Error::not_found("product instance", id))
    }
}

//! Reads what merchants have, for the runtime of their endpoint applications.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    error::Result,
    ids::{EndpointAppId, InstanceId, MerchantId, MiniAppId, OrgNodeId, ProductCode},
};
use berth_model::endpoint::{reach::Node, runtime::Holdings};

use crate::{Span, Tx, fetch};

/// A statement about the merchants in a span: $1 and $2 are its ends. If $3 is false, only merchants count that have a
/// MiniApp as a channel of an endpoint application. `$merchant` is the column with the id of the merchant.
macro_rules! in_span {
    ($select:literal, $merchant:literal) => {
        concat!(
            $select,
            " ",
            $merchant,
            " BETWEEN $1 AND $2 AND ($3 OR ",
            $merchant,
            " IN (SELECT merchant_id FROM channel WHERE kind = 'mini_app' AND endpoint_app_id IS NOT NULL))"
        )
    };
}

type All = BTreeMap<MerchantId, Holdings>;
type Nodes = BTreeMap<OrgNodeId, (MerchantId, Node)>;

impl Tx {
    /// Everything that the merchant has; empty for an unknown merchant.
    pub async fn holdings_of(&mut self, merchant: &MerchantId) -> Result<Holdings> {
        let mut all = self.holdings_in(&Span::one(merchant), true).await?;
        Ok(all.remove(merchant).unwrap_or_default())
    }

    /// Everything that the merchants in the span have. Without `all`, only merchants that have a MiniApp as a channel
    /// of an endpoint application, because checks need no others.
    pub async fn holdings_in(&mut self, span: &Span, all: bool) -> Result<BTreeMap<MerchantId, Holdings>> {
        let mut merchants = All::new();
        const SQL: &str = in_span!("SELECT id, unify_users FROM merchant WHERE", "id");
        for (merchant, unify_users) in fetch!(self, fetch_all, (MerchantId, bool), SQL, &span.from, &span.to, all)? {
            merchants.entry(merchant).or_default().unify_users = unify_users;
        }
        self.add_products(span, all, &mut merchants).await?;
        self.add_endpoint_apps(span, all, &mut merchants).await?;
        for (_, (merchant, node)) in self.nodes_in(span, all).await? {
            merchants.entry(merchant).or_default().nodes.push(node);
        }
        Ok(merchants)
    }

    async fn add_products(&mut self, span: &Span, all: bool, merchants: &mut All) -> Result<()> {
        type Row = (MerchantId, InstanceId, ProductCode);
        const SQL: &str =
            in_span!("SELECT merchant_id, id, product FROM product_instance WHERE state = 'active' AND", "merchant_id");
        for (merchant, id, product) in fetch!(self, fetch_all, Row, SQL, &span.from, &span.to, all)? {
            merchants.entry(merchant).or_default().active.insert(id, product);
        }
        Ok(())
    }

    async fn add_endpoint_apps(&mut self, span: &Span, all: bool, merchants: &mut All) -> Result<()> {
        type Row = (MerchantId, EndpointAppId, bool);
        const SQL: &str = in_span!("SELECT merchant_id, id, is_default FROM endpoint_app WHERE", "merchant_id");
        for (merchant, id, is_default) in fetch!(self, fetch_all, Row, SQL, &span.from, &span.to, all)? {
            let chosen = (!is_default).then(BTreeSet::new);
            merchants.entry(merchant).or_default().endpoint_apps.insert(id, chosen);
        }
        type Chosen = (MerchantId, EndpointAppId, InstanceId);
        const CHOSEN: &str = in_span!(
            "SELECT e.merchant_id, p.endpoint_app_id, p.instance_id
             FROM endpoint_product p JOIN endpoint_app e ON e.id = p.endpoint_app_id WHERE",
            "e.merchant_id"
        );
        for (merchant, id, instance) in fetch!(self, fetch_all, Chosen, CHOSEN, &span.from, &span.to, all)? {
            let chosen = merchants.entry(merchant).or_default().endpoint_apps.get_mut(&id);
            if let Some(Some(chosen)) = chosen {
                chosen.insert(instance);
            }
        }
        Ok(())
    }

    async fn nodes_in(&mut self, span: &Span, all: bool) -> Result<Nodes> {
        type Row = (MerchantId, OrgNodeId, bool);
        const SQL: &str = in_span!("SELECT merchant_id, id, limited FROM org_node WHERE", "merchant_id");
        let rows = fetch!(self, fetch_all, Row, SQL, &span.from, &span.to, all)?;
        let node = |id, limited| Node { id, limited, open: BTreeSet::new(), assigned: BTreeSet::new() };
        let mut nodes: Nodes =
            rows.into_iter().map(|(merchant, id, limited)| (id.clone(), (merchant, node(id, limited)))).collect();
        const OPEN: &str = in_span!(
            "SELECT o.org_node_id, o.instance_id FROM org_product o JOIN org_node n ON n.id = o.org_node_id WHERE",
            "n.merchant_id"
        );
        for (id, instance) in fetch!(self, fetch_all, (OrgNodeId, InstanceId), OPEN, &span.from, &span.to, all)? {
            if let Some((_, node)) = nodes.get_mut(&id) {
                node.open.insert(instance);
            }
        }
        const ASSIGNED: &str = in_span!(
            "SELECT a.org_node_id, a.endpoint_app_id FROM assignment a JOIN org_node n ON n.id = a.org_node_id WHERE",
            "n.merchant_id"
        );
        for (id, cid) in fetch!(self, fetch_all, (OrgNodeId, EndpointAppId), ASSIGNED, &span.from, &span.to, all)? {
            if let Some((_, node)) = nodes.get_mut(&id) {
                node.assigned.insert(cid);
            }
        }
        Ok(nodes)
    }

    /// The MiniApps that are channels of endpoint applications of the merchants in the span.
    pub async fn mini_app_channels_in(&mut self, span: &Span) -> Result<Vec<(MerchantId, MiniAppId, EndpointAppId)>> {
        Ok(fetch!(
            self,
            fetch_all,
            (MerchantId, MiniAppId, EndpointAppId),
            "SELECT merchant_id, app_id, endpoint_app_id FROM channel
             WHERE kind = 'mini_app' AND endpoint_app_id IS NOT NULL AND merchant_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?)
    }
}

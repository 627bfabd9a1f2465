//! What a check tells a MiniApp that is a channel of an endpoint application (E11): the merchant, the products and the
//! organisation nodes. Assembled from rows by a pure function, serialised once, and shared.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    error::{Error, Result},
    ids::{Digest, EndpointAppId, InstanceId, MerchantId, OrgNodeId, ProductCode},
};
use serde::{Deserialize, Serialize};

use super::reach::{Node, reach};
use crate::finished::Finished;

/// An endpoint application as its MiniApps see it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EndpointRuntime {
    /// The merchant (BosID) that owns the endpoint application.
    pub bos_id: MerchantId,
    /// The endpoint application (CID).
    pub cid: EndpointAppId,
    /// The organisation nodes at which it may be used, ascending; null when the merchant has none, and it may be used
    /// everywhere (E9).
    #[schema(required)]
    pub org_nodes: Option<Vec<OrgNodeId>>,
    /// The codes of its active products, ascending. The package shows the functions of these.
    pub products: Vec<ProductCode>,
    /// Whether its users are identified across all endpoint applications of the merchant (`bos_id`) or, when false,
    /// within this one (`cid`) alone (E6).
    pub unify_users: bool,
    /// SHA-256 of the canonical JSON (RFC 8785) of the other members; it changes whenever one of them does.
    pub digest: Digest,
}

/// What the digest covers. All of it is ASCII and the members ascend, so that its plain serialisation is canonical.
#[derive(Serialize)]
struct Digested<'a> {
    bos_id: &'a MerchantId,
    cid: &'a EndpointAppId,
    org_nodes: &'a Option<Vec<OrgNodeId>>,
    products: &'a [ProductCode],
    unify_users: bool,
}

/// An [`EndpointRuntime`] with its JSON.
pub type Endpoint = Finished<EndpointRuntime>;

/// What the runtime of a merchant's endpoint applications depends on.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Whether the merchant's users are unified across its endpoint applications (E6).
    pub unify_users: bool,
    /// The merchant's active product instances, each with its product.
    pub active: BTreeMap<InstanceId, ProductCode>,
    /// The merchant's endpoint applications, each with the instances that were chosen for it; `None` for the default
    /// one (E2, E3).
    pub endpoint_apps: BTreeMap<EndpointAppId, Option<BTreeSet<InstanceId>>>,
    /// The merchant's organisation nodes.
    pub nodes: Vec<Node>,
}

impl Holdings {
    /// The active product instances of one endpoint application: all for the default one, else those chosen. None for
    /// one that is not the merchant's.
    fn active_of(&self, cid: &EndpointAppId) -> BTreeSet<InstanceId> {
        let all = self.active.keys();
        match self.endpoint_apps.get(cid) {
            None => BTreeSet::new(),
            Some(None) => all.cloned().collect(),
            Some(Some(chosen)) => all.filter(|id| chosen.contains(*id)).cloned().collect(),
        }
    }

    /// The organisation nodes at which an endpoint application may be used (E9), ascending. `None` when there are no
    /// nodes.
    pub fn reach(&self, cid: &EndpointAppId) -> Option<Vec<OrgNodeId>> {
        let mut nodes = reach(&self.nodes, cid, &self.active_of(cid))?;
        nodes.sort_unstable();
        Some(nodes)
    }

    /// What a check carries for the MiniApps of an endpoint application (E11).
    pub fn endpoint(&self, merchant: &MerchantId, cid: &EndpointAppId) -> Result<Endpoint> {
        let codes = self.active_of(cid);
        let products: BTreeSet<_> = codes.iter().filter_map(|id| self.active.get(id)).collect();
        let products: Vec<_> = products.into_iter().cloned().collect();
        let org_nodes = self.reach(cid);
        let unify_users = self.unify_users;
        let digested = Digested { bos_id: merchant, cid, org_nodes: &org_nodes, products: &products, unify_users };
        let digest = Digest::of(&serde_json::to_vec(&digested).map_err(Error::internal)?);
        let (bos_id, cid) = (merchant.clone(), cid.clone());
        Endpoint::of(EndpointRuntime { bos_id, cid, org_nodes, products, unify_users, digest })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::runtime::Runtime;

    fn bos() -> MerchantId {
        "bos-1".parse().unwrap()
    }

    fn cid(number: usize) -> EndpointAppId {
        format!("cid_{number:026}").parse().unwrap()
    }

    fn id(text: &str) -> InstanceId {
        text.parse().unwrap()
    }

    /// A default endpoint application 0, and 1, for which the second mall and the expired guide were chosen.
    fn holdings() -> Holdings {
        let active = [("pi-1", "mall"), ("pi-2", "crm"), ("pi-3", "mall")];
        let active = active.map(|(instance, code)| (id(instance), code.parse().unwrap()));
        let chosen = BTreeSet::from([id("pi-3"), id("guide-that-expired")]);
        let endpoint_apps = BTreeMap::from([(cid(0), None), (cid(1), Some(chosen))]);
        Holdings { unify_users: false, active: active.into(), endpoint_apps, nodes: Vec::new() }
    }

    fn products(holdings: &Holdings, number: usize) -> Vec<String> {
        let endpoint = holdings.endpoint(&bos(), &cid(number)).unwrap();
        endpoint.products.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn e2_e11_the_default_one_has_every_active_product_once() {
        assert_eq!(products(&holdings(), 0), ["crm", "mall"]);
    }

    #[test]
    fn e3_e11_a_custom_one_has_what_was_chosen_and_is_active() {
        assert_eq!(products(&holdings(), 1), ["mall"]);
    }

    #[test]
    fn e11_the_digest_is_that_of_the_canonical_rest() {
        let endpoint = holdings().endpoint(&bos(), &cid(1)).unwrap();
        let rest = r#"{"bos_id":"bos-1","cid":"cid_00000000000000000000000001","org_nodes":null,"products":["mall"],"unify_users":false}"#;
        assert_eq!(endpoint.digest, Digest::of(rest.as_bytes()));
    }

    #[test]
    fn e11_another_content_has_another_digest() {
        let before = holdings().endpoint(&bos(), &cid(0)).unwrap();
        assert_eq!(holdings().endpoint(&bos(), &cid(0)).unwrap(), before);
        let mut less = holdings();
        less.active.remove(&id("pi-2"));
        assert_ne!(less.endpoint(&bos(), &cid(0)).unwrap().digest, before.digest);
        let unified = Holdings { unify_users: true, ..holdings() };
        let unified = unified.endpoint(&bos(), &cid(0)).unwrap();
        assert!(unified.unify_users && unified.digest != before.digest);
        let mut placed = holdings();
        let open = BTreeSet::from([id("pi-1")]);
        placed.nodes = ["b-1", "a-1"]
            .map(|node| Node {
                id: node.parse().unwrap(),
                limited: false,
                open: open.clone(),
                assigned: BTreeSet::new(),
            })
            .into();
        let placed = placed.endpoint(&bos(), &cid(0)).unwrap();
        assert_ne!(placed.digest, before.digest);
        assert_eq!(serde_json::to_value(&placed.org_nodes).unwrap(), json!(["a-1", "b-1"]));
    }

    #[test]
    fn e11_what_is_shared_reads_as_what_it_is() {
        let endpoint = Some(holdings().endpoint(&bos(), &cid(1)).unwrap());
        let runtime = Runtime { endpoint, ..Runtime::default() };
        let text = serde_json::to_string(&runtime).unwrap();
        assert_eq!(serde_json::from_str::<Runtime>(&text).unwrap(), runtime);
        assert_eq!(serde_json::to_value(&runtime).unwrap(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        assert_eq!(serde_json::to_string(&Runtime::default()).unwrap(), "{}");
    }
}

//! Organisation nodes: a merchant's tree of regions and stores. The products that are open on a node and the endpoint
//! applications that are assigned to it decide where an endpoint application may be used (E9).

mod assign;
mod ending;

pub use assign::Reach;
pub use ending::{NodeOfEndpoint, ProductOfNode};

use berth_base::{
    clock::Millis,
    ids::{EndpointAppId, InstanceId, MerchantId, OrgNodeId},
    page::paged,
};
use serde::{Deserialize, Serialize};

/// A node of a merchant's organisation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct OrgNode {
    /// The VID. Never changes.
    pub id: OrgNodeId,
    /// The merchant that owns it.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    pub merchant: MerchantId,
    /// The node above it; absent for a root.
    #[cfg_attr(feature = "sql", sqlx(rename = "parent_id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OrgNodeId>,
    /// The name that people read.
    pub name: String,
    /// Whether only the endpoint applications that are assigned to it may be used at it (E9).
    pub limited: bool,
    /// When it was created.
    pub created_at: Millis,
}

/// A node with the products that are open on it and the endpoint applications that are assigned to it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct OrgNodeDetail {
    /// The node.
    #[serde(flatten)]
    pub node: OrgNode,
    /// The product instances that are open on it.
    pub products: Vec<InstanceId>,
    /// The endpoint applications that are assigned to it.
    pub endpoint_apps: Vec<EndpointAppId>,
}

/// A node to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrgNode {
    /// The merchant that is to own it.
    pub merchant: MerchantId,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The VID by which the merchant's organisation knows the node, `[a-z0-9][a-z0-9-]{2,62}`; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<OrgNodeId>,
    /// The node above it; absent for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OrgNodeId>,
    /// Whether only the endpoint applications that are assigned to it may be used at it.
    #[serde(default)]
    pub limited: bool,
}

/// What may be edited of a node. Absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditOrgNode {
    /// The new name, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new node above it; null makes it a root.
    #[serde(default, deserialize_with = "crate::said::said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<OrgNodeId>)]
    pub parent: Option<Option<OrgNodeId>>,
    /// Whether only the endpoint applications that are assigned to it may be used at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited: Option<bool>,
}

/// Which nodes to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrgNodeQuery {
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those directly below this one.
    #[serde(default)]
    pub parent: Option<OrgNodeId>,
    /// Only those that this endpoint application is assigned to.
    #[serde(default)]
    pub endpoint_app: Option<EndpointAppId>,
    /// Only those on which this product instance is open (E7).
    #[serde(default)]
    pub product_instance: Option<InstanceId>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(OrgNodeQuery);

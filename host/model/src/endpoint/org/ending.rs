//! What ends at organisation nodes, by hand or because what it depends on has ended (E4, E9). An event is emitted for
//! each end. The transaction holds the merchant.

use berth_base::ids::{EndpointAppId, InstanceId, OrgNodeId};
use serde::Serialize;

/// An endpoint application and a node that it is or was assigned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[allow(missing_docs, reason = "the names say it")]
pub struct NodeOfEndpoint {
    #[cfg_attr(feature = "sql", sqlx(rename = "endpoint_app_id"))]
    pub endpoint_app: EndpointAppId,
    #[cfg_attr(feature = "sql", sqlx(rename = "org_node_id"))]
    pub org_node: OrgNodeId,
}

/// A product instance and a node on which it is or was open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProductOfNode {
    #[cfg_attr(feature = "sql", sqlx(rename = "org_node_id"))]
    pub org_node: OrgNodeId,
    #[cfg_attr(feature = "sql", sqlx(rename = "instance_id"))]
    pub product_instance: InstanceId,
}

//! Which endpoint applications are assigned to which organisation nodes (E9).

use berth_base::ids::OrgNodeId;
use serde::{Deserialize, Serialize};

/// The organisation nodes at which an endpoint application may be used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Reach {
    /// The nodes at which it may be used, ascending; null when the merchant has no nodes, and it may be used
    /// everywhere.
    #[schema(required)]
    pub org_nodes: Option<Vec<OrgNodeId>>,
    /// The nodes that it is assigned to. When there are none, it may be used at all nodes that are not limited and have
    /// one of its products open.
    pub assigned: Vec<OrgNodeId>,
}

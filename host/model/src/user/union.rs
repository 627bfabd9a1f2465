//! Whether a MiniApp is told union ids (K10).

use berth_base::ids::MiniAppId;
use serde::{Deserialize, Serialize};

/// Whether a MiniApp is told the union ids of its users.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Union {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Whether it is. Whoever is told union ids recognises a user in all MiniApps of the team that are told them, too.
    pub on: bool,
}

/// Whether a MiniApp is to be told the union ids of its users.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUnion {
    /// Whether it is.
    pub on: bool,
}

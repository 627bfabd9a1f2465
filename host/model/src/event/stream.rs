//! The event log as an endless stream: each event as it is committed, for callers who may read it.

use berth_base::ids::{HostAppId, MerchantId, MiniAppId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// Which events a stream has. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Only those of this MiniApp.
    #[serde(default)]
    pub mini_app: Option<MiniAppId>,
    /// Only those of this host app.
    #[serde(default)]
    pub host_app: Option<HostAppId>,
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those of this workspace.
    #[serde(default)]
    pub workspace: Option<WorkspaceId>,
    /// Only those of these types, separated by commas, each exact or with a star, such as `version.*,binding.created`.
    #[serde(default)]
    pub types: Option<String>,
    /// Only those after this number. When absent the stream begins with what happens next. The header `Last-Event-ID`
    /// takes precedence.
    #[serde(default)]
    pub after: Option<i64>,
}

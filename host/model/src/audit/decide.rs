//! Submits and withdraws versions, and takes the decisions of people.

use berth_base::ids::HostAppId;
use serde::{Deserialize, Serialize};

/// The decision of a host app in an audit.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The host app for which the caller decides.
    pub host_app: HostAppId,
    /// Whether the host app approves of the version; otherwise it rejects it.
    pub approve: bool,
    /// The reason, at most 2,000 characters; a rejection must have one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

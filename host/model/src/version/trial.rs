//! Trials: a version for named accounts, before it is published or beside what is online (V10).

use berth_base::version::VersionNumber;
use serde::{Deserialize, Serialize};

/// The trial of a MiniApp: a version that only named accounts get. A MiniApp has at most one.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The version on trial, in any state but rejected.
    pub version: VersionNumber,
    /// The page at which it opens, relative and optionally with a query, such as `pages/index/index?from=trial`.
    pub entry_path: String,
    /// The accounts that get the version, as the host app names them in its checks; 1 to 200.
    pub accounts: Vec<String>,
}

//! Trials: a version for named accounts, before it is published or beside what is online (V10).

use berth_base::{text::text_enum, version::VersionNumber};
use serde::{Deserialize, Serialize};

text_enum! {
    /// Why a trial ended.
    TrialEnd {
        /// A person ended it.
        Hand = "hand",
        /// Its version, or a greater one, came online: everyone gets it, or what is newer.
        Superseded = "superseded",
        /// Its version is below the minimum usable version (V11).
        MinVersion = "min-version",
        /// Its version was rejected.
        Rejected = "rejected",
    }
}

/// The trial of a MiniApp: a version that only named accounts get. A MiniApp has at most one.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The version on trial, in any state but rejected, and not below the online version or the minimum usable one.
    pub version: VersionNumber,
    /// The page at which it opens, relative and optionally with a query, such as `pages/index/index?from=trial`.
    pub entry_path: String,
    /// The accounts that get the version, as the host app names them in its checks; 1 to 200.
    pub accounts: Vec<String>,
}

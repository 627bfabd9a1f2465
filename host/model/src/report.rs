//! Reports of devices about the versions that they got (G8).

use berth_base::{ids::HostAppId, version::VersionNumber};
use serde::{Deserialize, Serialize};

use crate::rollout::Mark;

/// A report of a device about a version that it got.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Report {
    /// Id of the host app in which the device runs it.
    pub host_app: HostAppId,
    /// Id of the installation, as in checks; at most 256 bytes.
    pub guid: String,
    /// Id of the MiniApp.
    pub mini_app: String,
    /// The version that the report is about.
    pub version: VersionNumber,
    /// What became of the version on this device.
    pub kind: Mark,
    /// Why the version failed, for the progress of the gray task, which groups what differs in numbers only. Of a longer
    /// text the first line counts, up to 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

//! Downloads: who may fetch which packages, and bundles of them for offline use (A2, O1–O4).

use berth_base::ids::{Digest, EndpointAppId, HostAppId, MiniAppId};
use serde::{Deserialize, Serialize};

use crate::runtime::Runtime;

/// The contents of a bundle to make.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleRequest {
    /// Id of the host app that embeds the bundle.
    pub host_app: HostAppId,
    /// Ids of the MiniApps; when absent, all that are bound to the host app, online and on the shelf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_apps: Option<Vec<MiniAppId>>,
    /// CID of an endpoint application, in place of `mini_apps`: the MiniApps that are its channels and bound to the
    /// host app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<EndpointAppId>,
}

/// `berth-bundle.json`: the packages of a bundle, pinned by hash. It has no time in it, so that the same content gives
/// the same bytes.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct BundleManifest {
    /// Version of this format: 1.
    pub format: u32,
    /// Id of the host app for which the bundle was made.
    pub host_app: HostAppId,
    /// CID of the endpoint application whose channels the packages are, if the bundle was asked for by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<EndpointAppId>,
    /// The packages, ordered by file name.
    pub packages: Vec<BundledPackage>,
}

/// One package in a bundle.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct BundledPackage {
    /// Name of the file: `{mini_app_id}_{version}.apkg`.
    pub file: String,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Number of the version.
    pub version: berth_base::version::VersionNumber,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Size of the file in bytes.
    pub size: u64,
    /// The `runtime` of the package until a check gives another one. The endpoint application is in bundles of one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
}

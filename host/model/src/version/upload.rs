//! Uploads: a package becomes a version in development (V1, V2, F26, F30, F59).

use super::Version;

/// A version with its newest audit.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize, utoipa::ToSchema)]
pub struct VersionDetail {
    /// The version; its fields are part of this object.
    #[serde(flatten)]
    pub version: Version,
    /// The newest audit of the version; absent when it was never submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<crate::audit::Audit>,
}

//! Versions as they are stored and shown.

use berth_base::{
    clock::Millis,
    ids::{Digest, MiniAppId, VersionId},
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};

use super::State;

/// What the manifest of a package says, as far as Berth uses it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ManifestSummary {
    /// Path of the manifest: `app.json`, `game.json` or `manifest.json`.
    pub path: String,
    /// How many pages the package has.
    #[serde(default)]
    pub page_count: u64,
    /// Paths of all pages, including those of subpackages. Lists and events leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// Roots of the subpackages.
    pub subpackages: Vec<String>,
    /// What is odd in the manifest but does not prevent an upload. Lists and events leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What is stored of it. How many pages there are is counted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the fields are documented in ManifestSummary")]
pub struct StoredManifest {
    pub path: String,
    pub pages: Vec<String>,
    pub subpackages: Vec<String>,
    pub warnings: Vec<String>,
}

impl From<StoredManifest> for ManifestSummary {
    fn from(StoredManifest { path, pages, subpackages, warnings }: StoredManifest) -> Self {
        Self { path, page_count: pages.len() as u64, pages, subpackages, warnings }
    }
}

/// A version of a MiniApp: one uploaded package.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// Internal id; not part of the API.
    #[serde(skip)]
    #[schema(ignore)]
    pub id: Option<VersionId>,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Number of the version.
    pub version: VersionNumber,
    /// State in the version's life.
    pub state: State,
    /// Whether it was published as forced.
    pub forced: bool,
    /// SHA-256 of the package.
    pub sha256: Digest,
    /// Size of the package in bytes.
    pub size: u64,
    /// How many files the package has.
    pub files: u64,
    /// What the manifest of the package says.
    pub manifest: ManifestSummary,
    /// The account that uploaded it.
    pub uploaded_by: String,
    /// When it was uploaded.
    pub created_at: Millis,
    /// When its state or its package last changed.
    pub updated_at: Millis,
    /// When it last went online, by a publish or a rollback; absent when it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_at: Option<Millis>,
}

impl Version {
    /// This version without the pages and warnings of its manifest, of which there may be thousands; for lists and
    /// events (F77).
    pub fn brief(mut self) -> Self {
        (self.manifest.pages, self.manifest.warnings) = (Vec::new(), Vec::new());
        self
    }
}

/// A version with its newest audit.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct VersionDetail {
    /// The version; its fields are part of this object.
    #[serde(flatten)]
    pub version: Version,
    /// The newest audit of the version; absent when it was never submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<crate::audit::Audit>,
}

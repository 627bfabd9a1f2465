//! A version as it is stored and shown.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{State, VersionNumber};
use crate::{
    clock::Millis,
    ids::{Digest, MiniAppId, VersionId},
    store::Count,
};

/// What a package says of itself, as far as Berth uses it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ManifestSummary {
    /// `app.json`, `game.json` or `manifest.json`.
    pub path: String,
    /// How many pages there are.
    #[serde(default)]
    pub page_count: u64,
    /// All pages, those of subpackages with their root. Lists and events leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// The roots of the subpackages.
    pub subpackages: Vec<String>,
    /// What looked odd and was let through. Lists and events leave it out.
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

/// One uploaded build of a MiniApp.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Version {
    /// Unique for ever.
    #[serde(skip)]
    #[schema(ignore)]
    pub id: Option<VersionId>,
    /// Whose version it is.
    pub mini_app: MiniAppId,
    /// Its number.
    pub version: VersionNumber,
    /// Where it is in its life.
    pub state: State,
    /// Whether it was published as forced.
    pub forced: bool,
    /// SHA-256 of the package.
    pub sha256: Digest,
    /// Bytes of the package.
    pub size: u64,
    /// Files in the package.
    pub files: u64,
    /// What the package says of itself.
    pub manifest: ManifestSummary,
    /// The account that uploaded it.
    pub uploaded_by: String,
    /// When it was uploaded.
    pub created_at: Millis,
    /// When its state last changed.
    pub updated_at: Millis,
    /// When it first went online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_at: Option<Millis>,
}

/// A row of `version`.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Version")]
pub struct VersionRow {
    pub id: VersionId,
    pub mini_app_id: MiniAppId,
    pub number: VersionNumber,
    pub state: State,
    pub submitted_once: bool,
    pub forced: bool,
    pub sha256: Digest,
    #[sqlx(try_from = "Count")]
    pub size: u64,
    #[sqlx(try_from = "Count")]
    pub files: u64,
    pub manifest: Json<StoredManifest>,
    pub uploaded_by: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub online_at: Option<Millis>,
}

impl Version {
    /// Without what may be long, for lists and events: a manifest may have thousands of pages (F77).
    pub fn brief(mut self) -> Self {
        (self.manifest.pages, self.manifest.warnings) = (Vec::new(), Vec::new());
        self
    }
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self {
            id: Some(row.id),
            mini_app: row.mini_app_id,
            version: row.number,
            state: row.state,
            forced: row.forced,
            sha256: row.sha256,
            size: row.size,
            files: row.files,
            manifest: row.manifest.0.into(),
            uploaded_by: row.uploaded_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            online_at: row.online_at,
        }
    }
}

//! The files of a version.

use berth_base::ids::Digest;
use serde::{Deserialize, Serialize};

/// A file in the package of a version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct VersionFile {
    /// The path: relative, with `/` between its parts.
    pub path: String,
    /// The size in bytes after inflating.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: Digest,
}

//! Installs policies. The built-in ones are inspected like all others.

use berth_base::{clock::Millis, ids::Digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PolicyOrigin, Signer};
use crate::policy::{PolicyKind, PolicyMetadata};

/// An installed policy: one version of it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct InstalledPolicy {
    /// SHA-256 of the wasm. It names exactly these bytes.
    pub digest: Digest,
    /// What kind of policy it is.
    pub kind: PolicyKind,
    /// Name that the policy gives itself.
    pub name: String,
    /// Version that the policy gives itself.
    pub version: String,
    /// What the policy does, in one sentence.
    pub summary: String,
    /// JSON Schema of its config; absent when it takes no config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    #[cfg_attr(feature = "sql", sqlx(json(nullable)))]
    pub config_schema: Option<Value>,
    /// Size of the wasm in bytes.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub size: u64,
    /// What its makers say of it; absent when its wasm says nothing. Nobody has verified it.
    #[serde(default, skip_serializing_if = "PolicyMetadata::is_empty")]
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub metadata: PolicyMetadata,
    /// Where it came from; absent when it was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "sql", sqlx(json(nullable)))]
    pub origin: Option<PolicyOrigin>,
    /// The trusted keys that have signed it, as they were then: those of the platform, and of teams and host apps that the caller knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub signed_by: Vec<Signer>,
    /// The account that installed it, or `berth` for a built-in policy.
    pub installed_by: String,
    /// When it was installed.
    pub installed_at: Millis,
    /// At how many places that the caller may know of it is bound, without ended gray tasks; absent when that is not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "sql", sqlx(skip))]
    pub places: Option<u64>,
}

/// Which policies to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicyQuery {
    /// Only policies of this kind.
    #[serde(default)]
    pub kind: Option<PolicyKind>,
    /// Whether to tell at how many places each is bound.
    #[serde(default)]
    pub places: bool,
}

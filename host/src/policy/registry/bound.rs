//! A policy bound to a place: which one, with which config, and what its failure means.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use sqlx::types::Json;
use utoipa::{
    PartialSchema,
    openapi::{RefOr, Schema},
};

use super::{BindingScope, Mode, OnError, ScopeKind};
use crate::{
    clock::Millis,
    ids::{Digest, PolicyBindingId},
    policy::{LimitOverrides, PolicyKind},
};

/// A policy bound to a place.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PolicyBinding {
    /// Unique for ever.
    pub id: PolicyBindingId,
    /// The policy's name.
    pub policy: String,
    /// The policy's own version.
    pub policy_version: String,
    /// SHA-256 of the policy: what is pinned.
    pub digest: Digest,
    /// Where.
    pub scope: BindingScope,
    /// Its config.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Whether its judgement counts.
    pub mode: Mode,
    /// What its failure means.
    pub on_error: OnError,
    /// Limits other than the default ones.
    pub limits: LimitOverrides,
    /// The account that bound it; `berth` for the built-in ones.
    pub bound_by: String,
    /// When.
    pub bound_at: Millis,
}

fn no_config() -> Value {
    Value::Object(Default::default())
}

/// A policy to bind.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicyBinding {
    /// Its name (then the newest of it), `NAME@VERSION` or its digest.
    pub policy: String,
    /// Satisfies the policy's schema; `{}` when absent.
    #[serde(default = "no_config")]
    #[schema(value_type = Object)]
    pub config: Value,
    /// `enforce` when absent.
    #[serde(default)]
    pub mode: Mode,
    /// `closed` when absent.
    #[serde(default)]
    pub on_error: OnError,
    /// Limits other than the default ones.
    #[serde(default)]
    pub limits: LimitOverrides,
}

/// A policy to bind, and where.
#[derive(Clone, Debug, Serialize)]
pub struct ScopedPolicyBinding {
    /// Where.
    pub scope: BindingScope,
    /// What.
    #[serde(flatten)]
    pub binding: NewPolicyBinding,
}

impl<'de> Deserialize<'de> for ScopedPolicyBinding {
    /// By hand, because serde's flattening would let a misspelt field pass.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut members = serde_json::Map::deserialize(deserializer)?;
        let scope = members.remove("scope").ok_or_else(|| D::Error::missing_field("scope"))?;
        let scope = serde_json::from_value(scope).map_err(D::Error::custom)?;
        let binding = serde_json::from_value(members.into()).map_err(D::Error::custom)?;
        Ok(Self { scope, binding })
    }
}

impl PartialSchema for ScopedPolicyBinding {
    /// By hand too: a schema that allows no further members cannot be flattened into another.
    fn schema() -> RefOr<Schema> {
        let mut schema = NewPolicyBinding::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description = Some("A policy to bind, and where.".into());
            object.properties.insert("scope".into(), BindingScope::schema());
            object.required.push("scope".into());
        }
        schema
    }
}

impl utoipa::ToSchema for ScopedPolicyBinding {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        NewPolicyBinding::schemas(schemas);
        BindingScope::schemas(schemas);
    }
}

/// What to change in a binding; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingPatch {
    /// Another version of the policy: its name (then the newest of it), `NAME@VERSION` or its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Another config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Another mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Another meaning of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
    /// Other limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitOverrides>,
}

impl BindingPatch {
    /// What comes of changing the binding: what is absent stays.
    pub(super) fn over(&self, row: &PolicyBindingRow) -> NewPolicyBinding {
        let Self { policy, config, mode, on_error, limits } = self.clone();
        NewPolicyBinding {
            policy: policy.unwrap_or_else(|| row.digest.to_string()),
            config: config.unwrap_or_else(|| row.config.0.clone()),
            mode: mode.unwrap_or(row.mode),
            on_error: on_error.unwrap_or(row.on_error),
            limits: limits.unwrap_or_else(|| row.limits.0.clone()),
        }
    }

    /// Whether it changes nothing but the version of the policy.
    pub(super) fn only_moves(&self) -> bool {
        self.config.is_none() && self.mode.is_none() && self.on_error.is_none() && self.limits.is_none()
    }
}

/// Which bindings are wanted; without a place all that the caller may know of, save those of ended grayscale tasks.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BindingQuery {
    /// The kind of place.
    #[serde(default)]
    pub scope_kind: Option<ScopeKind>,
    /// Its id; absent for the platform.
    #[serde(default)]
    pub scope_id: String,
    /// Only those of the policy with this name, whatever its version.
    #[serde(default)]
    pub policy: Option<String>,
}

/// A row of `policy_binding`, with what its policy says of itself.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in PolicyBinding")]
pub struct PolicyBindingRow {
    pub id: PolicyBindingId,
    pub digest: Digest,
    pub name: String,
    pub version: String,
    pub kind: PolicyKind,
    pub scope_kind: ScopeKind,
    pub scope_id: String,
    pub position: i64,
    pub config: Json<Value>,
    pub mode: Mode,
    pub on_error: OnError,
    pub limits: Json<LimitOverrides>,
    pub bound_by: String,
    pub bound_at: Millis,
}

impl PolicyBindingRow {
    /// Where it is bound.
    pub fn scope(&self) -> BindingScope {
        BindingScope { kind: self.scope_kind, id: self.scope_id.clone() }
    }

    /// Whether it is what `new` asks for, whatever the version of its policy.
    pub(super) fn says(&self, new: &NewPolicyBinding) -> bool {
        (&self.config.0, self.mode, self.on_error, &self.limits.0) == (&new.config, new.mode, new.on_error, &new.limits)
    }

    /// Whether a config that was found good for `other` is good for this one, too.
    pub(super) fn judges_as(&self, other: &Self) -> bool {
        (&self.digest, &self.config.0, &self.limits.0) == (&other.digest, &other.config.0, &other.limits.0)
    }
}

impl From<PolicyBindingRow> for PolicyBinding {
    fn from(row: PolicyBindingRow) -> Self {
        Self {
            scope: row.scope(),
            id: row.id,
            policy: row.name,
            policy_version: row.version,
            digest: row.digest,
            config: row.config.0,
            mode: row.mode,
            on_error: row.on_error,
            limits: row.limits.0,
            bound_by: row.bound_by,
            bound_at: row.bound_at,
        }
    }
}

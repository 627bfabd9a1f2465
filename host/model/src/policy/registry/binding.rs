//! Bindings of policies to places: which policy, with which config and limits, and what its failure means.

use berth_base::{
    clock::Millis,
    ids::{Digest, PolicyBindingId},
    page::paged,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema,
    openapi::{RefOr, Schema},
};

use super::{Level, Mode, OnError, PolicyScope, ScopeKind, Watch};
use crate::policy::LimitOverrides;

/// A policy that is bound to a place.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PolicyBinding {
    /// Id of the binding.
    pub id: PolicyBindingId,
    /// Name of the policy.
    pub policy: String,
    /// Version of the policy.
    pub policy_version: String,
    /// SHA-256 of the wasm of the policy; the binding uses exactly these bytes.
    pub digest: Digest,
    /// The place where it is bound.
    pub scope: PolicyScope,
    /// The config that it is given.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Whether its judgement decides.
    pub mode: Mode,
    /// What it means when it gives no verdict.
    pub on_error: OnError,
    /// The limits that differ from the defaults.
    pub limits: LimitOverrides,
    /// How it watches its gray task; of guards only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// The level that made it, or the platform if an admin of the platform has changed more of it than the version. What is
    /// the platform's, only its admins change or remove.
    pub level: Level,
    /// The account that bound it or changed the binding last, or `berth` for a built-in policy.
    pub bound_by: String,
    /// When it was bound or the binding was last changed.
    pub bound_at: Millis,
}

fn no_config() -> Value {
    Value::Object(Default::default())
}

/// Whether a member says what its absence says, too.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A policy to bind.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicyBinding {
    /// The policy: its name (which means the newest version), `NAME@VERSION`, or its digest.
    pub policy: String,
    /// The config to give it, which must satisfy the policy's schema; `{}` when absent.
    #[serde(default = "no_config")]
    #[schema(value_type = Object)]
    pub config: Value,
    /// Whether its judgement decides; `enforce` when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// What it means when it gives no verdict; `closed` when absent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_error: OnError,
    /// The limits that are to differ from the defaults.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitOverrides,
    /// How it watches its gray task; of guards only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// The name that a gray task gives it, kebab-case; its own when absent. Needed where a task has a policy twice, and says
    /// what it admits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A policy to bind, and the place where to bind it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(from = "Told")]
pub struct ScopedPolicyBinding {
    /// The place.
    pub scope: PolicyScope,
    /// The policy with its config.
    #[serde(flatten)]
    pub binding: NewPolicyBinding,
}

/// A policy to bind, as it is read: a flattening would accept misspelt members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    scope: PolicyScope,
    policy: String,
    #[serde(default = "no_config")]
    config: Value,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    on_error: OnError,
    #[serde(default)]
    limits: LimitOverrides,
    #[serde(default)]
    watch: Option<Watch>,
}

impl From<Told> for ScopedPolicyBinding {
    fn from(told: Told) -> Self {
        let Told { scope, policy, config, mode, on_error, limits, watch } = told;
        Self { scope, binding: NewPolicyBinding { policy, config, mode, on_error, limits, watch, name: None } }
    }
}

impl PartialSchema for ScopedPolicyBinding {
    /// Written by hand, because a schema that allows no further members cannot be flattened into another one.
    fn schema() -> RefOr<Schema> {
        let mut schema = NewPolicyBinding::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            // Policies have names of their own in gray tasks only.
            object.properties.remove("name");
            object.description = Some("A policy to bind, and where.".into());
            object.properties.insert("scope".into(), PolicyScope::schema());
            object.required.push("scope".into());
        }
        schema
    }
}

impl utoipa::ToSchema for ScopedPolicyBinding {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        NewPolicyBinding::schemas(schemas);
        PolicyScope::schemas(schemas);
    }
}

/// Changes to a binding. Absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBindingPatch {
    /// Another version of the same policy: its name (which means the newest version), `NAME@VERSION`, or its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The new config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// The new mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The new meaning of its failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
    /// The new limits, in place of all that differ from the defaults now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitOverrides>,
}

impl PolicyBindingPatch {
    /// Whether it changes nothing but the version of the policy.
    pub fn only_moves(&self) -> bool {
        self.config.is_none() && self.mode.is_none() && self.on_error.is_none() && self.limits.is_none()
    }
}

/// Which bindings to list. Without a place: all that the caller may know about, except those of ended gray tasks, in the order
/// in which they were made. A place has all of its bindings on one page.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicyBindingQuery {
    /// Only bindings at this kind of place, of which `scope_id` names one.
    #[serde(default)]
    pub scope_kind: Option<ScopeKind>,
    /// Id of the place; absent for the platform.
    #[serde(default)]
    pub scope_id: String,
    /// Only bindings of the policy with this name, whatever its version.
    #[serde(default)]
    pub policy: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; all of them when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(PolicyBindingQuery);

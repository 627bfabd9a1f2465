//! Binding policies: which one, where, with which config, and what its failure means.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use sqlx::types::Json;
use utoipa::{
    PartialSchema,
    openapi::{RefOr, Schema},
};

use super::{BindingScope, Mode, OnError, PolicyRow, ScopeKind};
use crate::{
    access::{Action, Caller},
    app::App,
    clock::Millis,
    error::{Code, Error, Result},
    event,
    ids::{Digest, HostAppId, MiniAppId, PolicyBindingId},
    policy::{LimitOverrides, PolicyKind},
    store::Tx,
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
    /// Its name (then the newest of it) or its digest.
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
    /// Another version of the policy: its name (then the newest of it) or its digest.
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

/// Which bindings are wanted.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BindingQuery {
    /// The kind of place.
    pub scope_kind: ScopeKind,
    /// Its id; absent for the platform.
    #[serde(default)]
    pub scope_id: String,
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
    #[sqlx(try_from = "String")]
    pub scope_kind: ScopeKind,
    pub scope_id: String,
    pub position: i64,
    pub config: Json<Value>,
    #[sqlx(try_from = "String")]
    pub mode: Mode,
    #[sqlx(try_from = "String")]
    pub on_error: OnError,
    pub limits: Json<LimitOverrides>,
    pub bound_by: String,
    pub bound_at: Millis,
}

impl From<PolicyBindingRow> for PolicyBinding {
    fn from(row: PolicyBindingRow) -> Self {
        Self {
            id: row.id,
            policy: row.name,
            policy_version: row.version,
            digest: row.digest,
            scope: BindingScope { kind: row.scope_kind, id: row.scope_id },
            config: row.config.0,
            mode: row.mode,
            on_error: row.on_error,
            limits: row.limits.0,
            bound_by: row.bound_by,
            bound_at: row.bound_at,
        }
    }
}

/// The policy, when it is of the kind.
pub fn require_kind(row: PolicyRow, kind: PolicyKind) -> Result<PolicyRow> {
    if row.kind == kind {
        return Ok(row);
    }
    let text = format!("{} is a policy of kind {}; here one of kind {kind} is needed.", row.name, row.kind);
    Err(Error::new(Code::PolicyKind, text).with("kind", row.kind))
}

/// Checks what is to be bound, before any transaction is open: the policy is of the kind, its limits are in bounds, and
/// it accepts the config.
pub async fn check(app: &App, new: &NewPolicyBinding, kind: PolicyKind) -> Result<PolicyRow> {
    let row = require_kind(app.db.read().await?.require_policy(&new.policy).await?, kind)?;
    let limits = new.limits.apply(kind)?;
    app.policies.load(&row.digest).await?.check_config(&new.config, &limits).await?;
    Ok(row)
}

/// Binds what [`check`] has found good, after the bindings that the place has.
pub async fn attach(
    tx: &mut Tx,
    app: &App,
    actor: &str,
    scope: BindingScope,
    new: NewPolicyBinding,
    policy: PolicyRow,
) -> Result<PolicyBindingRow> {
    let now = app.clock.now();
    let row = PolicyBindingRow {
        id: PolicyBindingId::generate(now, &*app.random),
        digest: policy.digest,
        name: policy.name,
        version: policy.version,
        kind: policy.kind,
        scope_kind: scope.kind,
        position: tx.policy_bindings(scope.kind, &scope.id).await?.len() as i64,
        scope_id: scope.id,
        config: Json(new.config),
        mode: new.mode,
        on_error: new.on_error,
        limits: Json(new.limits),
        bound_by: actor.to_owned(),
        bound_at: now,
    };
    tx.insert_policy_binding(&row).await?;
    let told = PolicyBinding::from(row.clone());
    tx.emit(event::new(app, "policy.bound", &row.id, actor, &told));
    Ok(row)
}

/// The kind of policy that a place takes from people.
fn kind_at(scope: &BindingScope, policy: &PolicyRow) -> Result<PolicyKind> {
    match (scope.kind, policy.kind) {
        (ScopeKind::Platform | ScopeKind::HostApp | ScopeKind::MiniApp, PolicyKind::Auditor) => Ok(PolicyKind::Auditor),
        (_, kind) => Err(Error::new(
            Code::PolicyKind,
            format!(
                "{} is a policy of kind {kind}. Auditors are bound here; grayscale policies and guards are given to a grayscale task.",
                policy.name
            ),
        )),
    }
}

/// Binds an auditor to the platform, a host app or a MiniApp.
pub async fn bind(app: &App, caller: &Caller, new: ScopedPolicyBinding) -> Result<PolicyBinding> {
    let ScopedPolicyBinding { scope, binding } = new;
    let mut reading = app.db.read().await?;
    scope.authorise(&mut reading, caller, Action::Configure).await?;
    let kind = kind_at(&scope, &reading.require_policy(&binding.policy).await?)?;
    drop(reading);
    let policy = check(app, &binding, kind).await?;
    let mut tx = app.db.begin().await?;
    let row = attach(&mut tx, app, caller.account.as_str(), scope, binding, policy).await?;
    tx.commit().await?;
    Ok(row.into())
}

/// The bindings of a place, in the order in which they are asked.
pub async fn list(app: &App, caller: &Caller, query: &BindingQuery) -> Result<Vec<PolicyBinding>> {
    let scope = BindingScope { kind: query.scope_kind, id: query.scope_id.clone() };
    let mut tx = app.db.read().await?;
    if scope.kind == ScopeKind::Platform {
        caller.require_scope(crate::access::TokenScope::Read)?;
    } else {
        scope.authorise(&mut tx, caller, Action::Read).await?;
    }
    let rows = tx.policy_bindings(scope.kind, &scope.id).await?;
    Ok(rows.into_iter().map(PolicyBinding::from).collect())
}

async fn authorised(app: &App, caller: &Caller, id: &PolicyBindingId) -> Result<PolicyBindingRow> {
    let mut tx = app.db.read().await?;
    let hidden = || Error::not_found("policy binding", id);
    let row = tx.policy_binding(id).await?.ok_or_else(hidden)?;
    let scope = BindingScope { kind: row.scope_kind, id: row.scope_id.clone() };
    match scope.authorise(&mut tx, caller, Action::Configure).await {
        Err(error) if error.code == Code::NotFound => Err(hidden()),
        Err(error) => Err(error),
        Ok(()) => Ok(row),
    }
}

/// Changes a binding: another config, or another version of the same policy.
pub async fn rebind(app: &App, caller: &Caller, id: &PolicyBindingId, patch: BindingPatch) -> Result<PolicyBinding> {
    let old = authorised(app, caller, id).await?;
    let new = NewPolicyBinding {
        policy: patch.policy.unwrap_or_else(|| old.digest.to_string()),
        config: patch.config.unwrap_or_else(|| old.config.0.clone()),
        mode: patch.mode.unwrap_or(old.mode),
        on_error: patch.on_error.unwrap_or(old.on_error),
        limits: patch.limits.unwrap_or_else(|| old.limits.0.clone()),
    };
    let policy = check(app, &new, old.kind).await?;
    let row = PolicyBindingRow {
        digest: policy.digest,
        name: policy.name,
        version: policy.version,
        config: Json(new.config),
        mode: new.mode,
        on_error: new.on_error,
        limits: Json(new.limits),
        bound_by: caller.account.to_string(),
        bound_at: app.clock.now(),
        ..old
    };
    let mut tx = app.db.begin().await?;
    tx.update_policy_binding(&row).await?;
    let told = PolicyBinding::from(row);
    tx.emit(event::new(app, "policy.rebound", id, caller.account.as_str(), &told));
    tx.commit().await?;
    Ok(told)
}

/// Takes a binding away.
pub async fn unbind(app: &App, caller: &Caller, id: &PolicyBindingId) -> Result<()> {
    let old = authorised(app, caller, id).await?;
    let mut tx = app.db.begin().await?;
    tx.delete_policy_binding(id).await?;
    tx.emit(event::new(app, "policy.unbound", id, caller.account.as_str(), &PolicyBinding::from(old)));
    tx.commit().await
}

/// The auditors that judge a version: the platform's, then those of the host apps, then the MiniApp's own.
pub async fn auditors(tx: &mut Tx, mini_app: &MiniAppId, host_apps: &[HostAppId]) -> Result<Vec<PolicyBindingRow>> {
    let mut rows = tx.policy_bindings(ScopeKind::Platform, "").await?;
    for host_app in host_apps {
        rows.extend(tx.policy_bindings(ScopeKind::HostApp, host_app.as_str()).await?);
    }
    rows.extend(tx.policy_bindings(ScopeKind::MiniApp, mini_app.as_str()).await?);
    rows.retain(|row| row.kind == PolicyKind::Auditor);
    Ok(rows)
}

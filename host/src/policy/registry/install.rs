//! Installing policies: the first-party ones by the same door as everybody's.

use crate::policy::registry::Policies;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BindingScope, Mode, NewPolicyBinding, OnError,
    bindings::{attach, fit},
};
use crate::{
    access::{Action, Caller, Scope, TokenScope},
    clock::Millis,
    error::{Code, Error, Result},
    event::{self, kind},
    ids::Digest,
    policy::{Policy, PolicyKind, builtin},
    store::{Count, Db, Tx, is_unique_violation},
    text,
};

/// A policy that is installed.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct InstalledPolicy {
    /// SHA-256 of the wasm: what pins it.
    pub digest: Digest,
    /// What it judges.
    pub kind: PolicyKind,
    /// What it calls itself.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// What it does, in one sentence.
    pub summary: String,
    /// JSON Schema of its config; absent when it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    #[sqlx(json(nullable))]
    pub config_schema: Option<Value>,
    /// Bytes of the wasm.
    #[sqlx(try_from = "Count")]
    pub size: u64,
    /// The account that installed it; `berth` for the built-in ones.
    pub installed_by: String,
    /// When.
    pub installed_at: Millis,
}

/// Which policies are wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicyQuery {
    /// Only those of this kind.
    #[serde(default)]
    pub kind: Option<PolicyKind>,
}

/// Most bytes of a policy: components from JavaScript and Python toolchains have 12 to 18 MB.
pub const MAX_POLICY_BYTES: u64 = 64 << 20;

/// Takes in the bytes of a policy from somebody who may install it.
pub async fn receive(policies: &Policies, caller: &Caller, body: impl Stream<Item = Result<Bytes>>) -> Result<Bytes> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let spooled = policies.blobs.spool(body, MAX_POLICY_BYTES).await?;
    Ok(std::fs::read(spooled.file.path()).map_err(Error::internal)?.into())
}

/// Installs a policy: it passes the gate, is compiled, and describes itself. The same bytes twice are no work.
///
/// # Errors
/// `policy-exists` when its version is installed with other bytes, so that a version says what judged.
pub async fn install(policies: &Policies, caller: &Caller, wasm: Bytes) -> Result<InstalledPolicy> {
    caller.require(Action::Administer, &Scope::Platform)?;
    install_as(policies, caller.account.as_str(), wasm).await
}

async fn install_as(policies: &Policies, actor: &str, wasm: Bytes) -> Result<InstalledPolicy> {
    let digest = Digest::of(&wasm);
    if let Some(row) = policies.db.read().await?.policy(&digest).await? {
        return Ok(row);
    }
    let row = take_in(policies, actor, wasm).await?;
    let mut tx = policies.db.begin().await?;
    if tx.policy_version(&row.name, &row.version).await?.is_some_and(|other| other.digest != row.digest) {
        return Err(exists(&row));
    }
    add(&mut tx, actor, &row).await?;
    tx.commit().await?;
    Ok(row)
}

fn exists(row: &InstalledPolicy) -> Error {
    let InstalledPolicy { name, version, .. } = row;
    let text =
        format!("{name} {version} is installed with other bytes. Raise the policy's version and build it again.");
    Error::new(Code::PolicyExists, text).with("policy", format!("{name}@{version}"))
}

/// Lets a policy pass the gate and keeps its bytes; nothing is installed yet.
async fn take_in(policies: &Policies, actor: &str, wasm: Bytes) -> Result<InstalledPolicy> {
    let policy = policies.engine.inspect(wasm.to_vec()).await?;
    policies.remember(&policy);
    policies.blobs.keep_bytes(wasm.clone()).await?;
    Ok(row_of(&policies.db, actor, &policy, wasm.len()))
}

/// Whether it was new: another host may have been faster.
async fn add(tx: &mut Tx, actor: &str, row: &InstalledPolicy) -> Result<bool> {
    let new = match tx.insert_policy(row).await {
        Err(error) if is_unique_violation(&error) => return Err(exists(row)),
        inserted => inserted?,
    };
    if new {
        tx.tell(kind::POLICY_INSTALLED, &row.digest, actor, row);
    }
    Ok(new)
}

fn row_of(db: &Db, actor: &str, policy: &Arc<Policy>, size: usize) -> InstalledPolicy {
    let described = policy.description();
    InstalledPolicy {
        digest: policy.digest().clone(),
        kind: policy.kind(),
        name: described.name.clone(),
        version: described.version.to_string(),
        summary: described.summary.clone(),
        config_schema: described.config_schema.clone(),
        size: size as u64,
        installed_by: actor.to_owned(),
        installed_at: db.now(),
    }
}

/// The installed policies, newest first.
pub async fn list(db: &Db, caller: &Caller, query: &PolicyQuery) -> Result<Vec<InstalledPolicy>> {
    caller.require_scope(TokenScope::Read)?;
    let rows = db.read().await?.policies().await?;
    let wanted = rows.into_iter().filter(|row| query.kind.is_none_or(|kind| kind == row.kind));
    Ok(wanted.collect())
}

/// One policy, by its digest, as `NAME@VERSION` or by its name (then the newest of it).
pub async fn get(db: &Db, caller: &Caller, which: &str) -> Result<InstalledPolicy> {
    caller.require_scope(TokenScope::Read)?;
    db.read().await?.require_policy(which).await
}

/// Removes a policy that is bound nowhere. Past audits keep what it said.
///
/// # Errors
/// `policy-in-use` while it is bound.
pub async fn remove(policies: &Policies, caller: &Caller, digest: &Digest) -> Result<()> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = policies.db.begin().await?;
    let row = tx.policy(digest).await?.ok_or_else(|| Error::not_found("policy", digest))?;
    let (bound, in_tasks) = tx.bindings_of_policy(digest).await?;
    if bound > 0 {
        let places = text::count(bound, "place", "places");
        let record = " Grayscale tasks keep theirs for ever, as a record.";
        let tasks = if in_tasks > 0 { record } else { "" };
        let text =
            format!("{} {} is bound in {places}. Unbind or rebind it there first.{tasks}", row.name, row.version);
        return Err(Error::new(Code::PolicyInUse, text));
    }
    tx.delete_policy(digest).await?;
    tx.tell(kind::POLICY_REMOVED, digest, caller.account.as_str(), &row);
    tx.commit().await?;
    policies.forget(digest);
    Ok(())
}

/// Installs the built-in policies that are missing or older than this berth's, and binds new auditors to the whole
/// platform. A binding that an admin has changed stays as it is.
pub async fn ensure_builtins(policies: &Policies) -> Result<()> {
    for builtin in builtin::ALL {
        let known = policies.db.read().await?.newest_policy(builtin.name).await?;
        let wasm = Bytes::from_static(builtin.wasm);
        if known.as_ref().is_none_or(|known| known.digest != Digest::of(&wasm)) {
            ensure(policies, known, wasm).await?;
        }
    }
    Ok(())
}

/// Installs and binds in one transaction: a host that dies in between, or two that start at once, leave no auditor
/// unbound or bound twice.
async fn ensure(policies: &Policies, known: Option<InstalledPolicy>, wasm: Bytes) -> Result<()> {
    let row = take_in(policies, event::BERTH, wasm).await?;
    let new = platform_binding(&row);
    if row.kind == PolicyKind::Auditor {
        fit(policies, &row, &new, PolicyKind::Auditor).await?;
    }
    let mut tx = policies.db.begin().await?;
    let added = add(&mut tx, event::BERTH, &row).await?;
    match known {
        None if added && row.kind == PolicyKind::Auditor => {
            attach(&mut tx, event::BERTH, BindingScope::platform(), new, row).await?;
        }
        Some(known) if row.kind == PolicyKind::Auditor => {
            tx.move_own_bindings(&known.digest, &row.digest, event::BERTH).await?;
            let data = event::PolicyReplaced { from: known.digest, to: row.digest.clone() };
            tx.tell(kind::POLICY_REPLACED, &row.digest, event::BERTH, &data);
        }
        _ => {}
    }
    tx.commit().await
}

fn platform_binding(policy: &InstalledPolicy) -> NewPolicyBinding {
    NewPolicyBinding {
        policy: policy.digest.to_string(),
        config: serde_json::json!({}),
        mode: Mode::Enforce,
        on_error: OnError::Closed,
        limits: Default::default(),
    }
}

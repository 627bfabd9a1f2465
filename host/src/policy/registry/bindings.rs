//! Binding policies to places, and changing what is bound.

use crate::policy::registry::Policies;
use sqlx::types::Json;

use super::{
    BindingPatch, BindingQuery, BindingScope, NewPolicyBinding, PolicyBinding, PolicyBindingRow, PolicyRow, ScopeKind,
    ScopedPolicyBinding,
};
use crate::{
    access::{Action, Caller, TokenScope},
    error::{Code, Error, Result},
    event::kind,
    ids::{HostAppId, MiniAppId, PolicyBindingId},
    policy::PolicyKind,
    store::{Db, Tx, is_unique_violation},
};

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
pub async fn check(policies: &Policies, new: &NewPolicyBinding, kind: PolicyKind) -> Result<PolicyRow> {
    let row = require_kind(policies.db.read().await?.require_policy(&new.policy).await?, kind)?;
    let limits = new.limits.apply(kind)?;
    policies.load(&row.digest).await?.check_config(&new.config, &limits).await?;
    Ok(row)
}

/// Binds what [`check`] has found good, after the bindings that the place has.
///
/// # Errors
/// `policy-bound` when the place has the policy already and is no grayscale task.
pub async fn attach(
    tx: &mut Tx,
    actor: &str,
    scope: BindingScope,
    new: NewPolicyBinding,
    policy: PolicyRow,
) -> Result<PolicyBindingRow> {
    let there = tx.policy_bindings(scope.kind, &scope.id).await?;
    if let Some(same) = there.iter().find(|row| row.name == policy.name && scope.kind != ScopeKind::GrayTask) {
        return Err(bound_already(&policy.name, Some(same)));
    }
    let now = tx.now();
    let row = PolicyBindingRow {
        id: PolicyBindingId::generate(now, tx.random()),
        digest: policy.digest,
        name: policy.name,
        version: policy.version,
        kind: policy.kind,
        scope_kind: scope.kind,
        position: there.len() as i64,
        scope_id: scope.id,
        config: Json(new.config),
        mode: new.mode,
        on_error: new.on_error,
        limits: Json(new.limits),
        bound_by: actor.to_owned(),
        bound_at: now,
    };
    match tx.insert_policy_binding(&row).await {
        Err(error) if is_unique_violation(&error) => return Err(bound_already(&row.name, None)),
        inserted => inserted?,
    }
    let told = PolicyBinding::from(row.clone());
    tx.tell(kind::POLICY_BOUND, &row.id, actor, &told);
    Ok(row)
}

/// Binding it twice would only print each finding twice.
fn bound_already(name: &str, row: Option<&PolicyBindingRow>) -> Error {
    let Some(row) = row else {
        return Error::new(Code::PolicyBound, format!("{name} was bound here by somebody else a moment ago."));
    };
    let text = format!(
        "{name} is bound here already, by {} (version {}, mode {}). Change that binding instead of adding another one.",
        row.id, row.version, row.mode
    );
    Error::new(Code::PolicyBound, text).with("binding", &row.id)
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
#[tracing::instrument(name = "policy_binding.bind", skip_all)]
pub async fn bind(policies: &Policies, caller: &Caller, new: ScopedPolicyBinding) -> Result<PolicyBinding> {
    let ScopedPolicyBinding { scope, binding } = new;
    let mut reading = policies.db.read().await?;
    scope.authorise(&mut reading, caller, Action::Configure).await?;
    let kind = kind_at(&scope, &reading.require_policy(&binding.policy).await?)?;
    drop(reading);
    let policy = check(policies, &binding, kind).await?;
    let mut tx = policies.db.begin().await?;
    let row = attach(&mut tx, caller.account.as_str(), scope, binding, policy).await?;
    tx.commit().await?;
    Ok(row.into())
}

/// The bindings of a place, in the order in which they are asked; without a place those of all places.
pub async fn list(db: &Db, caller: &Caller, query: &BindingQuery) -> Result<Vec<PolicyBinding>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    let rows = match query.scope_kind {
        None => tx.policy_bindings_known_to(caller).await?,
        Some(kind) => {
            let scope = BindingScope { kind, id: query.scope_id.clone() };
            // Everybody's versions are judged by the platform's auditors, so everybody may know them.
            if kind != ScopeKind::Platform {
                scope.authorise(&mut tx, caller, Action::Read).await?;
            }
            tx.policy_bindings(kind, &scope.id).await?
        }
    };
    let wanted = rows.into_iter().filter(|row| query.policy.as_ref().is_none_or(|name| *name == row.name));
    Ok(wanted.map(PolicyBinding::from).collect())
}

/// The binding, when the caller may change it.
async fn authorised(tx: &mut Tx, caller: &Caller, id: &PolicyBindingId) -> Result<PolicyBindingRow> {
    let hidden = || Error::not_found("policy binding", id);
    let row = tx.policy_binding(id).await?.ok_or_else(hidden)?;
    match row.scope().authorise(tx, caller, Action::Configure).await {
        Err(error) if error.code == Code::NotFound => Err(hidden()),
        Err(error) => Err(error),
        Ok(()) => Ok(row),
    }
}

/// The binding as it is now, and so until the transaction ends; with it the MiniApp whose devices it judges.
async fn held(tx: &mut Tx, caller: &Caller, id: &PolicyBindingId) -> Result<(PolicyBindingRow, Option<MiniAppId>)> {
    let scope = authorised(tx, caller, id).await?.scope();
    let owner = scope.running_task(tx).await?;
    if let Some(mini_app) = &owner {
        tx.hold_mini_app(mini_app).await?;
        // Looked at again: the task may have ended before it was held.
        scope.running_task(tx).await?;
    }
    let row = tx.hold_policy_binding(id).await?.ok_or_else(|| Error::not_found("policy binding", id))?;
    Ok((row, owner))
}

/// Changes a binding: its config, mode, meaning of failure or limits, or the version of its policy. Of a grayscale task
/// only the version changes, since the rest is what its operator was promised when it was created.
///
/// # Errors
/// `policy-config` when the policy does not take the config: the binding stays as it was. `gray-state` when the task has
/// ended.
#[tracing::instrument(name = "policy_binding.rebind", skip_all, fields(policy_binding = %id))]
pub async fn rebind(
    policies: &Policies,
    caller: &Caller,
    id: &PolicyBindingId,
    patch: BindingPatch,
) -> Result<PolicyBinding> {
    loop {
        let seen = authorised(&mut policies.db.read().await?, caller, id).await?;
        if seen.scope_kind == ScopeKind::GrayTask && !patch.only_moves() {
            let rule = "the policies of a grayscale task are given when it is created; only their version changes.";
            return Err(Error::field("scope", rule));
        }
        let policy = check(policies, &patch.over(&seen), seen.kind).await?;
        let mut tx = policies.db.begin().await?;
        let (row, owner) = held(&mut tx, caller, id).await?;
        // The check ran outside of the transaction: if somebody was faster, it says nothing any more.
        if row.judges_as(&seen) {
            return change(tx, &policies.db, caller, row, owner, &patch, policy).await;
        }
    }
}

/// Writes the change of a binding that is held, if it is one.
async fn change(
    mut tx: Tx,
    db: &Db,
    caller: &Caller,
    row: PolicyBindingRow,
    owner: Option<MiniAppId>,
    patch: &BindingPatch,
    policy: PolicyRow,
) -> Result<PolicyBinding> {
    if policy.name != row.name {
        let rule = format!("this binding is of {}. Unbind it and bind {} for another policy.", row.name, policy.name);
        return Err(Error::field("policy", rule));
    }
    let new = patch.over(&row);
    if row.digest == policy.digest && row.says(&new) {
        return Ok(row.into());
    }
    let row = PolicyBindingRow {
        digest: policy.digest,
        version: policy.version,
        config: Json(new.config),
        mode: new.mode,
        on_error: new.on_error,
        limits: Json(new.limits),
        bound_by: caller.account.to_string(),
        bound_at: db.now(),
        ..row
    };
    tx.update_policy_binding(&row).await?;
    let told = PolicyBinding::from(row);
    let event = tx.tell(kind::POLICY_REBOUND, &told.id, caller.account.as_str(), &told);
    if let Some(mini_app) = &owner {
        event.for_mini_app(mini_app);
    }
    tx.commit().await?;
    Ok(told)
}

/// Takes a binding away.
#[tracing::instrument(name = "policy_binding.unbind", skip_all, fields(policy_binding = %id))]
pub async fn unbind(db: &Db, caller: &Caller, id: &PolicyBindingId) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = authorised(&mut tx, caller, id).await?;
    if row.scope_kind == ScopeKind::GrayTask {
        let rule = "a grayscale task keeps its policies. End the task and create another one.";
        return Err(Error::field("scope", rule));
    }
    let row = tx.hold_policy_binding(id).await?.ok_or_else(|| Error::not_found("policy binding", id))?;
    tx.delete_policy_binding(id).await?;
    tx.tell(kind::POLICY_UNBOUND, id, caller.account.as_str(), &PolicyBinding::from(row));
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

//! Binds policies to places, and changes and removes bindings.

use crate::policy::registry::Policies;
use berth_store::Json;
use futures_util::future::BoxFuture;
use serde_json::Value;

use berth_model::policy::registry::{
    InstalledPolicy, Level, Mode, NewPolicyBinding, PolicyBinding, PolicyBindingPatch, PolicyBindingQuery, PolicyScope,
    ScopeKind, ScopedPolicyBinding, Watch,
};
use berth_store::policy::PolicyBindingRow;

use crate::policy::registry::{lists, scope, trust};
use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, HostAppId, MiniAppId, PolicyBindingId},
    page::Page,
    sql::is_unique_violation,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    event::kind,
    policy::{Acceptance, Limits, PolicyKind},
};
use berth_store::{Db, Tx};

impl Acceptance for Policies {
    fn accept<'a>(&'a self, policy: &'a Digest, config: &'a Value, limits: &'a Limits) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.load(policy).await?.check_config(config, limits).await })
    }
}

/// Decides whether a policy fits what is to be bound: it is of one of these kinds, the limits and the rest of its terms are
/// in bounds, and it accepts the config. It runs the policy, so that no transaction may be open.
///
/// # Errors
/// `policy-kind`, `policy-config` with the name of the policy, `invalid-field` for limits and what guards alone have.
pub async fn fit(
    acceptance: &dyn Acceptance,
    policy: &InstalledPolicy,
    new: &NewPolicyBinding,
    kinds: &[PolicyKind],
) -> Result<()> {
    if !kinds.contains(&policy.kind) {
        let wanted: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let wanted = wanted.join(" or ");
        let text = format!("{} is a policy of kind {}; here one of kind {wanted} is needed.", policy.name, policy.kind);
        return Err(Error::new(Code::PolicyKind, text).with("kind", policy.kind));
    }
    Watch::of(new.watch, policy.kind)?;
    let accepted = acceptance.accept(&policy.digest, &new.config, &new.limits.apply(policy.kind)?).await;
    accepted.map_err(|error| match error.code {
        Code::PolicyConfig => error.with("policy", new.name.as_ref().unwrap_or(&policy.name)),
        _ => error,
    })
}

/// The policy that is to be bound, found and fit.
pub async fn check(
    db: &Db,
    acceptance: &dyn Acceptance,
    new: &NewPolicyBinding,
    kinds: &[PolicyKind],
) -> Result<InstalledPolicy> {
    let policy = db.read().await?.require_policy(&new.policy).await?;
    fit(acceptance, &policy, new, kinds).await?;
    Ok(policy)
}

/// Binds a policy that [`check`] has accepted. It comes after the bindings that the place has already.
///
/// # Errors
/// `policy-bound` when the policy is bound there already: a gray task may have the same policy more than once.
/// `policy-unsigned` and `policy-signature-wrong` when it is not signed as it has to be there.
pub async fn attach(
    tx: &mut Tx,
    actor: &str,
    level: Level,
    scope: PolicyScope,
    new: NewPolicyBinding,
    policy: InstalledPolicy,
) -> Result<PolicyBindingRow> {
    trust::require_at(tx, &scope, &policy).await?;
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
        position: there.last().map_or(0, |last| last.position + 1),
        scope_id: scope.id,
        config: Json(new.config),
        mode: new.mode,
        on_error: new.on_error,
        limits: Json(new.limits),
        watch: Watch::of(new.watch, policy.kind)?.map(Json),
        own_name: new.name,
        level,
        bound_by: actor.to_owned(),
        bound_at: now,
    };
    match tx.insert_policy_binding(&row).await {
        Err(error) if is_unique_violation(&error) => return Err(bound_already(&row.name, None)),
        inserted => inserted?,
    }
    if row.kind == PolicyKind::Guard {
        tx.insert_guard_watch(&row).await?;
    }
    let told = PolicyBinding::from(row.clone());
    tx.tell(kind::POLICY_BOUND, &row.id, actor, &told);
    Ok(row)
}

/// The error for a policy that is bound there already; binding it twice would only repeat its findings.
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
fn kind_at(scope: &PolicyScope, policy: &InstalledPolicy) -> Result<PolicyKind> {
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

/// Binds an auditor to the platform, a host app or a MiniApp. The caller must be an admin there.
///
/// # Errors
/// `policy-bound` when the policy is bound there already; `policy-kind` when it is no auditor; `policy-config`;
/// `invalid-field`; `not-found` and `missing-grant`.
#[tracing::instrument(name = "policy_binding.bind", skip_all)]
pub async fn bind(policies: &Policies, caller: &Caller, new: ScopedPolicyBinding) -> Result<PolicyBinding> {
    let ScopedPolicyBinding { scope, binding } = new;
    let mut reading = policies.db.read().await?;
    scope::authorise(&scope, &mut reading, caller, Action::Configure).await?;
    let kind = kind_at(&scope, &reading.require_policy(&binding.policy).await?)?;
    drop(reading);
    let policy = check(&policies.db, policies, &binding, &[kind]).await?;
    let mut tx = policies.db.begin().await?;
    let level = Level::at(scope.kind, caller.is_platform_admin());
    let row = attach(&mut tx, caller.account.as_str(), level, scope, binding, policy).await?;
    tx.commit().await?;
    Ok(row.into())
}

/// The bindings at one place, in the order in which they are asked, or at all places that the caller may know about.
/// Everybody may list the bindings of the platform.
///
/// # Errors
/// `invalid-field` for the id of a place whose kind is not named; `not-found` and `missing-grant`.
pub async fn list(db: &Db, caller: &Caller, query: &PolicyBindingQuery) -> Result<Page<PolicyBinding>> {
    caller.require_scope(TokenScope::Read)?;
    require_kind(query)?;
    let mut tx = db.read().await?;
    match query.scope_kind {
        None => {
            let rows = tx.policy_bindings_known_to(caller, query).await?;
            let bindings = rows.into_iter().map(PolicyBinding::from).collect();
            Ok(Page::of_most(bindings, &query.page(), |binding: &PolicyBinding| binding.id.to_string()))
        }
        Some(kind) => {
            let scope = PolicyScope { kind, id: query.scope_id.clone() };
            // Everybody's versions are judged by the platform's auditors, so everybody may know them.
            if kind != ScopeKind::Platform {
                scope::authorise(&scope, &mut tx, caller, Action::Read).await?;
            }
            let rows = tx.policy_bindings(kind, &scope.id).await?;
            let wanted = rows.into_iter().filter(|row| query.policy.as_ref().is_none_or(|name| *name == row.name));
            Ok(Page { items: wanted.map(PolicyBinding::from).collect(), next: None })
        }
    }
}

/// Refuses the id of a place without its kind: all bindings would be taken for those of the place.
fn require_kind(query: &PolicyBindingQuery) -> Result<()> {
    if query.scope_id.is_empty() || !matches!(query.scope_kind, None | Some(ScopeKind::Platform)) {
        return Ok(());
    }
    let rule = "name the kind of its place by scope_kind; the platform has no id.";
    Err(Error::parameter("scope_id", rule))
}

/// One binding, for a caller who may read its place. Everybody may read the bindings of the platform.
///
/// # Errors
/// `not-found`, also when the caller may not know about the place.
pub async fn get(db: &Db, caller: &Caller, id: &PolicyBindingId) -> Result<PolicyBinding> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    let row = there(&mut tx, id).await?;
    if row.scope_kind != ScopeKind::Platform {
        authorise_at(&row, &mut tx, caller, Action::Read).await?;
    }
    Ok(row.into())
}

fn hidden(id: &PolicyBindingId) -> Error {
    Error::not_found("policy binding", id)
}

async fn there(tx: &mut Tx, id: &PolicyBindingId) -> Result<PolicyBindingRow> {
    tx.policy_binding(id).await?.ok_or_else(|| hidden(id))
}

/// Refuses with `not-found` a caller who may not know about the place of the binding.
pub(crate) async fn authorise_at(row: &PolicyBindingRow, tx: &mut Tx, caller: &Caller, action: Action) -> Result<()> {
    match scope::authorise_own(&row.scope(), tx, caller, action).await {
        Err(error) if error.code == Code::NotFound => Err(hidden(&row.id)),
        authorised => authorised,
    }
}

/// Reads the binding for a caller who may do `action` at its place. `not-found` when the caller may not know about the place.
pub(crate) async fn at_place(
    tx: &mut Tx,
    caller: &Caller,
    id: &PolicyBindingId,
    action: Action,
) -> Result<PolicyBindingRow> {
    let row = there(tx, id).await?;
    authorise_at(&row, tx, caller, action).await?;
    Ok(row)
}

/// Reads the binding for a caller who may change it: whoever may configure its place, and the platform alone if the
/// binding is its own.
async fn authorised(tx: &mut Tx, caller: &Caller, id: &PolicyBindingId) -> Result<PolicyBindingRow> {
    let row = at_place(tx, caller, id, Action::Configure).await?;
    if row.level == Level::Platform && !caller.is_platform_admin() {
        return Err(platforms_own(&row));
    }
    Ok(row)
}

fn platforms_own(row: &PolicyBindingRow) -> Error {
    let text = format!(
        "This binding of {} belongs to the platform, whose admins alone change or remove it. `berth policy bindings` lists \
         all bindings with whose they are.",
        row.name
    );
    Error::new(Code::MissingGrant, text).with("level", row.level)
}

/// Reads the binding and locks it until the transaction ends, and so the MiniApp of its gray task, if it is bound to
/// one.
async fn held(tx: &mut Tx, caller: &Caller, id: &PolicyBindingId) -> Result<(PolicyBindingRow, Option<MiniAppId>)> {
    let scope = authorised(tx, caller, id).await?.scope();
    let owner = scope::running_task(&scope, tx).await?;
    if let Some(mini_app) = &owner {
        tx.hold_mini_app(mini_app).await?;
        // Looked at again: the task may have ended before it was held.
        scope::running_task(&scope, tx).await?;
    }
    let row = tx.hold_policy_binding(id).await?.ok_or_else(|| Error::not_found("policy binding", id))?;
    Ok((row, owner))
}

/// Changes a binding: its config, mode, meaning of failure, limits, or the version of its policy. It becomes the
/// platform's when an admin of the platform changes more than the version. At a gray task only the version can change,
/// because the rest changes by an edit of the task.
///
/// # Errors
/// `policy-config` when the policy does not accept the config; `gray-state` when the gray task has ended;
/// `invalid-field` for another policy, or for what cannot change at a gray task; `not-found` and `missing-grant`. The
/// binding stays as it was then.
#[tracing::instrument(name = "policy_binding.rebind", skip_all, fields(policy_binding = %id))]
pub async fn rebind(
    policies: &Policies,
    caller: &Caller,
    id: &PolicyBindingId,
    patch: PolicyBindingPatch,
) -> Result<PolicyBinding> {
    loop {
        let seen = authorised(&mut policies.db.read().await?, caller, id).await?;
        if seen.scope_kind == ScopeKind::GrayTask && !patch.only_moves() {
            let rule = format!(
                "what else than the version changes of a policy of a grayscale task is an edit of the task: PATCH \
                 /v1/gray-tasks/{0}, or berth gray edit {0}.",
                seen.scope_id
            );
            return Err(Error::field("scope", rule));
        }
        let policy = check(&policies.db, policies, &seen.changed(&patch), &[seen.kind]).await?;
        let mut tx = policies.db.begin().await?;
        let (row, owner) = held(&mut tx, caller, id).await?;
        if let Some(mini_app) = &owner {
            lists::require(&mut tx, mini_app, &policy, &row.config.0).await?;
        }
        // The check ran outside of the transaction: if somebody was faster, it says nothing any more.
        if row.judges_as(&seen) {
            return change(tx, caller, row, owner, &patch, policy).await;
        }
    }
}

/// Stores the change of a locked binding and emits the event; does nothing when nothing changes.
async fn change(
    mut tx: Tx,
    caller: &Caller,
    row: PolicyBindingRow,
    owner: Option<MiniAppId>,
    patch: &PolicyBindingPatch,
    policy: InstalledPolicy,
) -> Result<PolicyBinding> {
    if policy.name != row.name {
        let rule = format!("this binding is of {}. Unbind it and bind {} for another policy.", row.name, policy.name);
        return Err(Error::field("policy", rule));
    }
    let new = row.changed(patch);
    let taken_over = caller.is_platform_admin() && !patch.only_moves();
    let level = if taken_over { Level::at(row.scope_kind, true) } else { row.level };
    let held = PolicyBindingRow { level, ..row.clone() };
    let Some(told) = store(&mut tx, caller.account.as_str(), held, new, policy, owner.as_ref()).await? else {
        return Ok(row.into());
    };
    tx.commit().await?;
    Ok(told)
}

/// Stores a change of a locked binding that [`fit`] has accepted, and emits the event. `None` when nothing changes.
pub async fn store(
    tx: &mut Tx,
    actor: &str,
    row: PolicyBindingRow,
    new: NewPolicyBinding,
    policy: InstalledPolicy,
    owner: Option<&MiniAppId>,
) -> Result<Option<PolicyBinding>> {
    if row.digest == policy.digest && row.says(&new) {
        return Ok(None);
    }
    // What only changes its terms runs already, and may have to be tamed; it may not become stricter.
    let enforces = row.mode == Mode::Shadow && new.mode == Mode::Enforce;
    if row.digest != policy.digest || enforces {
        trust::require_at(tx, &row.scope(), &policy).await?;
    }
    let before = PolicyBinding::from(row.clone());
    let row = PolicyBindingRow {
        digest: policy.digest,
        version: policy.version,
        config: Json(new.config),
        mode: new.mode,
        on_error: new.on_error,
        limits: Json(new.limits),
        watch: Watch::of(new.watch, row.kind)?.map(Json),
        bound_by: actor.to_owned(),
        bound_at: tx.now(),
        ..row
    };
    tx.update_policy_binding(&row).await?;
    let told = PolicyBinding::from(row);
    let event = tx.tell(kind::POLICY_REBOUND, &told.id, actor, &told).was(Some(&before));
    if let Some(mini_app) = owner {
        event.for_mini_app(mini_app);
    }
    Ok(Some(told))
}

/// Removes a binding. `invalid-field` for one of a gray task, which keeps its policies.
#[tracing::instrument(name = "policy_binding.unbind", skip_all, fields(policy_binding = %id))]
pub async fn unbind(db: &Db, caller: &Caller, id: &PolicyBindingId) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = authorised(&mut tx, caller, id).await?;
    if row.scope_kind == ScopeKind::GrayTask {
        let rule = "a grayscale task keeps its policies. End the task and create another one.";
        return Err(Error::field("scope", rule));
    }
    let row = tx.hold_policy_binding(id).await?.ok_or_else(|| Error::not_found("policy binding", id))?;
    take_away(&mut tx, caller.account.as_str(), row, None).await?;
    tx.commit().await
}

/// Deletes a locked binding and emits the event.
pub async fn take_away(tx: &mut Tx, actor: &str, row: PolicyBindingRow, owner: Option<&MiniAppId>) -> Result<()> {
    tx.delete_policy_binding(&row.id).await?;
    let told = PolicyBinding::from(row);
    let event = tx.tell(kind::POLICY_UNBOUND, &told.id, actor, &told);
    if let Some(mini_app) = owner {
        event.for_mini_app(mini_app);
    }
    Ok(())
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

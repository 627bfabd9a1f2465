//! Permits of MiniApps in host apps: applying, deciding, taking back (D2, D3, D6).

use berth_base::{
    error::{Code, Error, Result},
    ids::{HostAppId, MiniAppId, PermitId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller, Scope},
    binding::BindingState,
    settings::{
        ApiName, Apply, Approve, HostAppPermitQuery, MiniAppPermitQuery, NewPermit, Permit, PermitAt, PermitDetail,
        PermitEnd, PermitStep, Reason,
    },
};
use berth_store::{Db, PermitsOf, Tx};

use crate::{event, host_app, mini_app};

/// Applies for a permit in the name of a MiniApp.
///
/// # Errors
/// `not-bound`; `permit-exists` when one waits or is approved for the same purpose; `invalid-field`, also for an API that
/// is not sensitive in the host app; `not-found` and `missing-grant` for the MiniApp.
#[tracing::instrument(name = "permit.apply", skip_all, fields(mini_app = %id, host_app = %new.host_app))]
pub async fn apply(db: &Db, caller: &Caller, id: &MiniAppId, new: NewPermit) -> Result<Permit> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    require_binding(&mut tx, id, &new.host_app).await?;
    let by = Apply {
        id: PermitId::generate(tx.now(), tx.random()),
        mini_app: id.clone(),
        actor: caller.account.to_string(),
        now: tx.now(),
    };
    let permit = new.waiting(by)?;
    if let Some(api) = &permit.api {
        require_sensitive(&mut tx, &permit.host_app, api).await?;
    }
    if let Some(known) = tx.live_permit_like(&permit).await? {
        let mut known = tx.hold_permit(&known.id).await?;
        if known.state.is_live() && !expire(&mut tx, &mut known).await? {
            return Err(exists(&known));
        }
    }
    tx.insert_permit(&permit).await?;
    tx.commit().await?;
    Ok(permit)
}

async fn require_binding(tx: &mut Tx, mini_app: &MiniAppId, host_app: &HostAppId) -> Result<()> {
    let binding = tx.binding(host_app, mini_app).await?;
    if binding.is_some_and(|binding| binding.state == BindingState::Active) {
        return Ok(());
    }
    let command = format!("berth host-app bind {host_app} {mini_app}");
    let text =
        format!("{mini_app} is not bound to {host_app}, so that it needs no permit there. Bind it first: `{command}`.");
    Err(Error::new(Code::NotBound, text).next(command))
}

async fn require_sensitive(tx: &mut Tx, host_app: &HostAppId, api: &ApiName) -> Result<()> {
    if tx.sensitive_apis(host_app).await?.name_of(api).is_some() {
        return Ok(());
    }
    let rule = format!("{api} is not sensitive in {host_app}: it may be called without a permit.");
    Err(Error::field("api", rule))
}

fn exists(known: &Permit) -> Error {
    let Permit { id, mini_app, host_app, state, .. } = known;
    let text = format!("{mini_app} has {id} for {} in {host_app} already; it is {state}.", known.purpose());
    Error::new(Code::PermitExists, text).with("permit", id).next(format!("berth permit show {id}"))
}

/// Approves a permit, or approves it again for another time.
///
/// # Errors
/// `permit-state`; `invalid-field` for an end that has passed; `not-bound`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "permit.approve", skip_all, fields(permit = %id))]
pub async fn approve(db: &Db, caller: &Caller, id: &PermitId, approve: &Approve) -> Result<Permit> {
    decide(db, caller, id, PermitStep::Approve, &approve.note, approve.end()?).await
}

/// Refuses an application.
///
/// # Errors
/// `note-required`; otherwise as for [`approve`].
#[tracing::instrument(name = "permit.refuse", skip_all, fields(permit = %id))]
pub async fn refuse(db: &Db, caller: &Caller, id: &PermitId, reason: &Reason) -> Result<Permit> {
    decide(db, caller, id, PermitStep::Refuse, &reason.note, PermitEnd::AsBefore).await
}

/// Takes an approved permit back.
///
/// # Errors
/// As for [`refuse`].
#[tracing::instrument(name = "permit.revoke", skip_all, fields(permit = %id))]
pub async fn revoke(db: &Db, caller: &Caller, id: &PermitId, reason: &Reason) -> Result<Permit> {
    decide(db, caller, id, PermitStep::Revoke, &reason.note, PermitEnd::AsBefore).await
}

/// Takes a step in the name of the host app.
async fn decide(
    db: &Db,
    caller: &Caller,
    id: &PermitId,
    step: PermitStep,
    note: &str,
    end: PermitEnd,
) -> Result<Permit> {
    let mut tx = db.begin().await?;
    let seen = known(&mut tx, caller, id).await?;
    caller.require(seen.kind.decided_by(), &Scope::HostApp(seen.host_app.clone()))?;
    if step == PermitStep::Approve {
        require_binding(&mut tx, &seen.mini_app, &seen.host_app).await?;
    }
    let now = tx.now();
    take(tx, &seen, PermitAt { step, actor: caller.account.as_str(), note, end, now }).await
}

/// Withdraws an application, or gives a permit up, in the name of the MiniApp.
///
/// # Errors
/// `permit-state`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "permit.withdraw", skip_all, fields(permit = %id))]
pub async fn withdraw(db: &Db, caller: &Caller, id: &PermitId, reason: &Reason) -> Result<Permit> {
    let mut tx = db.begin().await?;
    let seen = known(&mut tx, caller, id).await?;
    let team = tx.mini_app(&seen.mini_app).await?.ok_or_else(|| Error::not_found("permit", id))?.scope();
    caller.require(Action::Develop, &team)?;
    let (step, now) = (PermitStep::Withdraw, tx.now());
    take(
        tx,
        &seen,
        PermitAt { step, actor: caller.account.as_str(), note: &reason.note, end: PermitEnd::AsBefore, now },
    )
    .await
}

/// Takes a step of a permit, after what the clock has done to it.
async fn take(mut tx: Tx, seen: &Permit, at: PermitAt<'_>) -> Result<Permit> {
    tx.hold_mini_app(&seen.mini_app).await?;
    let mut permit = tx.hold_permit(&seen.id).await?;
    if permit.is_due(at.now) {
        expire(&mut tx, &mut permit).await?;
        tx.commit().await?;
        return Err(permit.take(&at).err().unwrap_or_else(|| Error::not_found("permit", &seen.id)));
    }
    tx.move_permit(&mut permit, &at).await?;
    tx.commit().await?;
    Ok(permit)
}

/// Ends a permit whose time is over. Returns whether it was.
pub(super) async fn expire(tx: &mut Tx, permit: &mut Permit) -> Result<bool> {
    let now = tx.now();
    if !permit.is_due(now) {
        return Ok(false);
    }
    let at = PermitAt { step: PermitStep::Expire, actor: event::BERTH, note: "", end: PermitEnd::AsBefore, now };
    tx.move_permit(permit, &at).await?;
    Ok(true)
}

/// Ends all permits of a MiniApp in a host app, as it is bound there no more: they must not come back with a later
/// binding. The transaction holds the MiniApp.
pub async fn end_all(tx: &mut Tx, mini_app: &MiniAppId, host_app: &HostAppId, actor: &str) -> Result<()> {
    let now = tx.now();
    for mut permit in tx.hold_live_permits(mini_app, host_app).await? {
        if expire(tx, &mut permit).await? {
            continue;
        }
        let waits = permit.state.after(PermitStep::Revoke).is_none();
        let step = if waits { PermitStep::Refuse } else { PermitStep::Revoke };
        let note = "The MiniApp is not bound to the host app any more.";
        tx.move_permit(&mut permit, &PermitAt { step, actor, note, end: PermitEnd::AsBefore, now }).await?;
    }
    Ok(())
}

/// The permit, if the caller may read its MiniApp or its host app.
async fn known(tx: &mut Tx, caller: &Caller, id: &PermitId) -> Result<Permit> {
    let hidden = || Error::not_found("permit", id);
    let permit = tx.permit(id).await?.ok_or_else(hidden)?;
    let team = tx.mini_app(&permit.mini_app).await?.map(|mini_app| mini_app.scope());
    let is_known =
        caller.reads(&Scope::HostApp(permit.host_app.clone())) || team.is_some_and(|team| caller.reads(&team));
    if is_known { Ok(permit) } else { Err(hidden()) }
}

/// One permit with its steps, for a caller who may read its MiniApp or its host app.
///
/// # Errors
/// `not-found` when the caller may know about neither; `missing-grant` for the token.
pub async fn get(db: &Db, caller: &Caller, id: &PermitId) -> Result<PermitDetail> {
    caller.require_scope(berth_model::access::TokenScope::Read)?;
    let mut tx = db.read().await?;
    let permit = known(&mut tx, caller, id).await?;
    Ok(PermitDetail { moves: tx.permit_moves(id).await?, permit })
}

/// A page of the permits of a MiniApp, newest first, for a caller who may read it.
pub async fn of_mini_app(db: &Db, caller: &Caller, id: &MiniAppId, query: &MiniAppPermitQuery) -> Result<Page<Permit>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let (kind, state) = (query.kind, query.state);
    let of = PermitsOf { mini_app: Some(id.clone()), host_app: query.host_app.clone(), kind, state };
    let page = query.page();
    Ok(Page::of(tx.permits(&of, &page).await?, &page, |permit| permit.id.to_string()))
}

/// A page of the permits in a host app, newest first, for a caller who may read it.
pub async fn in_host_app(db: &Db, caller: &Caller, id: &HostAppId, query: &HostAppPermitQuery) -> Result<Page<Permit>> {
    let mut tx = db.read().await?;
    host_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let (kind, state) = (query.kind, query.state);
    let of = PermitsOf { mini_app: query.mini_app.clone(), host_app: Some(id.clone()), kind, state };
    let page = query.page();
    Ok(Page::of(tx.permits(&of, &page).await?, &page, |permit| permit.id.to_string()))
}

//! Submits and withdraws versions, and takes the decisions of people.

use berth_base::{
    error::{Code, Error, Result},
    ids::{AuditId, HostAppId, MiniAppId},
    text,
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller, Scope},
    audit::{Audit, AuditItem, AuditState, Decide, Decision, tally},
    event::{AuditClosed, AuditDecided, OfVersion, Submitted, kind},
    version::{Transition, TrialEnd, Version},
};
use berth_store::{Db, Tx};

use super::{readable, whole};
use crate::{audit::Audits, mini_app, version::trial};

/// Freezes a version and starts its audit (V4), with one item for each bound host app (V5). The caller must be allowed
/// to develop the MiniApp.
///
/// # Errors
/// `no-host-app` when the MiniApp is bound to no host app; `version-prerelease`; `version-state` when the version is
/// neither in development nor rejected; `not-found` and `missing-grant`.
#[tracing::instrument(name = "audit.submit", skip_all, fields(mini_app = %id, version = %number))]
pub async fn submit(audits: &Audits, caller: &Caller, id: &MiniAppId, number: &VersionNumber) -> Result<Audit> {
    let mut tx = audits.db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let version = tx.require_version(id, number).await?;
    if number.is_prerelease() {
        return Err(Error::new(
            Code::VersionPrerelease,
            format!(
                "{number} is a pre-release and stays in development. Upload it as a release number to have it audited."
            ),
        ));
    }
    let host_apps = tx.bound_host_apps(id).await?;
    if host_apps.is_empty() {
        return Err(Error::new(
            Code::NoHostApp,
            format!(
                "{id} is bound to no host app, so nobody could approve it. Ask a host app's admin to bind it first."
            ),
        ));
    }
    tx.step_version(&version, Transition::Submit).await?;
    let now = tx.now();
    let audit = AuditId::generate(now, audits.db.random());
    tx.insert_audit(&audit, &version, caller.account.as_str(), now).await?;
    for host_app in &host_apps {
        tx.insert_audit_item(&audit, host_app).await?;
    }
    let data = Submitted { audit: audit.clone(), version: number.clone(), host_apps };
    tx.tell(kind::VERSION_SUBMITTED, id, caller.account.as_str(), &data).for_mini_app(id);
    let audit = required(&mut tx, &audit).await?;
    tx.commit().await?;
    audits.wake.notify_one();
    Ok(audit)
}

/// Closes the audit of a version and returns the version to development (V4).
///
/// # Errors
/// `version-state` when the version is not under audit; `not-found` and `missing-grant`.
#[tracing::instrument(name = "audit.withdraw", skip_all, fields(mini_app = %id, version = %number))]
pub async fn withdraw(db: &Db, caller: &Caller, id: &MiniAppId, number: &VersionNumber) -> Result<Version> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let version = tx.require_version(id, number).await?;
    tx.step_version(&version, Transition::Withdraw).await?;
    if let Some(open) = tx.open_audit_of(&version.id).await? {
        tx.close_audit(&open.id, AuditState::Withdrawn, "", tx.now()).await?;
    }
    let data = OfVersion { version: number.clone() };
    tx.tell(kind::VERSION_WITHDRAWN, id, caller.account.as_str(), &data).for_mini_app(id);
    let version = tx.require_version(id, number).await?;
    tx.commit().await?;
    Ok(version.into())
}

/// Records the decision of a host app. A rejection, or the last approval, ends the audit and decides the version (V5).
///
/// # Errors
/// `note-required` for a rejection without a note; `audit-closed` while the policies are judging, and when the audit
/// has ended; `invalid-field` when the host app is not part of the audit; `not-found` and `missing-grant`.
#[tracing::instrument(name = "audit.decide", skip_all, fields(audit = %id))]
pub async fn decide(db: &Db, caller: &Caller, id: &AuditId, how: Decide) -> Result<Audit> {
    let note = text::prose("note", &how.note, 2000)?;
    let mut tx = db.begin().await?;
    // What decides is read after the MiniApp is locked: two host apps may decide at once.
    let mini_app = tx.audit(id).await?.ok_or_else(|| Error::not_found("audit", id))?.mini_app_id;
    tx.hold_mini_app(&mini_app).await?;
    let mut audit = required(&mut tx, id).await?;
    authorise(&mut tx, caller, &audit, &how.host_app).await?;
    if !how.approve && note.trim().is_empty() {
        return Err(Error::new(
            Code::NoteRequired,
            "Say in `note` why it is rejected: the team has to know what to mend.",
        ));
    }
    if audit.state != AuditState::Deciding {
        return Err(Error::new(
            Code::AuditClosed,
            format!("The audit is {}; decisions are taken while it is deciding.", audit.state),
        )
        .with("state", audit.state)
        .next(format!("berth version show {} {}", audit.mini_app, audit.version)));
    }
    let decision = if how.approve { Decision::Approved } else { Decision::Rejected };
    let (by, at) = (caller.account.to_string(), tx.now());
    tx.set_decision(id, &how.host_app, decision, &note, &by, at).await?;
    let (version, host_app) = (audit.version.clone(), how.host_app.clone());
    let data = AuditDecided { audit: id.clone(), version, host_app, decision };
    tx.tell(kind::AUDIT_DECIDED, &audit.mini_app, caller.account.as_str(), &data).for_mini_app(&audit.mini_app);
    if let Some(item) = audit.items.iter_mut().find(|item| item.host_app == how.host_app) {
        *item = AuditItem {
            host_app: how.host_app.clone(),
            decision: Some(decision),
            note: note.clone(),
            decided_by: Some(by.clone()),
            decided_at: Some(at),
        };
    }
    let decisions: Vec<_> = audit.items.iter().map(|item| item.decision).collect();
    if let Some(result) = tally(&decisions) {
        let reason = if result == Decision::Rejected { format!("{}: {note}", how.host_app) } else { String::new() };
        close(&mut tx, &mut audit, result, &reason, &by).await?;
    }
    tx.commit().await?;
    Ok(audit)
}

/// Checks that the caller may decide for the host app. Callers who may read the audit are told which host apps it waits
/// for; for all others it is `not-found`.
async fn authorise(tx: &mut Tx, caller: &Caller, audit: &Audit, host_app: &HostAppId) -> Result<()> {
    let (scope, part) = (Scope::HostApp(host_app.clone()), audit.items.iter().any(|item| item.host_app == *host_app));
    if part && caller.knows(&scope) {
        return caller.require(Action::Decide, &scope);
    }
    if !readable(tx, caller, audit).await? {
        return Err(Error::not_found("audit", &audit.id));
    }
    caller.require_scope(Action::Decide.token_scope())?;
    if part {
        let text = format!("You have no role in {host_app}. Its auditors and admins decide for it.");
        return Err(Error::new(Code::MissingGrant, text));
    }
    let waits: Vec<_> = audit.items.iter().map(|item| item.host_app.as_str()).collect();
    let text = format!("{host_app} is not a host app of this audit; it is for {} to decide.", waits.join(", "));
    Err(Error::field("host_app", text).with("host_apps", waits))
}

/// Ends an audit, moves its version to approved or rejected, and emits the event. What is rejected is not tried any more
/// (V10).
pub(super) async fn close(tx: &mut Tx, audit: &mut Audit, result: Decision, reason: &str, actor: &str) -> Result<()> {
    let (state, step, kind) = match result {
        Decision::Approved => (AuditState::Approved, Transition::Approve, kind::VERSION_APPROVED),
        Decision::Rejected => (AuditState::Rejected, Transition::Reject, kind::VERSION_REJECTED),
    };
    let version = tx.require_version(&audit.mini_app, &audit.version).await?;
    tx.step_version(&version, step).await?;
    let now = tx.now();
    tx.close_audit(&audit.id, state, reason, now).await?;
    (audit.state, audit.reason, audit.closed_at) = (state, reason.to_owned(), Some(now));
    let data = AuditClosed { audit: audit.id.clone(), version: audit.version.clone(), reason: reason.to_owned() };
    tx.tell(kind, &audit.mini_app, actor, &data).for_mini_app(&audit.mini_app);
    if result == Decision::Rejected {
        let rejected = |trial: &VersionNumber| *trial == audit.version;
        trial::end(tx, actor, &audit.mini_app, TrialEnd::Rejected, rejected).await?;
    }
    Ok(())
}

pub(super) async fn required(tx: &mut Tx, id: &AuditId) -> Result<Audit> {
    let row = tx.audit(id).await?.ok_or_else(|| Error::not_found("audit", id))?;
    whole(tx, row).await
}

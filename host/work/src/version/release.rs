//! Publishing and rolling back: the release history of a MiniApp (V7–V9, V12, I1).

use berth_base::{
    error::{Code, Error, Result},
    ids::{MiniAppId, ReleaseId},
    text,
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller},
    audit::AuditState,
    event::kind,
    mini_app::MiniApp,
    version::{Publish, Release, ReleaseKind, Rollback, State, Transition},
};
use berth_store::{Db, Tx, version::VersionRow};

use crate::{event, mini_app, rollout};

/// Checks that `candidate` may be published now (V7), but for its state.
fn may_publish(mini_app: &MiniApp, online: Option<&VersionNumber>, candidate: &VersionNumber) -> Result<()> {
    mini_app.shelf().require_for_release()?;
    if candidate.is_prerelease() {
        return Err(Error::new(
            Code::VersionPrerelease,
            format!("{candidate} is a pre-release. Upload it as a release number."),
        ));
    }
    match online {
        Some(online) if candidate <= online => Err(Error::new(
            Code::VersionOrder,
            format!(
                "{candidate} is not above the online version {online}. Upload it with a greater number, or roll back."
            ),
        )
        .with("online", online)),
        _ => Ok(()),
    }
}

/// Checks that a rollback to `target` is possible now (V9).
fn may_roll_back(mini_app: &MiniApp, last: Option<ReleaseKind>, target: &VersionRow) -> Result<()> {
    mini_app.shelf().require_for_release()?;
    if last == Some(ReleaseKind::Rollback) {
        return Err(Error::new(
            Code::RollbackTwice,
            "The last release was a rollback. Publish a version before rolling back again.",
        ));
    }
    match target.state {
        State::Historical => Ok(()),
        State::Online => Err(Error::new(Code::VersionState, format!("{} is online already.", target.number))),
        _ => Err(Error::new(
            Code::NeverOnline,
            format!("{} was never online. A rollback leads to a version that was.", target.number),
        )),
    }
}

#[tracing::instrument(name = "version.publish", skip_all, fields(mini_app = %id, version = %number))]
/// Brings an approved version online for all bound host apps at once (V7). This ends its trial, and the gray tasks
/// whose version is not above it (V8). The caller must be allowed to release versions of the MiniApp.
///
/// # Errors
/// `version-state` when the version is not approved; `version-order` when it is not above the online one;
/// `version-prerelease`; `mini-app-off-shelf`; `invalid-field` for the note; `not-found` and `missing-grant`.
pub async fn publish(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    number: &VersionNumber,
    how: Publish,
) -> Result<Release> {
    let note = text::prose("note", &how.note, 500)?;
    let mut tx = db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let version = tx.require_version(id, number).await?;
    require_decided(&mut tx, &version).await?;
    version.state.after(Transition::Publish)?;
    let online = tx.online_version(id).await?;
    may_publish(&mini_app, online.as_ref().map(|online| &online.number), number)?;
    let release = bring_online(&mut tx, caller, &version, ReleaseKind::Publish, how.forced, note).await?;
    rollout::end_superseded(&mut tx, caller.account.as_str(), id, number).await?;
    end_trial(&mut tx, caller, &version).await?;
    tx.tell(kind::VERSION_PUBLISHED, id, caller.account.as_str(), &release).for_mini_app(id);
    tx.commit().await?;
    Ok(release)
}

/// Refuses with `version-state` while host apps have not decided on the version, and names them.
async fn require_decided(tx: &mut Tx, version: &VersionRow) -> Result<()> {
    let Some(open) = tx.open_audit_of(&version.id).await?.filter(|audit| audit.state == AuditState::Deciding) else {
        return Ok(());
    };
    let undecided = tx.audit_items(&open.id).await?.into_iter().filter(|item| item.decision.is_none());
    let waits: Vec<_> = undecided.map(|item| item.host_app.to_string()).collect();
    let verb = if waits.len() == 1 { "has" } else { "have" };
    let text = format!("{} {verb} not decided on {} yet.", waits.join(", "), version.number);
    Err(Error::new(Code::VersionState, text).with("state", version.state).with("waits_for", waits))
}

/// Ends the trial of a version that goes online, as everyone gets it then.
async fn end_trial(tx: &mut Tx, caller: &Caller, version: &VersionRow) -> Result<()> {
    let id = &version.mini_app_id;
    if tx.trial(id).await?.is_some_and(|trial| trial.version_id == version.id) {
        tx.clear_trial(id).await?;
        tx.tell(kind::TRIAL_CLEARED, id, caller.account.as_str(), &event::Nothing).for_mini_app(id);
    }
    Ok(())
}

/// Brings a version online again (V9). If it is below the minimum usable version, the minimum is lowered to it. Gray
/// tasks whose version is above it go on.
///
/// # Errors
/// `rollback-twice` when the last release was a rollback; `never-online` when the version never was online;
/// `version-state` when it is online now; `mini-app-off-shelf`; `invalid-field` for the note; `not-found` and
/// `missing-grant`.
#[tracing::instrument(name = "version.roll_back", skip_all, fields(mini_app = %id, version = %how.to))]
pub async fn roll_back(db: &Db, caller: &Caller, id: &MiniAppId, how: Rollback) -> Result<Release> {
    let note = text::prose("note", &how.note, 500)?;
    let mut tx = db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let target = tx.require_version(id, &how.to).await?;
    let last = tx.last_release(id).await?.map(|last| last.kind);
    may_roll_back(&mini_app, last, &target)?;
    let release = bring_online(&mut tx, caller, &target, ReleaseKind::Rollback, false, note).await?;
    if mini_app.min_version.as_ref().is_some_and(|min| *min > target.number) {
        tx.set_min_version(id, Some(&target.number)).await?;
    }
    tx.tell(kind::VERSION_ROLLED_BACK, id, caller.account.as_str(), &release).for_mini_app(id);
    tx.commit().await?;
    Ok(release)
}

/// Brings a version online instead of what is. That it is online stands in its state and in the history: the state, so that
/// an index holds to one online version (I1) and finds it without the history. Nobody else writes either.
pub(crate) async fn bring_online(
    tx: &mut Tx,
    caller: &Caller,
    version: &VersionRow,
    kind: ReleaseKind,
    forced: bool,
    note: String,
) -> Result<Release> {
    if let Some(online) = tx.online_version(&version.mini_app_id).await? {
        tx.step_version(&online, Transition::Retire).await?;
    }
    let step = match kind {
        ReleaseKind::Publish => Transition::Publish,
        ReleaseKind::Rollback => Transition::RollBackTo,
    };
    tx.step_version(version, step).await?;
    if forced {
        tx.mark_forced(&version.id).await?;
    }
    let now = tx.now();
    let release = Release {
        mini_app: version.mini_app_id.clone(),
        version: version.number.clone(),
        kind,
        forced,
        note,
        released_by: caller.account.to_string(),
        released_at: now,
    };
    tx.insert_release(&ReleaseId::generate(now, tx.random()), &version.id, &release).await?;
    Ok(release)
}

/// The release history of a MiniApp, newest first, at most 500 entries, for a caller who may read the MiniApp.
pub async fn releases(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<Release>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.releases(id).await
}

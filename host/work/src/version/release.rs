//! Publishing and rolling back: the release history of a MiniApp (V7–V9, V11, V12, I1).

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
    version::{Publish, Release, ReleaseKind, Released, Rollback, State, Transition, TrialEnd},
};
use berth_store::{Db, Tx, version::VersionRow};

use super::{may_roll_back, trial};
use crate::{binding, mini_app, rollout};

/// Checks that `candidate` may be published now (V7), but for its audit.
fn may_publish(mini_app: &MiniApp, online: Option<&VersionNumber>, candidate: &VersionRow) -> Result<()> {
    mini_app.shelf().require_for_release()?;
    let number = &candidate.number;
    candidate.state.after(Transition::Publish).map_err(|refused| point_on(refused, &mini_app.id, candidate))?;
    if number.is_prerelease() {
        return Err(Error::new(
            Code::VersionPrerelease,
            format!("{number} is a pre-release. Upload it as a release number."),
        ));
    }
    let Some(online) = online.filter(|online| number <= *online) else { return Ok(()) };
    let refused = |way: &str| {
        let detail = format!("{number} is not above the online version {online}. {way}");
        Error::new(Code::VersionOrder, detail).with("online", online)
    };
    if candidate.state != State::Historical {
        return Err(refused("Upload it with a greater number."));
    }
    let command = format!("berth version rollback {} --to {number}", mini_app.id);
    Err(refused(&format!("It was online before: `{command}` brings it back.")).next(command))
}

/// Names what the version has to go through before it can be published.
fn point_on(refused: Error, id: &MiniAppId, version: &VersionRow) -> Error {
    let number = &version.number;
    match version.state {
        State::Development => refused.next(format!("berth version submit {id} {number} --wait")),
        State::Auditing => refused.next(format!("berth version show {id} {number}")),
        State::Rejected => refused.next(format!("berth version show {id} {number}")),
        _ => refused,
    }
}

/// Brings a version online for all bound host apps at once: an approved one, or one that was online before and is above
/// what is (V7, V9). This ends the trial of a version up to it, and the gray tasks whose version is not above it (V8).
/// The caller must be allowed to release versions of the MiniApp.
///
/// # Errors
/// `version-state` when the version is not approved and never was online; `version-order` when it is not above the online
/// one; `version-prerelease`; `guard-suspended` when a guard has stopped a gray task of it and that is not passed over; `mini-app-off-shelf`; `invalid-field` for the note; `not-found` and `missing-grant`.
#[tracing::instrument(name = "version.publish", skip_all, fields(mini_app = %id, version = %number))]
pub async fn publish(
    db: &Db,
    caller: &Caller,
    id: &MiniAppId,
    number: &VersionNumber,
    how: Publish,
) -> Result<Released> {
    let note = text::prose("note", &how.note, 500)?;
    let actor = caller.account.as_str();
    let mut tx = db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let version = tx.require_version(id, number).await?;
    require_decided(&mut tx, &version).await?;
    let online = tx.online_version(id).await?;
    may_publish(&mini_app, online.as_ref().map(|online| &online.number), &version)?;
    let tasks = rollout::settle(&mut tx, id).await?;
    if !how.despite_guard {
        rollout::require_no_guard(&mut tx, &version).await?;
    }
    let release = bring_online(&mut tx, caller, &version, ReleaseKind::Publish, how.forced, note).await?;
    let ended_tasks = tasks.end_superseded(&mut tx, actor, number).await?;
    let outdated = |trial: &VersionNumber| trial <= number;
    let ended_trial = trial::end(&mut tx, actor, id, TrialEnd::Superseded, outdated).await?;
    tx.tell(kind::VERSION_PUBLISHED, id, actor, &release).for_mini_app(id);
    tx.commit().await?;
    Ok(Released { release, ended_tasks, ended_trial, lowered_min_from: None })
}

/// Refuses with `version-state` while host apps have not decided on the version, and names them.
async fn require_decided(tx: &mut Tx, version: &VersionRow) -> Result<()> {
    let Some(open) = tx.open_audit_of(&version.id).await?.filter(|audit| audit.state == AuditState::Deciding) else {
        return Ok(());
    };
    let undecided = tx.items_of_audit(&open.id).await?.into_iter().filter(|item| item.decision.is_none());
    let waits: Vec<_> = undecided.map(|item| item.host_app.to_string()).collect();
    let verb = if waits.len() == 1 { "has" } else { "have" };
    let text = format!("{} {verb} not decided on {} yet.", waits.join(", "), version.number);
    Err(Error::new(Code::VersionState, text).with("state", version.state).with("waits_for", waits))
}

/// Brings a version online again (V9). A minimum usable version above it is lowered to it if that is said, and the
/// rollback is refused otherwise (V11). Gray tasks whose version is above it go on; the others, which there are when it
/// leads upwards, end (V8).
///
/// # Errors
/// `rollback-twice` when the last release was a rollback; `never-online` when the version never was online;
/// `version-state` when it is online now; `below-min-version` when it is below the minimum and `lower_min` is not said;
/// `mini-app-off-shelf`; `invalid-field` for the note; `not-found` and `missing-grant`.
#[tracing::instrument(name = "version.roll_back", skip_all, fields(mini_app = %id, version = %how.to))]
pub async fn roll_back(db: &Db, caller: &Caller, id: &MiniAppId, how: Rollback) -> Result<Released> {
    let note = text::prose("note", &how.note, 500)?;
    let actor = caller.account.as_str();
    let mut tx = db.begin().await?;
    let mut mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let target = tx.require_version(id, &how.to).await?;
    let history = tx.releases(id).await?;
    may_roll_back::check(&mini_app, &history, &target, how.lower_min)?;
    let tasks = rollout::settle(&mut tx, id).await?;
    let release = bring_online(&mut tx, caller, &target, ReleaseKind::Rollback, false, note).await?;
    let ended_tasks = tasks.end_superseded(&mut tx, actor, &target.number).await?;
    let outdated = |trial: &VersionNumber| *trial < target.number;
    let ended_trial = trial::end(&mut tx, actor, id, TrialEnd::Superseded, outdated).await?;
    tx.tell(kind::VERSION_ROLLED_BACK, id, actor, &release).for_mini_app(id);
    let lowered_min_from = mini_app.min_version.take_if(|min| *min > target.number);
    if lowered_min_from.is_some() {
        mini_app.min_version = Some(target.number);
        tx.set_min_version(id, mini_app.min_version.as_ref()).await?;
        tx.tell(kind::MINI_APP_MIN_VERSION, id, actor, &mini_app).for_mini_app(id);
    }
    tx.commit().await?;
    Ok(Released { release, ended_tasks, ended_trial, lowered_min_from })
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
        rolled_back: false,
        note,
        released_by: caller.account.to_string(),
        released_at: now,
    };
    tx.insert_release(&ReleaseId::generate(now, tx.random()), &version.id, &release).await?;
    binding::tell_host_apps(tx, kind::BINDING_ONLINE, &release.mini_app, &release.released_by, &release).await?;
    Ok(release)
}

/// The release history of a MiniApp, newest first, at most 500 entries, for a caller who may read the MiniApp or a host app
/// that it is bound to (A5).
pub async fn releases(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<Release>> {
    let mut tx = db.read().await?;
    mini_app::readable(&mut tx, caller, id).await?;
    tx.releases(id).await
}

//! Publishing and rolling back: the release history (V7–V9, V12, I1).

use serde::{Deserialize, Serialize};

use super::{State, Step, VersionNumber, VersionRow};
use crate::{
    access::{Action, Caller},
    audit::AuditState,
    clock::Millis,
    error::{Code, Error, Result},
    event::{self, kind},
    ids::{MiniAppId, ReleaseId, VersionId},
    mini_app::{self, MiniApp},
    rollout,
    store::{Db, Tx},
    text::{self, text_enum},
};

text_enum! {
    /// How a version came online.
    ReleaseKind {
        /// For the first time.
        Publish = "publish",
        /// Again.
        Rollback = "rollback",
    }
}

/// One entry of the release history; the newest one says what is online.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Release {
    /// Whose release it is.
    pub mini_app: MiniAppId,
    /// What came online.
    pub version: VersionNumber,
    /// How.
    pub kind: ReleaseKind,
    /// Whether devices with an older version must update before they run it.
    pub forced: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account.
    pub released_by: String,
    /// When.
    pub released_at: Millis,
}

/// A row of `release_record`, with the version's number.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Release")]
pub struct ReleaseRow {
    pub mini_app_id: MiniAppId,
    pub position: i64,
    #[sqlx(try_from = "String")]
    pub number: VersionNumber,
    #[sqlx(try_from = "String")]
    pub kind: ReleaseKind,
    pub forced: bool,
    pub note: String,
    pub released_by: String,
    pub released_at: Millis,
}

impl From<ReleaseRow> for Release {
    fn from(row: ReleaseRow) -> Self {
        Self {
            mini_app: row.mini_app_id,
            version: row.number,
            kind: row.kind,
            forced: row.forced,
            note: row.note,
            released_by: row.released_by,
            released_at: row.released_at,
        }
    }
}

/// How to publish.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Whether devices with an older version must update before they run it (V12).
    #[serde(default)]
    pub forced: bool,
    /// For the history, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Where to roll back to.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// A version that was online before.
    pub to: VersionNumber,
    /// For the history, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Whether `candidate` may be published now (V7); the state machine adds that it must be approved.
fn may_publish(mini_app: &MiniApp, online: Option<&VersionNumber>, candidate: &VersionNumber) -> Result<()> {
    require_on_shelf(mini_app)?;
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

/// Whether a rollback may happen now (V9).
fn may_roll_back(mini_app: &MiniApp, last: Option<ReleaseKind>, target: &VersionRow) -> Result<()> {
    require_on_shelf(mini_app)?;
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

pub(super) fn require_on_shelf(mini_app: &MiniApp) -> Result<()> {
    if mini_app.on_shelf {
        return Ok(());
    }
    Err(Error::new(Code::MiniAppOffShelf, format!("{} is off the shelf. Put it back on the shelf first.", mini_app.id)))
}

/// Brings an approved version online for all bound host apps at once (V7), and ends its trial and the grayscale tasks
/// that it overtakes (V8).
#[tracing::instrument(name = "version.publish", skip_all, fields(mini_app = %id, version = %number))]
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
    version.state.after(Step::Publish)?;
    let online = tx.online_version(id).await?;
    may_publish(&mini_app, online.as_ref().map(|online| &online.number), number)?;
    if let Some(online) = &online {
        tx.step_version(online, Step::Retire).await?;
    }
    tx.step_version(&version, Step::Publish).await?;
    if how.forced {
        tx.mark_forced(&version.id).await?;
    }
    let release = record(&mut tx, caller, &version, ReleaseKind::Publish, how.forced, note).await?;
    rollout::end_superseded(&mut tx, caller.account.as_str(), id, number).await?;
    end_trial(&mut tx, caller, &version).await?;
    tx.tell(kind::VERSION_PUBLISHED, id, caller.account.as_str(), &release).for_mini_app(id);
    tx.commit().await?;
    Ok(release)
}

/// Whoever publishes too early is told for whom the version waits.
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

/// What everybody gets needs no trial any more.
async fn end_trial(tx: &mut Tx, caller: &Caller, version: &VersionRow) -> Result<()> {
    let id = &version.mini_app_id;
    if tx.trial(id).await?.is_some_and(|trial| trial.version_id == version.id) {
        tx.clear_trial(id).await?;
        tx.tell(kind::TRIAL_CLEARED, id, caller.account.as_str(), &event::Nothing).for_mini_app(id);
    }
    Ok(())
}

/// Brings a version online again that was online before (V9). Grayscale tasks that are now above it go on.
#[tracing::instrument(name = "version.roll_back", skip_all, fields(mini_app = %id, version = %how.to))]
pub async fn roll_back(db: &Db, caller: &Caller, id: &MiniAppId, how: Rollback) -> Result<Release> {
    let note = text::prose("note", &how.note, 500)?;
    let mut tx = db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let target = tx.require_version(id, &how.to).await?;
    let last = tx.last_release(id).await?.map(|last| last.kind);
    may_roll_back(&mini_app, last, &target)?;
    if let Some(online) = tx.online_version(id).await? {
        tx.step_version(&online, Step::Retire).await?;
    }
    tx.step_version(&target, Step::RollBackTo).await?;
    let release = record(&mut tx, caller, &target, ReleaseKind::Rollback, false, note).await?;
    if mini_app.min_version.as_ref().is_some_and(|min| *min > target.number) {
        tx.set_min_version(id, Some(&target.number)).await?;
    }
    tx.tell(kind::VERSION_ROLLED_BACK, id, caller.account.as_str(), &release).for_mini_app(id);
    tx.commit().await?;
    Ok(release)
}

async fn record(
    tx: &mut Tx,
    caller: &Caller,
    version: &VersionRow,
    kind: ReleaseKind,
    forced: bool,
    note: String,
) -> Result<Release> {
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
    let position = tx.last_release(&version.mini_app_id).await?.map_or(0, |last| last.position) + 1;
    let id: VersionId = version.id.clone();
    tx.insert_release(&ReleaseId::generate(now, tx.random()), position, &id, &release).await?;
    Ok(release)
}

/// The release history, newest first.
pub async fn releases(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<Release>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.releases(id).await
}

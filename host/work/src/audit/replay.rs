//! Asks policies before they decide: auditors about versions that are stored (G20), grayscale policies about devices that are
//! recorded (G26).
//!
//! A host has one replay at a time, which asks one policy after the other. It has no worker and no lease of the queue of
//! audits, and its evaluation of a version runs in one of the places that the engine has besides those of audits, so that no audit
//! of any team waits for it. About devices it asks in one of the many places that checks have.

mod devices;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, HostAppId, VersionId},
    page::Page,
};
use berth_judge::Subject;
use berth_model::{
    access::{Action, Caller},
    audit::Supplies,
    policy::{
        Acceptance, LimitOverrides, PolicyKind,
        registry::{PolicyScope, ScopeKind},
    },
    replay::{NewReplay, Replayed, ReplayedVersion, Revision, Said},
};
use berth_package::PackageName;
use berth_store::{Tx, version::VersionRow};
use serde_json::Value;
use tracing::Instrument;

use super::{
    ask::{Terms, ask, open},
    desk::Audits,
    supply::supplies,
};
use crate::policy::registry::{authorise, require_at};

/// When an answer has taken so long, no further version is begun: the caller asks for the next ones.
const ENOUGH: Duration = Duration::from_secs(10);

/// How long one evaluation may take, whatever its limits allow: others wait for the turn.
const LONGEST: Duration = Duration::from_secs(60);

/// In how many seconds a caller who was refused should come again.
const AGAIN_SECONDS: u64 = 3;

/// A revision that was found.
struct Found {
    digest: Digest,
    kind: PolicyKind,
    config: Value,
    limits: LimitOverrides,
}

impl Found {
    async fn find(tx: &mut Tx, place: &PolicyScope, revision: Revision, wanted: PolicyKind) -> Result<Self> {
        let Revision { policy, config, limits } = revision;
        let policy = tx.require_policy(&policy).await?;
        if policy.kind != wanted {
            let text = format!("{} is a policy of kind {}; compare it with one of its kind.", policy.name, policy.kind);
            return Err(Error::new(Code::PolicyKind, text).with("kind", policy.kind));
        }
        require_at(tx, place, &policy).await?;
        Ok(Self { digest: policy.digest, kind: policy.kind, config, limits })
    }

    async fn accepts(&self, audits: &Audits) -> Result<()> {
        audits.policies.accept(&self.digest, &self.config, &self.limits.apply(self.kind)?).await
    }

    async fn says(&self, audits: &Audits, supplies: &Supplies, subject: Arc<Subject>) -> Result<Said> {
        let terms = Terms { digest: &self.digest, config: &self.config, limits: &self.limits };
        Ok(Said::of(ask(&audits.policies, terms, supplies, subject, LONGEST).await?.1))
    }
}

/// Two revisions of one kind, or one and nothing.
struct Pair {
    new: Found,
    against: Option<Found>,
}

impl Pair {
    async fn find(
        tx: &mut Tx,
        place: &PolicyScope,
        (new, against): (Revision, Option<Revision>),
        kind: PolicyKind,
    ) -> Result<Self> {
        let new = Found::find(tx, place, new, kind).await?;
        let against = match against {
            Some(revision) => Some(Found::find(tx, place, revision, kind).await?),
            None => None,
        };
        Ok(Self { new, against })
    }

    async fn accept(&self, audits: &Audits) -> Result<()> {
        self.new.accepts(audits).await.map_err(|refusal| refusal.with("revision", "new"))?;
        match &self.against {
            Some(against) => against.accepts(audits).await.map_err(|refusal| refusal.with("revision", "against")),
            None => Ok(()),
        }
    }
}

/// Says what a policy would change, compared with another revision or with nothing: an auditor for the next versions of a place,
/// newest upload first, a grayscale policy for the next devices of a record. Nothing is stored. The caller must be allowed to bind
/// policies there.
///
/// # Errors
/// `replay-running` while another one runs on this host; `policy-kind` for a guard, and when the revisions are of different kinds;
/// `policy-config`; `policy-unsigned` and `policy-signature-wrong` when a revision is not signed as it would have to be to be bound
/// there; `invalid-field`, also for a place where policies of the kind judge nothing; `invalid-cursor`; `not-found` and
/// `missing-grant`.
#[tracing::instrument(name = "audits.replay", skip_all)]
pub async fn replay(audits: &Arc<Audits>, caller: &Caller, asked: NewReplay) -> Result<Replayed> {
    let new = audits.db.read().await?.require_policy(&asked.new.policy).await?;
    match new.kind {
        PolicyKind::Auditor => versions(audits, caller, asked).await.map(Replayed::Versions),
        PolicyKind::Grayscale => devices::replay(audits, caller, asked).await.map(Replayed::Devices),
        PolicyKind::Guard => {
            let text = format!("{} is a guard, which judges neither versions nor devices.", new.name);
            Err(Error::new(Code::PolicyKind, text).with("kind", new.kind))
        }
    }
}

async fn versions(audits: &Arc<Audits>, caller: &Caller, asked: NewReplay) -> Result<Page<ReplayedVersion>> {
    let limit = asked.limit()?;
    if asked.scope.kind == ScopeKind::GrayTask {
        return Err(Error::field("scope", "an auditor judges the versions of the platform, a host app or a MiniApp."));
    }
    let mut tx = audits.db.read().await?;
    authorise(&asked.scope, &mut tx, caller, Action::Configure).await?;
    let before = asked.cursor.as_deref().map(before).transpose()?;
    let pair = Pair::find(&mut tx, &asked.scope, (asked.new, asked.against), PolicyKind::Auditor).await?;
    let only = match asked.scope.kind {
        ScopeKind::HostApp => Some(asked.scope.id.parse::<HostAppId>()?),
        _ => None,
    };
    let rows = tx.versions_to_replay(&asked.scope, asked.versions, before.as_ref(), limit + 1).await?;
    drop(tx);
    let turn = turn(audits)?;
    let audits = audits.clone();
    // The turn is kept until the evaluations have ended, whether or not somebody still waits for the answer.
    let work = async move {
        let _turn = turn;
        pair.accept(&audits).await?;
        Comparison { audits: &audits, pair: &pair, only: only.as_ref() }.judge(rows, limit as usize).await
    };
    tokio::spawn(work.in_current_span()).await.map_err(Error::internal)?
}

/// The turn of a replay on this host.
fn turn(audits: &Audits) -> Result<OwnedSemaphorePermit> {
    audits.replaying.clone().try_acquire_owned().map_err(|_| running())
}

fn before(cursor: &str) -> Result<VersionId> {
    cursor.parse().map_err(|_| Error::new(Code::InvalidCursor, "Send the `next` of the answer before, as it came."))
}

fn running() -> Error {
    let text = "Another replay is running on this host, which has one at a time. Try again in a moment.";
    Error::new(Code::ReplayRunning, text).retry_after(AGAIN_SECONDS)
}

/// By which revisions versions are judged.
struct Comparison<'a> {
    audits: &'a Audits,
    pair: &'a Pair,
    /// The host app for which it is asked, whose admin learns nothing of others.
    only: Option<&'a HostAppId>,
}

impl Comparison<'_> {
    /// Judges the versions until there are enough, or it has taken long enough. There is one row more when there are more.
    async fn judge(&self, rows: Vec<VersionRow>, most: usize) -> Result<Page<ReplayedVersion>> {
        let (began, count) = (Instant::now(), rows.len());
        let (mut items, mut next) = (Vec::new(), None);
        for row in rows.into_iter().take(most) {
            let id = row.id.clone();
            items.push(self.one(row).await?);
            next = Some(id.to_string());
            if began.elapsed() >= ENOUGH {
                break;
            }
        }
        Ok(Page { next: next.filter(|_| items.len() < count), items })
    }

    async fn one(&self, row: VersionRow) -> Result<ReplayedVersion> {
        let (said, other) = match opened(self.audits, &row, self.only).await? {
            Err(reason) => (Said::no_verdict(reason), Said::nothing()),
            Ok((supplies, subject)) => {
                let said = self.pair.new.says(self.audits, &supplies, subject.clone()).await?;
                let other = match &self.pair.against {
                    Some(against) => against.says(self.audits, &supplies, subject).await?,
                    None => Said::nothing(),
                };
                (said, other)
            }
        };
        Ok(ReplayedVersion::compare(row.mini_app_id, row.number, row.state, row.sha256, &said, &other))
    }
}

/// A package, and what auditors are told of its settings: as an audit that began now would have them. A package that
/// cannot be opened any more, because the limits were lowered or its bytes are damaged, is told with its reason.
async fn opened(
    audits: &Audits,
    row: &VersionRow,
    only: Option<&HostAppId>,
) -> Result<std::result::Result<(Supplies, Arc<Subject>), String>> {
    let mut tx = audits.db.read().await?;
    let mut host_apps = tx.bound_host_apps(&row.mini_app_id).await?;
    host_apps.retain(|one| only.is_none_or(|only| one == only));
    let supplies = supplies(&mut tx, &row.mini_app_id, &host_apps).await?;
    drop(tx);
    let name = PackageName { mini_app_id: row.mini_app_id.clone(), version: row.number.clone() };
    match open(audits, name, &row.sha256).await {
        Ok(subject) => Ok(Ok((supplies, Arc::new(subject)))),
        Err(error) if error.code == Code::Internal || error.code == Code::Unavailable => Err(error),
        Err(error) => Ok(Err(format!("The package could not be opened: {}", error.detail))),
    }
}

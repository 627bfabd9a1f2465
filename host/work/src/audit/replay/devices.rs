//! Asks grayscale policies about the devices of a record (G26).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
    time::Instant,
};

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{CohortId, GrayTaskId, MiniAppId},
    version::VersionNumber,
};
use berth_judge::BoundGrayscale;
use berth_model::{
    access::{Action, Caller},
    check::Device,
    policy::{
        Cohorts, GrayDevice, GrayTask, PolicyKind,
        registry::{PolicyScope, ScopeKind},
    },
    replay::{DeviceSaid, NewReplay, RecordedRow, ReplayedDevices},
    rollout::ObjectKind,
};
use berth_store::Tx;
use tracing::Instrument;

use super::{ENOUGH, Found, Pair, turn};
use crate::{
    audit::desk::Audits,
    policy::{as_seen, registry::authorise},
};

/// How many devices one answer judges at most.
const DEVICES: u32 = 1000;

/// How many milliseconds a policy has for a device at least. No check waits for it, and a host that is busy must not change what a
/// replay tells.
const UNHURRIED_MS: u64 = 250;

/// What a revision would change for the next devices of a record, in the order of their stand-ins.
pub(super) async fn replay(audits: &Arc<Audits>, caller: &Caller, asked: NewReplay) -> Result<ReplayedDevices> {
    let most = asked.limit()? as usize;
    if !matches!(asked.scope.kind, ScopeKind::MiniApp | ScopeKind::GrayTask) {
        let rule =
            "a grayscale policy judges the devices in the record of a MiniApp: name it, or one of its gray tasks.";
        return Err(Error::field("scope", rule));
    }
    let mut tx = audits.db.read().await?;
    authorise(&asked.scope, &mut tx, caller, Action::Configure).await?;
    let after = asked.cursor.as_deref().map(after).transpose()?.unwrap_or_default();
    let pair = Pair::find(&mut tx, &asked.scope, (asked.new, asked.against), PolicyKind::Grayscale).await?;
    let task = Told::find(&mut tx, &asked.scope).await?;
    let rows = tx.recorded_devices_after(&task.mini_app, after, DEVICES + 1).await?;
    drop(tx);
    let turn = turn(audits)?;
    let audits = audits.clone();
    // The turn is kept until the evaluations have ended, whether or not somebody still waits for the answer.
    let work = async move {
        let _turn = turn;
        pair.accept(&audits).await?;
        let new = bound(&audits, &pair.new).await?;
        let against = match &pair.against {
            Some(against) => Some(bound(&audits, against).await?),
            None => None,
        };
        let comparison = Comparison { task, new, against, most };
        tokio::task::spawn_blocking(move || comparison.judge(rows)).await.map_err(Error::internal)
    };
    tokio::spawn(work.in_current_span()).await.map_err(Error::internal)?
}

/// A stand-in, as the answer before had it.
fn after(cursor: &str) -> Result<&str> {
    let is_one = cursor.len() == 32 && cursor.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wrong = || Error::new(Code::InvalidCursor, "Send the `next` of the answer before, as it came.");
    is_one.then_some(cursor).ok_or_else(wrong)
}

async fn bound(audits: &Audits, found: &Found) -> Result<BoundGrayscale> {
    let mut limits = found.limits.apply(PolicyKind::Grayscale)?;
    limits.deadline_ms = limits.deadline_ms.max(UNHURRIED_MS);
    audits.policies.load(&found.digest).await?.bind_gray(&found.config, limits)
}

/// What policies are told of the gray task.
struct Told {
    id: GrayTaskId,
    mini_app: MiniAppId,
    version: String,
    online: String,
    started: Millis,
}

impl Told {
    /// The gray task at this place; at a MiniApp one that began with the record and delivers what is online.
    async fn find(tx: &mut Tx, place: &PolicyScope) -> Result<Self> {
        if place.kind == ScopeKind::GrayTask {
            let id = place.id.parse::<GrayTaskId>()?;
            let task = tx.gray_task(&id).await?.ok_or_else(|| Error::not_found("GrayTask", &id))?;
            require_record(tx, &task.mini_app_id).await?;
            let (version, online) = (task.version.to_string(), online(tx, &task.mini_app_id).await?);
            return Ok(Self { id, mini_app: task.mini_app_id, version, online, started: task.start_at });
        }
        let mini_app = place.id.parse::<MiniAppId>()?;
        let started = require_record(tx, &mini_app).await?;
        let online = online(tx, &mini_app).await?;
        Ok(Self { id: GrayTaskId::least_of(started), mini_app, version: online.clone(), online, started })
    }

    /// The task at the moment of a check of a device that had this version.
    fn at(&self, asked_at: Millis, current: Option<&VersionNumber>) -> GrayTask<'_> {
        GrayTask {
            id: self.id.as_str().into(),
            mini_app_id: self.mini_app.as_str().into(),
            version: (&self.version).into(),
            online: (&self.online).into(),
            current: current.map(|version| version.to_string().into()),
            started: self.started.since_epoch(),
            now: asked_at.since_epoch(),
            attributes: Vec::new(),
        }
    }
}

/// The version that everybody gets; empty when there is none.
async fn online(tx: &mut Tx, mini_app: &MiniAppId) -> Result<String> {
    Ok(tx.online_version(mini_app).await?.map(|version| version.number.to_string()).unwrap_or_default())
}

/// When the record of the MiniApp began. That there is none is told, as it must be switched on first.
async fn require_record(tx: &mut Tx, mini_app: &MiniAppId) -> Result<Millis> {
    let none = || {
        let text =
            format!("No record is kept of the devices that ask for {mini_app}, so that there is nothing to judge.");
        Error::new(Code::NoCheckRecord, text).with("mini_app", mini_app)
    };
    Ok(tx.check_record(mini_app).await?.ok_or_else(none)?.started_at)
}

/// By which revisions devices are judged.
struct Comparison {
    task: Told,
    new: BoundGrayscale,
    against: Option<BoundGrayscale>,
    /// How many devices are named for each change.
    most: usize,
}

impl Comparison {
    /// Judges the devices until there are enough, or it has taken long enough. There is one row more when there are more. It blocks
    /// the calling thread.
    fn judge(&self, rows: Vec<RecordedRow>) -> ReplayedDevices {
        let (began, count) = (Instant::now(), rows.len() as u64);
        let mut told = ReplayedDevices::default();
        for row in rows.into_iter().take(DEVICES as usize) {
            let stand_in = row.stand_in.clone();
            self.one(row, &mut told);
            told.next = (told.counts.devices < count).then_some(stand_in);
            if began.elapsed() >= ENOUGH {
                break;
            }
        }
        told
    }

    fn one(&self, row: RecordedRow, told: &mut ReplayedDevices) {
        let (seen, lists) = (row.device.seen_as(&row.stand_in), &row.device.lists);
        let (device, task) = (as_seen(&seen), self.task.at(row.asked_at, row.device.current.as_ref()));
        let new = says(&self.new, &device, &task, Lists::of(&seen, lists));
        let against = self.against.as_ref().map(|policy| says(policy, &device, &task, Lists::of(&seen, lists)));
        told.add(row, &new, against.as_ref(), self.most);
    }
}

fn says(policy: &BoundGrayscale, device: &GrayDevice, task: &GrayTask, lists: Lists) -> DeviceSaid {
    let lists = Arc::new(lists);
    let cohorts: Arc<dyn Cohorts> = lists.clone();
    let asked = policy.decide(device, task, &cohorts);
    DeviceSaid::of(asked, lists.unknown.get().cloned())
}

/// What is recorded of a device's place in lists.
struct Lists {
    /// What the policy sees of whose the device is.
    seen: Vec<(ObjectKind, String)>,
    known: BTreeMap<CohortId, BTreeSet<ObjectKind>>,
    /// The first question that the record does not answer.
    unknown: OnceLock<String>,
}

impl Lists {
    fn of(seen: &Device, known: &BTreeMap<CohortId, BTreeSet<ObjectKind>>) -> Self {
        let told = [
            (ObjectKind::Guid, Some(&seen.guid)),
            (ObjectKind::DeviceId, seen.device_id.as_ref()),
            (ObjectKind::Account, seen.account.as_ref()),
        ];
        let seen = told.into_iter().filter_map(|(kind, text)| Some((kind, text?.clone()))).collect();
        Self { seen, known: known.clone(), unknown: OnceLock::new() }
    }
}

impl Cohorts for Lists {
    fn contains(&self, name: &str, key: &str) -> bool {
        if key.is_empty() {
            return false;
        }
        let Some(known) = self.known.get(name) else {
            self.unknown.get_or_init(|| {
                format!("It is not recorded whether the device was in {name}: no task used the list, and the record does not name it.")
            });
            return false;
        };
        match self.seen.iter().find(|(_, text)| text == key) {
            Some((kind, _)) => known.contains(kind),
            None => {
                self.unknown.get_or_init(|| {
                    format!("It is recorded of the guid, the device id and the account alone whether {name} has it.")
                });
                false
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use super::*;
    use crate::testing::device;

    #[test]
    fn g26_a_list_answers_by_what_is_recorded_and_says_what_is_not() {
        let (known, other) = (format!("coh_{}", "0".repeat(26)), format!("coh_{}", "1".repeat(26)));
        let lists = BTreeMap::from([(known.parse().unwrap(), BTreeSet::from([ObjectKind::Account]))]);
        let seen = Device { account: Some("account-of-ab".into()), ..device("ab") };
        let of = || Lists::of(&seen, &lists);
        for (name, key, is_in, answered) in [
            (&known, "account-of-ab", true, true),
            (&known, "ab", false, true),
            (&known, "", false, true),
            (&other, "", false, true),
            (&other, "ab", false, false),
            (&known, "Suzhou", false, false),
        ] {
            let asked = of();
            assert_eq!((asked.contains(name, key), asked.unknown.get().is_none()), (is_in, answered), "{name} {key}");
        }
    }
}

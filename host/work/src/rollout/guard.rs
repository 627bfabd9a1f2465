//! Asks the guards of gray tasks, once for each window, whether the tasks should go on, and does what they say (G13).
//!
//! A window begins when the task begins to deliver, or is resumed: who resumes it has overruled what the guard had seen,
//! and the guard begins anew with devices that try the version from then on. When a window is over, the first host that
//! takes a lease on the guard asks it. What came of it, the move of the task and the end of the lease are one transaction,
//! which only the holder of the lease can make, so that nothing is done twice. A host that was away asks once, about all
//! that was missed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
};
use berth_judge::GUARDS_AT_ONCE;
use berth_model::{
    policy::{
        Evaluation, Health, PolicyKind,
        registry::{Mode, ScopeKind, Watch},
    },
    rollout::{
        Cause, GuardLook, GuardProgress, GuardSaid, Opinion, PlannedMove, State,
        health::{self, Beside},
    },
};
use berth_store::{Db, Lease, Tx, gray_task::TaskRow, guard::GuardWatch, policy::PolicyBindingRow};
use futures_util::future::{join, join_all};
use tokio::sync::Notify;
use tracing::Instrument;

use crate::{
    beat,
    policy::{asked, registry::Policies},
};

/// How often a host looks for windows that are over.
const BEAT: Duration = Duration::from_secs(1);

/// How long a guard stays with a host that says nothing more: longer than the longest evaluation may take, and the wait for a
/// place to run in.
pub(super) const LEASE_SECONDS: i64 = 180;

/// After how long a guard that could not be looked at is due again.
pub(super) const AGAIN_SECONDS: i64 = 10;

/// Looks that a progress has at most.
const LOOKS: i64 = 10;

/// Everything that asking guards takes.
pub struct Guards {
    policies: Policies,
    /// What guards have said on this host since it started.
    pub tally: GuardTally,
    /// Wakes a worker.
    wake: Notify,
}

impl Guards {
    /// Guards that are among these policies; the database is theirs, too.
    pub fn new(policies: Policies) -> Self {
        Self { policies, tally: GuardTally::default(), wake: Notify::new() }
    }

    fn db(&self) -> &Db {
        &self.policies.db
    }
}

/// Counts what guards say, by the name of the policy and its mode.
#[derive(Default)]
pub struct GuardTally(Mutex<BTreeMap<(String, Mode, GuardSaid), u64>>);

impl GuardTally {
    fn count(&self, binding: &PolicyBindingRow, said: GuardSaid) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((binding.name.clone(), binding.mode, said)).or_default() += 1;
    }

    /// All counts.
    pub fn counts(&self) -> BTreeMap<(String, Mode, GuardSaid), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Asks guards for ever, several at once; failures are logged and tried again.
pub async fn run(guards: Arc<Guards>) {
    let trouble = "guards of grayscale tasks could not be asked; trying again";
    let workers = (0..GUARDS_AT_ONCE).map(|_| beat::woken(&guards.wake, trouble, || look_around(&guards)));
    join(beat::look(BEAT, &guards.wake, trouble, || is_due(guards.db())), join_all(workers)).await;
}

/// Asks every guard whose window is over and that no other host has. Returns how many.
#[tracing::instrument(name = "guards.look_around", skip_all)]
pub async fn look_around(guards: &Guards) -> Result<usize> {
    let mut asked = 0;
    while let Some(claimed) = claim(guards.db()).await? {
        guards.wake.notify_one(); // there may be more than this one
        if let Err(error) = look(guards, claimed.clone()).await {
            put_off(guards.db(), claimed).await?;
            return Err(error);
        }
        asked += 1;
    }
    Ok(asked)
}

/// Gives up the guards of a host that stops, so that others can take them at once.
pub async fn release(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.release_guards(db.host()).await?;
    tx.commit().await
}

/// A guard whose time has come, in the hands of one worker.
#[derive(Clone)]
struct Claimed {
    watch: GuardWatch,
    lease: Lease,
}

/// Whether the window of a guard is over. Most of the time none is, and to see that takes no lock.
async fn is_due(db: &Db) -> Result<bool> {
    db.read().await?.has_due_guard(db.now()).await
}

async fn claim(db: &Db) -> Result<Option<Claimed>> {
    if !is_due(db).await? {
        return Ok(None);
    }
    let mut tx = db.begin().await?;
    let lease = Lease::of(db, LEASE_SECONDS);
    let claimed = tx.claim_guard(&lease).await?;
    tx.commit().await?;
    Ok(claimed.map(|watch| Claimed { watch, lease }))
}

/// Gives back a guard that could not be looked at, for a while in which others of its team have their turn.
async fn put_off(db: &Db, Claimed { mut watch, lease }: Claimed) -> Result<()> {
    let mut tx = db.begin().await?;
    watch.due_at = tx.now().plus_seconds(AGAIN_SECONDS);
    tx.give_guard_back(&watch, &lease).await?;
    tx.commit().await
}

/// A window that is over, with what there is to say of it.
struct Due {
    claimed: Claimed,
    binding: PolicyBindingRow,
    /// How the guard watches.
    terms: Watch,
    task: TaskRow,
    health: Health,
    window: Beside,
    total: Beside,
}

/// What there is to do about a guard whose time has come.
enum Turn {
    /// A window is over.
    Ask(Box<Due>),
    /// The task has begun, or begun again, or its windows have changed: the guard waits for a window to be over.
    Wait(Claimed),
}

async fn look(guards: &Guards, claimed: Claimed) -> Result<()> {
    match turn(guards.db(), claimed).await? {
        Turn::Wait(Claimed { watch, lease }) => {
            let mut tx = guards.db().begin().await?;
            tx.give_guard_back(&watch, &lease).await?;
            tx.commit().await
        }
        Turn::Ask(due) => {
            let opinion = opinion(guards, &due).await;
            let said = opinion.said;
            if act(guards.db(), &due, opinion).await? {
                guards.tally.count(&due.binding, said);
            }
            Ok(())
        }
    }
}

async fn turn(db: &Db, mut claimed: Claimed) -> Result<Turn> {
    let watch = &mut claimed.watch;
    let mut tx = db.read().await?;
    let now = tx.now();
    let task = tx.gray_task(&watch.task_id).await?;
    let task = task.ok_or_else(|| Error::not_found("grayscale task", &watch.task_id))?;
    let binding = tx.policy_binding(&watch.binding_id).await?;
    let binding = binding.ok_or_else(|| Error::not_found("policy binding", &watch.binding_id))?;
    let terms = binding.watch().unwrap_or_default();
    let since = tx.delivers_since(&task.id).await?.unwrap_or(now);
    let width = terms.window_millis();
    let over = (now.0 - since.0).max(0) / width;
    (watch.since, watch.due_at) = (since, Millis(since.0 + (over + 1) * width));
    if over == 0 {
        return Ok(Turn::Wait(claimed));
    }
    let windows = |firsts| health::windows(terms.window_minutes, over.unsigned_abs(), firsts);
    let gray = windows(tx.firsts_of_admitted(&task.id, since, width).await?);
    let online = windows(tx.firsts_of_bystanders(&task.id, since, width).await?);
    let last = |windows: &[_]| windows.last().copied().unwrap_or_default();
    let (window, total) = (
        Beside { gray: last(&gray), online: last(&online) },
        Beside { gray: health::total(&gray), online: health::total(&online) },
    );
    let health = Health {
        task_id: task.id.to_string(),
        mini_app_id: task.mini_app_id.to_string(),
        version: task.version.to_string(),
        since: since.0.unsigned_abs(),
        now: now.0.unsigned_abs(),
        gray,
        online,
    };
    Ok(Turn::Ask(Box::new(Due { claimed, binding, terms, task, health, window, total })))
}

/// What the guard says, unless there are too few devices to ask about. That it cannot be loaded counts as its failure: a
/// guard that is not there must not look like one that agrees.
async fn opinion(guards: &Guards, due: &Due) -> Opinion {
    let tried = due.total.gray.tried;
    if tried < due.terms.min_devices {
        return Opinion::too_few(tried, &due.terms);
    }
    let binding = &due.binding;
    let judged = async {
        let policy = guards.policies.load(&binding.digest).await?;
        let bound = policy.bind_guard(&binding.config.0, binding.limits.0.apply(PolicyKind::Guard)?)?;
        Ok::<_, Error>(bound.judge(due.health.clone()).await)
    };
    let span = asked::span(&binding.name, &binding.version, &binding.id);
    span.record("gray_task", tracing::field::display(&due.task.id));
    let evaluation = judged.instrument(span.clone()).await.unwrap_or_else(|error| Evaluation::failed(error.detail));
    asked::tell(&span, &evaluation);
    guards.policies.board.of(&binding.id, &binding.digest).note(&evaluation, guards.db().now());
    evaluation.into()
}

/// Records what came of a window, and moves the task if that is called for. False, and nothing changes, when the task was
/// moved meanwhile or another worker has the guard.
#[tracing::instrument(name = "guard.act", skip_all, fields(gray_task = %due.task.id, guard = %due.binding.id))]
async fn act(db: &Db, due: &Due, opinion: Opinion) -> Result<bool> {
    let mut tx = db.begin().await?;
    tx.hold_mini_app(&due.task.mini_app_id).await?;
    let mut task = tx.hold_gray_task(&due.task.id).await?;
    let Claimed { mut watch, lease } = due.claimed.clone();
    let current = task.state == State::Delivering && tx.delivers_since(&task.id).await? == Some(watch.since);
    if current {
        *watch.counts.0.of(opinion.said) += 1;
    }
    if !tx.give_guard_back(&watch, &lease).await? {
        return Ok(false);
    }
    if current {
        record(&mut tx, due, &mut task, opinion).await?;
    }
    tx.commit().await?;
    Ok(current)
}

async fn record(tx: &mut Tx, due: &Due, task: &mut TaskRow, opinion: Opinion) -> Result<()> {
    let PolicyBindingRow { id, name, mode, on_error, .. } = &due.binding;
    let step = opinion.calls_for(name, *mode, *on_error);
    if let Some((what, note)) = &step {
        let step = PlannedMove { what: *what, cause: Cause::Guard, actor: id.as_str(), note };
        tx.move_gray_task(task, &step).await?;
    }
    let look = GuardLook {
        at: tx.now(),
        said: opinion.said,
        words: opinion.words,
        moved: step.is_some(),
        window: due.window,
        total: due.total,
    };
    tx.insert_guard_look(id, &look).await
}

/// The guards of a task, with what they have said, in the order of the task's policies.
pub(super) async fn progress(tx: &mut Tx, task: &TaskRow) -> Result<Vec<GuardProgress>> {
    let watches = tx.guard_watches(&task.id).await?;
    let mut guards = Vec::with_capacity(watches.len());
    for binding in tx.policy_bindings(ScopeKind::GrayTask, task.id.as_str()).await? {
        let Some(watch) = watches.iter().find(|watch| watch.binding_id == binding.id) else { continue };
        let began = watch.since > Millis(0);
        guards.push(GuardProgress {
            since: began.then_some(watch.since),
            next_look: (began && task.state == State::Delivering).then_some(watch.due_at),
            counts: watch.counts.0,
            looks: tx.guard_looks(&binding.id, LOOKS).await?,
            watch: binding.watch().unwrap_or_default(),
            binding: binding.id,
            policy: binding.name,
            mode: binding.mode,
        });
    }
    Ok(guards)
}

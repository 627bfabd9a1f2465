//! Keeps the index current: it follows the event log, on every host that shares the database, and the admissions of
//! the tasks that deliver.
//!
//! A round reads one snapshot: the number of the last event, what the events since the last round touched, and the
//! admissions that were not known. So an index never shows a task that was suspended or ended by its cap without all
//! the devices that it had admitted by then (I3).

use crate::blob::Blobs;
use crate::check::judge::Judges;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::{
    Admitted, Key,
    index::{AppEntry, BoundJudge, GrayEntry, HostAppEntry, Index, Release},
    judge::{BindingSpec, Cohorts, Unready},
    load::{self, AppRows, Channels, TaskRows},
    members::{Shelf, TaskCohorts},
};
use crate::{
    error::Result,
    ids::{HostAppId, MiniAppId},
    store::{Db, Span, Tx},
};

/// Another host's change is seen after so long at the latest; our own at once.
const PULSE: Duration = Duration::from_millis(200);
/// A policy or a list that could not be made ready is tried again every so many rounds.
const RETRY_ROUNDS: u64 = 50;
/// Admissions read at a time.
const CHUNK: i64 = 20_000;

/// The index as it is now. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    index: ArcSwap<Index>,
    /// The event that the index follows; −1 before the first round.
    seq: watch::Sender<i64>,
    /// Somebody waits for a round.
    wanted: Notify,
    /// One round at a time.
    round: tokio::sync::Mutex<()>,
    shelf: Shelf,
    unready: Mutex<BTreeSet<MiniAppId>>,
    rounds: AtomicU64,
    failures: AtomicU64,
    last_round: AtomicU64,
}

/// How well the index follows, for metrics and readiness.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Following {
    /// The event that it follows; −1 before the first round.
    pub seq: i64,
    /// Rounds that went well.
    pub rounds: u64,
    /// Rounds that failed; the index stays as it was.
    pub failures: u64,
    /// When the last good round began, epoch milliseconds: the index is at most this old.
    pub as_of: u64,
    /// MiniApps of which a policy or a list could not be made ready.
    pub unready: usize,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner {
            index: ArcSwap::default(),
            seq: watch::Sender::new(-1),
            wanted: Notify::new(),
            round: tokio::sync::Mutex::default(),
            shelf: Shelf::default(),
            unready: Mutex::default(),
            rounds: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_round: AtomicU64::new(0),
        }))
    }
}

impl Live {
    /// The index as it is now.
    pub fn current(&self) -> Arc<Index> {
        self.0.index.load_full()
    }

    /// Whether the first round is done: before it, no check may be answered.
    pub fn is_ready(&self) -> bool {
        *self.0.seq.borrow() >= 0
    }

    /// Ends when the index follows the event `seq`.
    pub async fn caught_up(&self, seq: i64) {
        self.0.wanted.notify_one();
        // The sender lives in `self`, so that this cannot fail.
        let _ = self.0.seq.subscribe().wait_for(|known| *known >= seq).await;
    }

    /// Ends when the index shows everything that is committed now: whoever wrote then reads its own writes.
    pub async fn settled(&self, db: &Db) -> Result<()> {
        let last = db.read().await?.last_event().await?;
        self.caught_up(last).await;
        Ok(())
    }

    /// How well it follows.
    pub fn following(&self) -> Following {
        Following {
            seq: *self.0.seq.borrow(),
            rounds: self.0.rounds.load(Ordering::Relaxed),
            failures: self.0.failures.load(Ordering::Relaxed),
            as_of: self.0.last_round.load(Ordering::Relaxed),
            unready: self.unready().len(),
        }
    }

    fn unready(&self) -> std::sync::MutexGuard<'_, BTreeSet<MiniAppId>> {
        self.0.unready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, index: Index, as_of: u64) {
        let seq = index.seq;
        self.0.index.store(Arc::new(index));
        self.0.last_round.store(as_of, Ordering::Relaxed);
        self.0.rounds.fetch_add(1, Ordering::Relaxed);
        self.0.seq.send_replace(seq);
    }
}

/// Keeps the index current.
pub struct Follower {
    /// Whose events it follows.
    pub db: Db,
    /// The lists of devices.
    pub blobs: Blobs,
    /// Make the policies of grayscale tasks ready.
    pub judges: Arc<dyn Judges>,
    /// The index.
    pub live: Live,
}

/// Follows for ever. A round that fails leaves the index as it is, so that checks go on without the database (f56).
pub async fn run(follower: Arc<Follower>) {
    loop {
        if let Err(error) = refresh(&follower).await {
            follower.live.0.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(?error, "the index cannot follow the event log; checks are answered from what it knows");
            tokio::time::sleep(PULSE).await;
        }
        tokio::select! {
            () = follower.db.events_told(PULSE) => {}
            () = follower.live.0.wanted.notified() => {}
        }
    }
}

/// One round; the first one loads everything. The host awaits one before it answers its first check.
#[tracing::instrument(name = "index.refresh", skip_all)]
pub async fn refresh(follower: &Follower) -> Result<()> {
    let live = &follower.live;
    let _turn = live.0.round.lock().await;
    let as_of = follower.db.now().0.max(0) as u64;
    let base = live.current();
    let news = read(follower, &base).await?;
    let mut next = (*base).clone();
    next.seq = news.seq;
    news.host_apps.into_iter().for_each(|host_app| next.put_host_app(host_app));
    for (rows, admitted) in news.mini_apps {
        next.put_mini_app(assemble(follower, &base, rows, admitted).await);
    }
    news.channels.into_iter().for_each(|(merchant, channels)| next.put_channels(merchant, channels));
    live.publish(next, as_of);
    Ok(())
}

/// What a round found.
struct News {
    seq: i64,
    host_apps: Vec<HostAppEntry>,
    mini_apps: Vec<(AppRows, Vec<Arc<Admitted>>)>,
    channels: Vec<Channels>,
}

async fn read(follower: &Follower, base: &Index) -> Result<News> {
    let mut tx = follower.db.read().await?;
    let seq = tx.last_event().await?;
    let (host_spans, app_spans) = touched(follower, &mut tx, base, seq).await?;
    let channels = channels(follower, &mut tx, base, seq).await?;
    let mut news = News { seq, host_apps: Vec::new(), mini_apps: Vec::new(), channels };
    for span in host_spans {
        news.host_apps.extend(load::host_apps(&mut tx, &span).await?);
    }
    for span in app_spans {
        for rows in load::mini_apps(&mut tx, &span).await? {
            let admitted = admitted(&mut tx, base, &rows.tasks).await?;
            news.mini_apps.push((rows, admitted));
        }
    }
    follow_admissions(&mut tx, base).await?;
    Ok(news)
}

/// What is to be read: all of it in the first round, then what events name, and now and then what is not ready.
async fn touched(follower: &Follower, tx: &mut Tx, base: &Index, seq: i64) -> Result<(Vec<Span>, Vec<Span>)> {
    if !follower.live.is_ready() {
        return Ok((vec![Span::all()], vec![Span::all()]));
    }
    let (mut hosts, mut apps) = (BTreeSet::<HostAppId>::new(), BTreeSet::<MiniAppId>::new());
    if seq != base.seq {
        hosts.extend(tx.touched_host_apps(base.seq, seq).await?);
        apps.extend(tx.touched_mini_apps(base.seq, seq).await?);
    }
    if follower.live.following().rounds.is_multiple_of(RETRY_ROUNDS) {
        apps.extend(follower.live.unready().iter().cloned());
    }
    Ok((hosts.iter().map(Span::one).collect(), apps.iter().map(Span::one).collect()))
}

/// The MiniApps that are channels: all of them in the first round, then those of each merchant that an event names.
async fn channels(follower: &Follower, tx: &mut Tx, base: &Index, seq: i64) -> Result<Vec<Channels>> {
    if !follower.live.is_ready() {
        return load::channels(tx, &Span::all()).await;
    }
    let mut found = Vec::new();
    if seq != base.seq {
        for (merchant, has_channels) in tx.touched_merchants(base.seq, seq).await? {
            // That there are none is news as well, and needs no look at what the merchant has.
            found.push(if has_channels { load::channels_of(tx, merchant).await? } else { (merchant, Vec::new()) });
        }
    }
    Ok(found)
}

/// The admitted devices of each task, complete as of the snapshot.
async fn admitted(tx: &mut Tx, base: &Index, tasks: &[TaskRows]) -> Result<Vec<Arc<Admitted>>> {
    let mut all = Vec::with_capacity(tasks.len());
    for task in tasks {
        let known = base.task(task.row.id.as_str()).map(|task| task.admitted.clone()).unwrap_or_default();
        catch_up(tx, task.row.id.as_str(), &known, task.row.admitted).await?;
        all.push(known);
    }
    Ok(all)
}

/// Adds what other hosts have admitted to the tasks that deliver.
async fn follow_admissions(tx: &mut Tx, base: &Index) -> Result<()> {
    if base.tasks().next().is_none() {
        return Ok(());
    }
    for (id, count) in tx.admission_counts().await? {
        if let Some(task) = base.task(id.as_str()) {
            catch_up(tx, id.as_str(), &task.admitted, count).await?;
        }
    }
    Ok(())
}

async fn catch_up(tx: &mut Tx, task: &str, known: &Admitted, count: i64) -> Result<()> {
    while known.known() < count {
        let rows = tx.admissions_after(task, known.known(), CHUNK).await?;
        let Some((_, last)) = rows.last() else { break };
        let last = *last;
        known.extend(rows.iter().map(|(guid, _)| Key::of(guid)), last);
    }
    Ok(())
}

/// Makes an entry of what was read. What did not change since `base` is taken from there.
async fn assemble(follower: &Follower, base: &Index, rows: AppRows, admitted: Vec<Arc<Admitted>>) -> AppEntry {
    let AppRows { mut entry, tasks } = rows;
    follower.live.unready().remove(&entry.id);
    for (task, admitted) in tasks.into_iter().zip(admitted) {
        let before = base.task(task.row.id.as_str()).map(Arc::as_ref);
        entry.gray.push(Arc::new(gray_entry(follower, before, task, admitted).await));
    }
    entry.gray.sort_unstable_by(|a, b| b.id.cmp(&a.id));
    entry
}

async fn gray_entry(
    follower: &Follower,
    before: Option<&GrayEntry>,
    task: TaskRows,
    admitted: Arc<Admitted>,
) -> GrayEntry {
    let TaskRows { row, bindings, cohorts } = task;
    let mut judges = Vec::with_capacity(bindings.len());
    for spec in bindings {
        judges.push(bound_judge(follower, before, spec, &row.mini_app_id).await);
    }
    let mut lists = TaskCohorts::default();
    for (id, digest) in cohorts {
        match follower.live.0.shelf.members(&follower.blobs, &digest).await {
            Ok(members) => drop(lists.0.insert(id, members)),
            Err(error) => not_ready(follower, &row.mini_app_id, "list", &id, &error),
        }
    }
    GrayEntry {
        life: row.life(),
        release: Release { version: row.version, sha256: row.sha256, size: row.size as u64 },
        id: row.id,
        mini_app: row.mini_app_id,
        judges,
        cohorts: Arc::new(lists) as Arc<dyn Cohorts>,
        admitted,
    }
}

async fn bound_judge(
    follower: &Follower,
    before: Option<&GrayEntry>,
    spec: BindingSpec,
    mini_app: &MiniAppId,
) -> BoundJudge {
    let same = |bound: &&BoundJudge| bound.ready && bound.spec == spec;
    if let Some(bound) = before.and_then(|task| task.judges.iter().find(same)) {
        return bound.clone();
    }
    match follower.judges.prepare(&spec).await {
        Ok(judge) => BoundJudge { spec, judge, ready: true, tally: Arc::default() },
        Err(error) => {
            not_ready(follower, mini_app, "policy", &spec.policy, &error);
            BoundJudge { spec, judge: Arc::new(Unready(error.detail)), ready: false, tally: Arc::default() }
        }
    }
}

fn not_ready(
    follower: &Follower,
    mini_app: &MiniAppId,
    what: &str,
    id: &impl std::fmt::Display,
    error: &crate::error::Error,
) {
    tracing::error!(%mini_app, what, %id, ?error, "a grayscale task is not ready on this host; it will be tried again");
    follower.live.unready().insert(mini_app.clone());
}

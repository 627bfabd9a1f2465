//! Keeps the index current on every host that shares the database: it follows the event log, and what the gray tasks that
//! have an effect gather: admissions, and failures of the version on admitted devices (G15).
//!
//! Each round reads, from one snapshot of the database, the number of the last event, everything that the events since
//! the last round touched, and the new admissions and failures. So an index that shows a task as suspended, or as ended by its cap,
//! also has all the devices that the task had admitted by then (I3).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use berth_check::{
    Admitted, Bystanders, Index, Live, Members, Named, Recording, TaskCohorts,
    index::{AppEntry, BoundJudge, GrayEntry, HostAppEntry, Release},
    judge::{Judge, JudgeSpec, Judges, Unready},
};
use berth_model::{
    check::Key,
    rollout::{Admits, Side, admits::CONDITIONS, each_text},
};
use serde_json::Value;

use super::{
    judge::Cohorts,
    load::{AppRows, Channels, RecordRows, TaskRows},
    shelf::Shelf,
    underway::Preparing,
};
use crate::check::load;
use berth_base::{
    error::Result,
    ids::{CohortId, Digest, GrayTaskId, HostAppId, MerchantId, MiniAppId},
};
use berth_store::{Db, Span, Touched, Tx, admission::Gathered, blob::Blobs};

/// How long the follower waits for news. Changes by other hosts are seen after this time at the latest, changes by this
/// host at once.
const PULSE: Duration = Duration::from_millis(200);
/// After how many rounds a policy or a list that could not be made ready is tried again.
const RETRY_ROUNDS: u64 = 50;
/// Admissions or failures that one query reads at most.
const CHUNK: i64 = 20_000;

/// Everything that keeping the index current takes.
pub struct Follower {
    /// The database whose events are followed.
    pub db: Db,
    /// The store from which uploaded lists are read.
    pub blobs: Blobs,
    /// Makes the policies of gray tasks ready to judge.
    pub judges: Arc<dyn Judges>,
    /// The index that is kept current.
    pub live: Live,
    /// The lists in memory.
    pub shelf: Arc<Shelf>,
    /// What is being made ready while rounds go on.
    pub preparing: Preparing,
    /// After how many failures of a version on a device it is not offered to the device any more; 0 for never.
    pub max_failures: u8,
}

impl Follower {
    /// Ends when the index shows everything that is committed now: whoever wrote then reads its own writes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn settled(&self) -> Result<()> {
        let last = self.db.read().await?.last_event().await?;
        self.live.caught_up(last).await;
        Ok(())
    }
}

/// Runs rounds for ever: when events arrive, when somebody asks for a round, and every 200 milliseconds. A round that
/// fails leaves the index as it is, so that checks are answered while the database is away (F56).
pub async fn run(follower: Arc<Follower>) {
    loop {
        if let Err(error) = refresh(&follower).await {
            follower.live.failed();
            tracing::warn!(?error, "the index cannot follow the event log; checks are answered from what it knows");
            tokio::time::sleep(PULSE).await;
        }
        tokio::select! {
            () = follower.db.events_told(PULSE) => {}
            () = follower.live.wanted() => {}
        }
    }
}

/// Runs one round, and publishes the new index when it has succeeded. The first round loads everything; the host awaits
/// it before it answers checks.
#[tracing::instrument(name = "index.refresh", skip_all)]
pub async fn refresh(follower: &Follower) -> Result<()> {
    let live = &follower.live;
    let _turn = live.turn().await;
    let as_of = follower.db.now().since_epoch();
    let base = live.current();
    let news = read(follower, &base).await?;
    let mut next = (*base).clone();
    next.seq = news.seq;
    news.host_apps.into_iter().for_each(|host_app| next.put_host_app(host_app));
    if live.is_ready() {
        news.mini_apps.iter().for_each(|(rows, _)| begin(follower, &base, rows));
    }
    for (rows, admitted) in news.mini_apps {
        next.put_mini_app(assemble(follower, &base, rows, admitted).await);
    }
    news.channels.into_iter().for_each(|(merchant, channels)| next.put_channels(merchant, channels));
    live.publish(next, as_of);
    Ok(())
}

/// What a round has read.
struct News {
    seq: i64,
    host_apps: Vec<HostAppEntry>,
    mini_apps: Vec<(AppRows, Vec<Arc<Admitted>>)>,
    channels: Vec<Channels>,
}

async fn read(follower: &Follower, base: &Index) -> Result<News> {
    let mut tx = follower.db.read().await?;
    let seq = tx.last_event().await?;
    let is_news = follower.live.is_ready() && seq != base.seq;
    let Touched { host_apps, mini_apps, merchants } =
        if is_news { tx.touched(base.seq, seq).await? } else { Touched::default() };
    let (host_spans, app_spans) = spans(follower, &host_apps, mini_apps);
    let channels = channels(follower, &mut tx, merchants).await?;
    let mut news = News { seq, host_apps: Vec::new(), mini_apps: Vec::new(), channels };
    let gathered =
        if base.tasks().next().is_none() && app_spans.is_empty() { HashMap::new() } else { tx.gathered().await? };
    for span in host_spans {
        news.host_apps.extend(load::host_apps(&mut tx, &span).await?);
    }
    for span in app_spans {
        for rows in load::mini_apps(&mut tx, &span).await? {
            let admitted = admitted(&mut tx, base, &rows.tasks, &gathered).await?;
            news.mini_apps.push((rows, admitted));
        }
    }
    for task in base.tasks() {
        catch_up(&mut tx, &task.id, &task.admitted, &gathered).await?;
        if let Some(bystanders) = &task.bystanders {
            catch_up_bystanders(&mut tx, &task.id, bystanders, &gathered).await?;
        }
    }
    Ok(news)
}

/// What to read: everything in the first round; then what the new events name, and what is not ready: when something that was
/// begun is done, and in every 50th round.
fn spans(follower: &Follower, hosts: &BTreeSet<HostAppId>, mut apps: BTreeSet<MiniAppId>) -> (Vec<Span>, Vec<Span>) {
    if !follower.live.is_ready() {
        return (vec![Span::all()], vec![Span::all()]);
    }
    if follower.preparing.has_news() || follower.live.following().rounds.is_multiple_of(RETRY_ROUNDS) {
        apps.extend(follower.live.unready_apps());
    }
    (hosts.iter().map(Span::one).collect(), apps.iter().map(Span::one).collect())
}

/// The MiniApps that are channels: all of them in the first round, then those of each merchant that a new event names.
async fn channels(follower: &Follower, tx: &mut Tx, merchants: BTreeMap<MerchantId, bool>) -> Result<Vec<Channels>> {
    if !follower.live.is_ready() {
        return load::channels(tx, &Span::all()).await;
    }
    let mut found = Vec::with_capacity(merchants.len());
    for (merchant, has_channels) in merchants {
        // That there are none is news as well, and needs no look at what the merchant has.
        found.push(if has_channels { load::channels_of(tx, merchant).await? } else { (merchant, Vec::new()) });
    }
    Ok(found)
}

/// The admitted devices of each of `tasks`, complete as of the snapshot.
async fn admitted(
    tx: &mut Tx,
    base: &Index,
    tasks: &[TaskRows],
    gathered: &HashMap<GrayTaskId, Gathered>,
) -> Result<Vec<Arc<Admitted>>> {
    let mut all = Vec::with_capacity(tasks.len());
    for task in tasks {
        let known = base.task(task.row.id.as_str()).map(|task| task.admitted.clone()).unwrap_or_default();
        catch_up(tx, &task.row.id, &known, gathered).await?;
        all.push(known);
    }
    Ok(all)
}

/// Adds to what is known of a task what it has gathered meanwhile, on any host. Failures come after the admissions of
/// their devices.
async fn catch_up(
    tx: &mut Tx,
    task: &GrayTaskId,
    known: &Admitted,
    gathered: &HashMap<GrayTaskId, Gathered>,
) -> Result<()> {
    let Some(Gathered { admitted, failures, .. }) = gathered.get(task) else { return Ok(()) };
    while known.known() < *admitted {
        let rows = tx.devices_after(Side::Gray, task.as_str(), known.known(), CHUNK).await?;
        let Some((_, last)) = rows.last() else { break };
        known.extend(rows.iter().map(|(guid, _)| Key::of(guid)), *last);
    }
    while known.known_failures() < *failures {
        let rows = tx.failures_after(task.as_str(), known.known_failures(), CHUNK).await?;
        let Some((_, last)) = rows.last() else { break };
        known.extend_failures(rows.iter().map(|(guid, _)| Key::of(guid)), *last);
    }
    Ok(())
}

/// Adds to the bystanders that are known of a task those that came meanwhile, on any host. Nothing depends on their being
/// complete: those of a task that is new here come in the next round.
async fn catch_up_bystanders(
    tx: &mut Tx,
    task: &GrayTaskId,
    known: &Bystanders,
    gathered: &HashMap<GrayTaskId, Gathered>,
) -> Result<()> {
    let Some(Gathered { bystanders, .. }) = gathered.get(task) else { return Ok(()) };
    while known.known() < *bystanders {
        let rows = tx.devices_after(Side::Beside, task.as_str(), known.known(), CHUNK).await?;
        let Some((_, last)) = rows.last() else { break };
        known.extend(rows.iter().map(|(guid, _)| Key::of(guid)), *last);
    }
    Ok(())
}

/// Begins to make ready what a MiniApp needs. A round begins everything before it waits for anything: it then waits for the
/// slowest, and not for one after the other.
fn begin(follower: &Follower, base: &Index, rows: &AppRows) {
    let Follower { preparing, shelf, blobs, judges, .. } = follower;
    let recorded = rows.record.iter().flat_map(|record| &record.cohorts);
    let lists = rows.tasks.iter().flat_map(|task| &task.cohorts).chain(recorded);
    for (_, digest) in lists.filter(|(_, digest)| shelf.get(digest).is_none()) {
        preparing.begin_list(shelf, blobs, digest);
    }
    for task in &rows.tasks {
        let before = base.task(task.row.id.as_str()).map(Arc::as_ref);
        for spec in task.bindings.iter().filter(|spec| ready_judge(before, spec).is_none()) {
            preparing.begin_policy(judges, spec);
        }
    }
}

/// A list, which the first round awaits, as the host awaits that round; later ones wait for a moment.
async fn members(follower: &Follower, digest: &Digest) -> Result<Arc<Members>> {
    if !follower.live.is_ready() {
        return follower.shelf.members(&follower.blobs, digest).await;
    }
    match follower.shelf.get(digest) {
        Some(members) => Ok(members),
        None => follower.preparing.list(digest).await,
    }
}

/// The judge of a binding, for which rounds wait as for [`members`].
async fn judge(follower: &Follower, spec: &JudgeSpec) -> Result<Arc<dyn Judge>> {
    if !follower.live.is_ready() {
        return follower.judges.prepare(spec).await;
    }
    follower.preparing.policy(spec).await
}

/// Builds the entry of a MiniApp from its rows. Judges and lists that have not changed since `base` are taken from
/// there.
async fn assemble(follower: &Follower, base: &Index, rows: AppRows, admitted: Vec<Arc<Admitted>>) -> AppEntry {
    let AppRows { mut entry, tasks, record } = rows;
    follower.live.note(&entry.id, true);
    if let Some(record) = record {
        entry.recording = Some(Arc::new(recording(follower, &entry.id, record, &tasks).await));
    }
    for (task, admitted) in tasks.into_iter().zip(admitted) {
        let before = base.task(task.row.id.as_str()).map(Arc::as_ref);
        entry.gray.push(Arc::new(gray_entry(follower, before, task, admitted).await));
    }
    entry.gray.sort_unstable_by(|a, b| b.id.cmp(&a.id));
    entry
}

/// The record with its lists and those that gray tasks use.
async fn recording(follower: &Follower, mini_app: &MiniAppId, record: RecordRows, tasks: &[TaskRows]) -> Recording {
    let RecordRows { mut recording, cohorts } = record;
    let named: BTreeMap<_, _> = tasks.iter().flat_map(|task| &task.cohorts).chain(&cohorts).cloned().collect();
    for (id, digest) in named {
        match members(follower, &digest).await {
            Ok(members) => recording.lists.push((id, members)),
            Err(error) => not_ready(follower, mini_app, "list", &id, &error),
        }
    }
    recording
}

async fn gray_entry(
    follower: &Follower,
    before: Option<&GrayEntry>,
    task: TaskRows,
    admitted: Arc<Admitted>,
) -> GrayEntry {
    let TaskRows { row, bindings, cohorts, guarded, suspended_by_guard } = task;
    // Lists come first: a policy that asks for one that cannot be read would take every device for one that is not in it.
    let (lists, unread) = lists(follower, &row.mini_app_id, cohorts).await;
    let mut judges = Vec::with_capacity(bindings.len());
    for spec in bindings {
        judges.push(match first_of(&unread, &spec.config) {
            Some(list) => without_list(spec, &list),
            None => bound_judge(follower, before, spec, &row.mini_app_id).await,
        });
    }
    let admits = row.admits.as_ref().map(|admits| places(&admits.0, &judges));
    let typed = row.conditions.0.objects.iter().flat_map(|list| &list.values);
    let bystanders = guarded.then(|| before.and_then(|task| task.bystanders.clone()).unwrap_or_default());
    let named = Arc::new(Named::new(typed, lists.0.values().cloned().collect()));
    GrayEntry {
        life: row.life(),
        release: Release { version: row.version, sha256: row.sha256, size: row.size },
        id: row.id,
        mini_app: row.mini_app_id,
        judges,
        admits,
        cohorts: Arc::new(lists) as Arc<dyn Cohorts>,
        named,
        admitted,
        bystanders,
        suspended_by_guard,
        max_failures: follower.max_failures,
    }
}

/// The lists of a task, and those of them that cannot be read now.
async fn lists(
    follower: &Follower,
    mini_app: &MiniAppId,
    cohorts: Vec<(CohortId, Digest)>,
) -> (TaskCohorts, BTreeSet<CohortId>) {
    let (mut lists, mut unread) = (TaskCohorts::default(), BTreeSet::new());
    for (id, digest) in cohorts {
        match members(follower, &digest).await {
            Ok(members) => drop(lists.0.insert(id, members)),
            Err(error) => {
                not_ready(follower, mini_app, "list", &id, &error);
                unread.insert(id);
            }
        }
    }
    (lists, unread)
}

/// The first of these lists that a config names.
fn first_of(lists: &BTreeSet<CohortId>, config: &Value) -> Option<CohortId> {
    let mut named = None;
    each_text(config, &mut |text| {
        if named.is_none() {
            named = text.parse::<CohortId>().ok().filter(|id| lists.contains(id));
        }
    });
    named
}

/// A policy one of whose lists cannot be read: it gives no judgement, so that `on_error` decides (G12).
fn without_list(spec: JudgeSpec, list: &CohortId) -> BoundJudge {
    let judge = Arc::new(Unready(format!("The list {list} cannot be read.")));
    BoundJudge { spec, judge, ready: false, tally: Arc::default() }
}

/// What a task admits, by the places of its policies; its conditions must hold besides where they are not named. A task whose
/// expression does not fit its policies, which edits refuse, admits nobody.
fn places(admits: &Admits, judges: &[BoundJudge]) -> Admits<usize> {
    let has_conditions = judges.iter().any(|bound| bound.spec.name == CONDITIONS);
    let whole = if has_conditions { admits.clone().with_conditions() } else { admits.clone() };
    let place = |name: &String| judges.iter().position(|bound| bound.spec.enforce && bound.spec.name == *name);
    whole.over(&mut |name| place(name)).unwrap_or(Admits::Any(Vec::new()))
}

/// The judge of a binding that has not changed since `before`.
fn ready_judge<'a>(before: Option<&'a GrayEntry>, spec: &JudgeSpec) -> Option<&'a BoundJudge> {
    before?.judges.iter().find(|bound| bound.ready && bound.spec == *spec)
}

async fn bound_judge(
    follower: &Follower,
    before: Option<&GrayEntry>,
    spec: JudgeSpec,
    mini_app: &MiniAppId,
) -> BoundJudge {
    if let Some(bound) = ready_judge(before, &spec) {
        return bound.clone();
    }
    match judge(follower, &spec).await {
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
    error: &berth_base::error::Error,
) {
    tracing::error!(%mini_app, what, %id, ?error, "a grayscale task or a record of checks is not ready on this host; it will be tried again");
    follower.live.note(mini_app, false);
}

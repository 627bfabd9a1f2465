//! Exports every entry of the real-time logs to a receiver of OpenTelemetry, by OTLP/HTTP.
//!
//! One host at a time does, by a lease. It follows the log like anybody else, so that taking logs in and checks do not notice,
//! and notes in the host's database how far it is, once a second at most. After a restart, or on another host, it goes on from there:
//! every entry is sent at least once, and one that is sent twice has the same `log.record.uid`. What a receiver cannot take
//! at present is sent again, and what it refuses is not, as OTLP says; both are counted.

mod config;
mod receiver;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
};
use berth_model::log::{Filter, LogId, OtlpOutcome, otlp_wait};
use berth_store::{Db, Lease};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

pub use self::config::LogExportConfig;
use self::receiver::Receiver;
use super::Logs;

/// The name of the export in the database.
const NAME: &str = "otlp";
/// How many entries a request has at most.
const BATCH: usize = 500;
/// Seconds for which a host may send without renewing its lease; a request takes less than half of them.
const LEASE: i64 = 30;
/// How often it is noted how far the export is, at most.
const NOTED: Duration = Duration::from_secs(1);
/// The longest time until entries that another host took in are seen; the host's own are seen at once.
const PULSE: Duration = Duration::from_millis(500);
/// The pause after a failure, and between looks whether another host has given up.
const PAUSE: Duration = Duration::from_secs(2);

/// The export of a host, and its figures.
pub struct LogExport {
    receiver: Option<Receiver>,
    exported: AtomicU64,
    refused: AtomicU64,
    failures: AtomicU64,
    behind: AtomicI64,
}

impl LogExport {
    /// The export that the settings ask for.
    ///
    /// # Errors
    /// `bad-request` for an address or headers that cannot be used.
    pub fn new(config: &LogExportConfig) -> Result<Self> {
        let (exported, refused, failures) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { receiver: Receiver::new(config)?, exported, refused, failures, behind: AtomicI64::new(0) })
    }

    /// How many entries the receiver took.
    pub fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }

    /// How many entries the receiver refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How often the receiver could not take a request.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// How old the oldest entry is that waits to be sent, in seconds; 0 when none does, or another host exports.
    pub fn behind_seconds(&self) -> i64 {
        self.behind.load(Ordering::Relaxed)
    }
}

/// Exports in an endless loop. Returns at once when no receiver is configured.
pub async fn run(logs: Arc<Logs>, export: Arc<LogExport>, db: Db) {
    let Some(receiver) = &export.receiver else { return };
    loop {
        if let Err(error) = (Work { logs: &logs, export: &export, db: &db, receiver }).go_on().await {
            tracing::warn!(?error, "logs cannot be exported for now; trying again");
        }
        sleep(PAUSE).await;
    }
}

/// Gives the lease back, so that another host goes on at once.
pub async fn release(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.release_log_exports(db.host()).await?;
    tx.commit().await
}

struct Work<'a> {
    logs: &'a Logs,
    export: &'a LogExport,
    db: &'a Db,
    receiver: &'a Receiver,
}

/// The right to send, and what is under way.
struct Turn {
    lease: Lease,
    /// Everything up to this entry is sent.
    sent: LogId,
    /// Up to which entry that is noted, and since when.
    noted: (LogId, Instant),
    /// Something was sent since.
    is_ahead: bool,
    waiting: Option<Request>,
    failures: u32,
    not_before: Instant,
}

/// Entries that wait to be sent.
struct Request {
    body: Bytes,
    entries: u64,
    oldest: Millis,
    up_to: LogId,
    is_all: bool,
}

impl Work<'_> {
    async fn go_on(&self) -> Result<()> {
        let mut turn = None::<Turn>;
        loop {
            if turn.as_ref().is_none_or(|turn| !turn.lease.has_left(LEASE / 2, self.db.now())) {
                turn = self.claim(turn).await?;
            }
            let Some(mine) = &mut turn else {
                self.export.behind.store(0, Ordering::Relaxed);
                sleep(PAUSE).await;
                continue;
            };
            let arrived = self.logs.arrived.clone().notified_owned();
            let has_all = self.step(mine).await?;
            if (has_all || mine.noted.1.elapsed() >= NOTED) && !self.note(mine).await? {
                turn = None;
            } else if has_all {
                let _ = timeout(PULSE, arrived).await;
            }
        }
    }

    /// Takes the lease, or keeps it with all that is under way.
    #[tracing::instrument(name = "log_export.claim", skip_all)]
    async fn claim(&self, held: Option<Turn>) -> Result<Option<Turn>> {
        if !self.db.read().await?.has_log_export(NAME).await? {
            let begin = self.logs.store.last().await?;
            let mut tx = self.db.begin().await?;
            tx.begin_log_export(NAME, begin).await?;
            tx.commit().await?;
        }
        let lease = Lease::of(self.db, LEASE);
        let mut tx = self.db.begin().await?;
        let noted = tx.claim_log_export(NAME, &lease).await?;
        tx.commit().await?;
        let Some(noted) = noted else { return Ok(None) };
        // What was noted by somebody else meanwhile is further than what this host knows.
        let kept = held.filter(|held| held.noted.0 == noted).map(|held| Turn { lease: lease.clone(), ..held });
        let now = Instant::now();
        let fresh = || Turn {
            lease,
            sent: noted,
            noted: (noted, now),
            is_ahead: false,
            waiting: None,
            failures: 0,
            not_before: now,
        };
        Ok(Some(kept.unwrap_or_else(fresh)))
    }

    /// Reads a batch when none waits, and sends the one that does when it is time; tells whether everything is sent.
    async fn step(&self, turn: &mut Turn) -> Result<bool> {
        if turn.waiting.is_none() {
            turn.waiting = self.read(turn).await?;
        }
        let Some(request) = &turn.waiting else {
            self.export.behind.store(0, Ordering::Relaxed);
            return Ok(true);
        };
        let behind = (self.db.now().0 - request.oldest.0).max(0) / 1000;
        self.export.behind.store(behind, Ordering::Relaxed);
        let wait = turn.not_before.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            sleep(wait.min(PULSE)).await;
            return Ok(false);
        }
        let (entries, up_to, is_all) = (request.entries, request.up_to, request.is_all);
        match self.receiver.send(request.body.clone(), self.db.now()).await {
            OtlpOutcome::Again(after) => {
                self.export.failures.fetch_add(1, Ordering::Relaxed);
                turn.failures = turn.failures.saturating_add(1);
                turn.not_before = Instant::now() + after.unwrap_or_else(|| otlp_wait(turn.failures, self.jitter()));
                return Ok(false);
            }
            OtlpOutcome::Taken { rejected, why } => {
                let rejected = rejected.min(entries);
                self.export.exported.fetch_add(entries - rejected, Ordering::Relaxed);
                self.export.refused.fetch_add(rejected, Ordering::Relaxed);
                if rejected > 0 || !why.is_empty() {
                    let why: String = why.chars().take(200).collect();
                    tracing::warn!(rejected, why, "the receiver of exported logs did not take all");
                }
            }
            OtlpOutcome::Refused => {
                self.export.refused.fetch_add(entries, Ordering::Relaxed);
            }
        }
        (turn.sent, turn.is_ahead, turn.failures, turn.waiting) = (up_to, true, 0, None);
        Ok(is_all)
    }

    /// The next entries, packed; none when everything is sent.
    async fn read(&self, turn: &mut Turn) -> Result<Option<Request>> {
        let filter = Filter::default();
        loop {
            let read = self.logs.store.follow(&filter, turn.sent, BATCH).await?;
            let Some(oldest) = read.entries.first().map(|first| first.received_at) else {
                turn.sent = read.looked_to;
                if read.is_all {
                    return Ok(None);
                }
                continue;
            };
            let entries = read.entries.len() as u64;
            let packed = tokio::task::spawn_blocking(move || receiver::request(&read.entries)).await;
            let body = packed.map_err(Error::internal)??;
            return Ok(Some(Request { body, entries, oldest, up_to: read.looked_to, is_all: read.is_all }));
        }
    }

    /// Notes how far the export is; tells whether this host still has the lease.
    async fn note(&self, turn: &mut Turn) -> Result<bool> {
        if !turn.is_ahead {
            return Ok(true);
        }
        let mut tx = self.db.begin().await?;
        let held = tx.move_log_export(NAME, self.db.host(), turn.sent).await?;
        tx.commit().await?;
        (turn.noted, turn.is_ahead) = ((turn.sent, Instant::now()), false);
        Ok(held)
    }

    fn jitter(&self) -> f64 {
        let mut byte = [0];
        self.db.nature().random.fill(&mut byte);
        f64::from(byte[0]) / 256.0
    }
}

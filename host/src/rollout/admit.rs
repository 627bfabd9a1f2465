//! Admitting devices: exact under the cap on any number of hosts (G7, I3), and cheap by group commit.
//!
//! One worker per host takes all that waits and admits it in one short transaction. The transaction holds the row of
//! each task, in the order of their ids; whoever holds the row counts.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::{Cause, Move, Standing, Step};
use crate::{error::Result, event, ids::GrayTaskId, store::Db, store::Tx};

/// Devices that may wait; further ones get the online version for now.
const QUEUE: usize = 4096;
/// Devices admitted in one transaction.
const GROUP: usize = 512;
/// How long a check waits for its admission.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The device is in, now or since long.
    Admitted,
    /// The task admits nobody new any more.
    Refused,
    /// Nobody could say in time. The device gets the online version and asks again with its next check.
    Unavailable,
}

/// Counts since the host started, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AdmitterCounts {
    pub admitted: u64,
    pub refused: u64,
    pub unavailable: u64,
    pub transactions: u64,
}

#[derive(Default)]
struct Counters {
    admitted: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
    transactions: AtomicU64,
}

struct Request {
    task: GrayTaskId,
    guid: String,
    answer: oneshot::Sender<Admission>,
}

/// Where checks ask for admission. Cheap to clone.
#[derive(Clone)]
pub struct Admitter {
    queue: mpsc::Sender<Request>,
    counters: Arc<Counters>,
}

/// The other end; [`AdmitQueue::run`] serves it.
pub struct AdmitQueue(mpsc::Receiver<Request>, Arc<Counters>);

impl Admitter {
    /// An admitter and the queue that its worker serves.
    pub fn new() -> (Self, AdmitQueue) {
        let (queue, requests) = mpsc::channel(QUEUE);
        let counters = Arc::<Counters>::default();
        (Self { queue, counters: counters.clone() }, AdmitQueue(requests, counters))
    }

    /// Asks to admit a device. Never fails: an overloaded or unreachable database is [`Admission::Unavailable`].
    pub async fn admit(&self, task: &GrayTaskId, guid: &str) -> Admission {
        let admission = self.ask(task, guid).await.unwrap_or(Admission::Unavailable);
        let counter = match admission {
            Admission::Admitted => &self.counters.admitted,
            Admission::Refused => &self.counters.refused,
            Admission::Unavailable => &self.counters.unavailable,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        admission
    }

    async fn ask(&self, task: &GrayTaskId, guid: &str) -> Option<Admission> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Request { task: task.clone(), guid: guid.to_owned(), answer }).ok()?;
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }

    /// Counts since the host started.
    pub fn counts(&self) -> AdmitterCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AdmitterCounts {
            admitted: read(&self.counters.admitted),
            refused: read(&self.counters.refused),
            unavailable: read(&self.counters.unavailable),
            transactions: read(&self.counters.transactions),
        }
    }
}

impl AdmitQueue {
    /// Serves for ever: whatever waits goes into one transaction.
    pub async fn run(mut self, db: Db) {
        let mut group = Vec::with_capacity(GROUP);
        while self.0.recv_many(&mut group, GROUP).await > 0 {
            self.1.transactions.fetch_add(1, Ordering::Relaxed);
            // Whoever has lost patience is not admitted, because nobody would be told.
            group.retain(|request| !request.answer.is_closed());
            match admit_group(&db, &group).await {
                Ok(admitted) => answer(&mut group, &admitted),
                Err(error) => {
                    tracing::warn!(
                        ?error,
                        devices = group.len(),
                        "devices could not be admitted; they get the online version"
                    );
                    group.clear();
                }
            }
        }
    }
}

type Admitted = HashSet<(GrayTaskId, String)>;

fn answer(group: &mut Vec<Request>, admitted: &Admitted) {
    for Request { task, guid, answer } in group.drain(..) {
        let is_in = admitted.contains(&(task, guid));
        // Nobody listens when the check has lost patience; the device is told with its next check.
        let _ = answer.send(if is_in { Admission::Admitted } else { Admission::Refused });
    }
}

#[tracing::instrument(name = "admissions.write", skip_all, fields(devices = group.len()))]
async fn admit_group(db: &Db, group: &[Request]) -> Result<Admitted> {
    let mut tasks: BTreeMap<&GrayTaskId, BTreeSet<&str>> = BTreeMap::new();
    for request in group {
        tasks.entry(&request.task).or_default().insert(&request.guid);
    }
    let mut tx = db.begin().await?;
    let mut admitted = Admitted::new();
    for (task, guids) in tasks {
        let guids: Vec<_> = guids.into_iter().collect();
        let in_now = tx.admit_to_task(task, &guids).await?;
        admitted.extend(in_now.into_iter().map(|guid| (task.clone(), guid)));
    }
    tx.commit().await?;
    Ok(admitted)
}

impl Tx {
    /// Admits those of `guids` that fit under the cap; answers who is in, the old ones included. Reaching the cap ends
    /// the task.
    async fn admit_to_task(&mut self, id: &GrayTaskId, guids: &[&str]) -> Result<Vec<String>> {
        let now = self.now();
        let mut task = self.hold_gray_task(id).await?;
        let mut is_in = match task.life().standing(now) {
            Standing::Waiting | Standing::Over => return Ok(Vec::new()),
            Standing::Open | Standing::AdmittedOnly => self.admitted_of(id, guids).await?,
        };
        self.catch_up_gray_task(&mut task).await?;
        // A task that is due but may not start, because its MiniApp is off the shelf, is still pending.
        if task.state != super::State::Delivering {
            return Ok(is_in);
        }
        let known: HashSet<_> = is_in.iter().map(String::as_str).collect();
        let room = task.max_users.map_or(i64::MAX, |max| (max - task.admitted).max(0));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let new: Vec<&str> = guids.iter().copied().filter(|guid| !known.contains(guid)).take(room).collect();
        self.insert_admissions(id, task.admitted, &new, now).await?;
        task.admitted += new.len() as i64;
        if task.max_users.is_some_and(|max| task.admitted >= max) {
            let step = Step { step: Move::End, cause: Cause::Cap, actor: event::BERTH, note: "" };
            self.move_gray_task(&mut task, &step).await?;
        }
        is_in.extend(new.into_iter().map(str::to_owned));
        Ok(is_in)
    }
}

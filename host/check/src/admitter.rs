//! Where checks ask for the admission of a device to a grayscale release (G7). Who serves the queue has the database.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use berth_base::ids::GrayTaskId;

/// Requests that may wait; further devices get the online version for now.
const QUEUE: usize = 4096;
/// Requests that one transaction serves at most.
const GROUP: usize = 512;
/// How long a check waits for the admission of its device.
const PATIENCE: Duration = Duration::from_secs(2);

/// The outcome of a request for admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The device is admitted, by this request or by an earlier one.
    Admitted,
    /// This other task of the MiniApp has the device, which stays there (G9).
    Kept(GrayTaskId),
    /// The task admits no new devices any more.
    Refused,
    /// There was no answer in time, as the queue was full or the database failed. The device gets the online version
    /// and may ask again with its next check.
    Unavailable,
}

/// How many requests ended in each way, and how many transactions there were, since the host started; for metrics.
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

/// Asks the worker of this host to admit devices. Cheap to clone.
#[derive(Clone)]
pub struct Admitter {
    queue: mpsc::Sender<Request>,
    counters: Arc<Counters>,
}

/// The other end of an [`Admitter`]: the devices that wait, in groups.
pub struct AdmitQueue {
    requests: mpsc::Receiver<Request>,
    counters: Arc<Counters>,
}

/// Devices that wait to be admitted together. Dropped without an answer, they get the online version.
pub struct AdmitGroup(Vec<Request>);

impl Admitter {
    /// An admitter, and the queue that a worker must serve.
    pub fn new() -> (Self, AdmitQueue) {
        let (queue, requests) = mpsc::channel(QUEUE);
        let counters = Arc::<Counters>::default();
        (Self { queue, counters: counters.clone() }, AdmitQueue { requests, counters })
    }

    /// Asks to admit a device and waits up to two seconds for the answer. Never fails: an overloaded or unreachable
    /// database gives [`Admission::Unavailable`].
    pub async fn admit(&self, task: &GrayTaskId, guid: &str) -> Admission {
        let admission = self.ask(task, guid).await.unwrap_or(Admission::Unavailable);
        let counter = match admission {
            Admission::Admitted => &self.counters.admitted,
            Admission::Kept(_) | Admission::Refused => &self.counters.refused,
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

    /// The counters of this host, for metrics.
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
    /// All that wait now, up to the size of a group; waits for one. None when every admitter is gone.
    pub async fn next(&mut self) -> Option<AdmitGroup> {
        let mut group = Vec::with_capacity(GROUP);
        if self.requests.recv_many(&mut group, GROUP).await == 0 {
            return None;
        }
        self.counters.transactions.fetch_add(1, Ordering::Relaxed);
        // Whoever has lost patience is not admitted, because nobody would be told.
        group.retain(|request| !request.answer.is_closed());
        Some(AdmitGroup(group))
    }
}

impl AdmitGroup {
    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The devices by task, both in one order everywhere.
    pub fn by_task(&self) -> BTreeMap<&GrayTaskId, BTreeSet<&str>> {
        let mut tasks: BTreeMap<&GrayTaskId, BTreeSet<&str>> = BTreeMap::new();
        for request in &self.0 {
            tasks.entry(&request.task).or_default().insert(&request.guid);
        }
        tasks
    }

    /// Tells each device the outcome; one that has none is refused.
    pub fn answer(self, outcomes: &HashMap<(GrayTaskId, String), Admission>) {
        for Request { task, guid, answer } in self.0 {
            let outcome = outcomes.get(&(task, guid)).cloned().unwrap_or(Admission::Refused);
            // Nobody listens when the check has lost patience; the device is told with its next check.
            let _ = answer.send(outcome);
        }
    }
}

//! The index as checks see it, and how well it follows.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::{MutexGuard, Notify, watch};

use super::index::Index;
use berth_base::ids::MiniAppId;

/// Holds the current index of this host. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    index: ArcSwap<Index>,
    /// The last event that the index includes; −1 before the first round.
    seq: watch::Sender<i64>,
    /// Notified by whoever wants a round now.
    wanted: Notify,
    /// Lets one round run at a time.
    round: tokio::sync::Mutex<()>,
    unready: Mutex<BTreeSet<MiniAppId>>,
    rounds: AtomicU64,
    failures: AtomicU64,
    last_round: AtomicU64,
}

/// How well the index of a host follows, for metrics and readiness.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Following {
    /// The last event that the index includes; −1 before the first round.
    pub seq: i64,
    /// How many rounds have succeeded since the host started.
    pub rounds: u64,
    /// How many rounds have failed since the host started; a failed round leaves the index as it was.
    pub failures: u64,
    /// When the last successful round began, in epoch milliseconds. The index shows the database as of then or later.
    pub as_of: u64,
    /// How many MiniApps have a gray task with a policy or a list that could not be made ready.
    pub unready: usize,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner {
            index: ArcSwap::default(),
            seq: watch::Sender::new(-1),
            wanted: Notify::new(),
            round: tokio::sync::Mutex::default(),
            unready: Mutex::default(),
            rounds: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_round: AtomicU64::new(0),
        }))
    }
}

/// For checks.
impl Live {
    /// The current index, an immutable snapshot.
    pub fn current(&self) -> Arc<Index> {
        self.0.index.load_full()
    }

    /// Whether the first round has succeeded. No check may be answered before.
    pub fn is_ready(&self) -> bool {
        *self.0.seq.borrow() >= 0
    }

    /// Asks for a round and waits until the index includes the event `seq`.
    pub async fn caught_up(&self, seq: i64) {
        self.0.wanted.notify_one();
        // The sender lives in `self`, so that this cannot fail.
        let _ = self.0.seq.subscribe().wait_for(|known| *known >= seq).await;
    }

    /// The figures for metrics and readiness.
    pub fn following(&self) -> Following {
        Following {
            seq: *self.0.seq.borrow(),
            rounds: self.0.rounds.load(Ordering::Relaxed),
            failures: self.0.failures.load(Ordering::Relaxed),
            as_of: self.0.last_round.load(Ordering::Relaxed),
            unready: self.unready().len(),
        }
    }
}

/// For whoever keeps the index current.
impl Live {
    /// Begins a round, when no other one is under way; it ends when the guard is dropped.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.round.lock().await
    }

    /// Ends when somebody waits for a round.
    pub async fn wanted(&self) {
        self.0.wanted.notified().await;
    }

    /// Shows the index of a round that began at `as_of`, epoch milliseconds.
    pub fn publish(&self, index: Index, as_of: u64) {
        let seq = index.seq;
        self.0.index.store(Arc::new(index));
        self.0.last_round.store(as_of, Ordering::Relaxed);
        self.0.rounds.fetch_add(1, Ordering::Relaxed);
        self.0.seq.send_replace(seq);
    }

    /// Counts a round that failed.
    pub fn failed(&self) {
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// The MiniApps of which a policy or a list could not be made ready.
    pub fn unready_apps(&self) -> BTreeSet<MiniAppId> {
        self.unready().clone()
    }

    /// Notes whether all policies and lists of a MiniApp are ready.
    pub fn note(&self, mini_app: &MiniAppId, is_ready: bool) {
        let mut unready = self.unready();
        if is_ready {
            unready.remove(mini_app);
        } else {
            unready.insert(mini_app.clone());
        }
    }

    fn unready(&self) -> std::sync::MutexGuard<'_, BTreeSet<MiniAppId>> {
        self.0.unready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

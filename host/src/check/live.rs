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
use crate::ids::MiniAppId;

/// The index as it is now. Cheap to clone: all clones show the same index.
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
            unready: Mutex::default(),
            rounds: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_round: AtomicU64::new(0),
        }))
    }
}

/// For checks.
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

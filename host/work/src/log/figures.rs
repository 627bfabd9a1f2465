//! Counts what was taken in.

use std::sync::atomic::{AtomicU64, Ordering};

use berth_model::log::{Refusal, Taken};

/// How many entries were kept, and how many not and why.
#[derive(Debug, Default)]
pub struct Figures {
    kept: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
}

impl Figures {
    /// Counts what became of a batch.
    pub(super) fn count(&self, taken: &Taken) {
        self.kept.fetch_add(taken.kept as u64, Ordering::Relaxed);
        for one in &taken.refused {
            self.refused[one.reason as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many entries were kept.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// How many entries were not kept, by the reason.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let count = |reason: &Refusal| (reason.as_str(), self.refused[*reason as usize].load(Ordering::Relaxed));
        Refusal::ALL.iter().map(count).collect()
    }
}

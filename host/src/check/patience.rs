//! The time that policies get in one request (F77): they run on the threads that serve everybody.

use std::time::{Duration, Instant};

/// How much of it is spent.
pub(super) struct Patience {
    most: Duration,
    spent: Duration,
}

impl Patience {
    /// For a request whose policies get this time.
    pub fn new(most: Duration) -> Self {
        Self { most, spent: Duration::ZERO }
    }

    /// Counts the time that `work` takes; it is told whether that is too much already.
    pub fn during<T>(&mut self, work: impl FnOnce(&dyn Fn() -> bool) -> T) -> T {
        let started = Instant::now();
        let done = work(&|| self.spent + started.elapsed() > self.most);
        self.spent += started.elapsed();
        done
    }

    /// Lets others have the thread, after more than a moment.
    pub async fn rest(&self) {
        if self.spent > self.most / 100 {
            tokio::task::yield_now().await;
        }
    }
}

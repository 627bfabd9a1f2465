//! Limits the time that policies get in one request, because they run on the threads that serve all requests (F77).

use std::time::{Duration, Instant};

/// A stopwatch for the policies of one request.
pub struct Patience {
    most: Duration,
    spent: Duration,
}

impl Patience {
    /// A stopwatch that allows policies this much time.
    pub fn new(most: Duration) -> Self {
        Self { most, spent: Duration::ZERO }
    }

    /// Runs `work` and counts the time that it takes. `work` is given a function that tells whether the time is used
    /// up.
    pub fn during<T>(&mut self, work: impl FnOnce(&dyn Fn() -> bool) -> T) -> T {
        let started = Instant::now();
        let done = work(&|| self.spent + started.elapsed() > self.most);
        self.spent += started.elapsed();
        done
    }

    /// Yields the thread to other tasks, once policies have taken more than a hundredth of their time.
    pub async fn rest(&self) {
        if self.spent > self.most / 100 {
            tokio::task::yield_now().await;
        }
    }
}

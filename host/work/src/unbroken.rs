//! Work that must not be interrupted: what another service hands out only once is lost if it is not stored.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio_util::task::TaskTracker;
use tracing::Instrument;

use berth_base::error::{Code, Error, Result};
use berth_store::act;

/// Runs such work, and lets the host wait for it when it ends.
#[derive(Default)]
pub struct Unbroken {
    tasks: TaskTracker,
    ending: AtomicBool,
}

impl Unbroken {
    /// Runs `work` in a task of its own. It goes on if the caller is dropped, and the host waits for it when it ends.
    ///
    /// # Errors
    /// `unavailable` when the host is ending, in which case nothing was begun; `internal` when the work has panicked.
    pub async fn carry<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        if self.is_ending() {
            return Err(Error::new(Code::Unavailable, "The host is ending. Try again."));
        }
        self.tasks.spawn(act::inherit(work).in_current_span()).await.map_err(Error::internal)
    }

    /// Whether the host is ending. Work of several steps should stop after the current one then.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Begins no further work, and waits at most for `patience` until all work is done. Returns whether it is.
    pub async fn end(&self, patience: Duration) -> bool {
        self.ending.store(true, Ordering::Release);
        self.tasks.close();
        tokio::time::timeout(patience, self.tasks.wait()).await.is_ok()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    fn slow(done: &Arc<AtomicBool>) -> impl Future<Output = ()> + use<> {
        let done = done.clone();
        async move {
            tokio::time::sleep(SHORT * 10).await;
            done.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn e10_what_is_under_way_ends_well_though_whoever_waited_is_gone() {
        let (unbroken, done) = (Unbroken::default(), Arc::new(AtomicBool::new(false)));
        let waiting = tokio::time::timeout(SHORT, unbroken.carry(slow(&done))).await;
        assert!(waiting.is_err() && !done.load(Ordering::SeqCst));
        assert!(unbroken.end(Duration::from_secs(10)).await);
        assert!(done.load(Ordering::SeqCst), "the host waited for it");
        assert_eq!(unbroken.carry(async {}).await.unwrap_err().code, Code::Unavailable);
    }

    #[tokio::test]
    async fn f75_the_end_of_the_host_does_not_wait_for_ever() {
        let unbroken = Unbroken::default();
        let stuck = unbroken.carry(std::future::pending::<()>());
        assert!(tokio::time::timeout(SHORT, stuck).await.is_err());
        assert!(!unbroken.end(SHORT).await && unbroken.is_ending());
    }
}

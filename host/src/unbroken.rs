//! Work that is carried to its end: what another service hands out once is lost unless it is stored.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::error::{Code, Error, Result};

/// Where such work is handed in.
#[derive(Default)]
pub struct Unbroken {
    tasks: TaskTracker,
    ending: AtomicBool,
}

impl Unbroken {
    /// Does `work` in a task of its own: whoever waits for it may go away, and the host waits for it when it ends.
    ///
    /// # Errors
    /// `unavailable` when the host is ending; then nothing was begun.
    pub async fn carry<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        if self.is_ending() {
            return Err(Error::new(Code::Unavailable, "The host is ending. Try again."));
        }
        self.tasks.spawn(work.in_current_span()).await.map_err(Error::internal)
    }

    /// Whether the host is ending: work of several steps stops after the one that it is at.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Begins nothing more, and waits for what is under way, but not for ever; whether all of it is done.
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

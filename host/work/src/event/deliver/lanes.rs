//! Limits how many sends run at the same time. Receivers that are slow or fail have places of their own, so that the
//! others do not wait however many of them hang (F97).

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A send that takes longer than this moves to the slow lane when there is room.
const QUICK: Duration = Duration::from_secs(1);

/// The places for sends: quick ones and slow ones. Clones share them.
#[derive(Clone)]
pub(crate) struct Lanes {
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

impl Lanes {
    /// Lanes for `sends` sends in all, a third of them slow ones; at least one of each.
    pub fn new(sends: usize) -> Self {
        let slow = (sends / 3).max(1);
        let lane = |places: usize| Arc::new(Semaphore::new(places.max(1)));
        Self { quick: lane(sends.saturating_sub(slow)), slow: lane(slow) }
    }

    /// A place for one send, in the slow lane for a receiver that is `ailing`; `None` when the lane is full.
    pub fn enter(&self, ailing: bool) -> Option<OwnedSemaphorePermit> {
        let lane = if ailing { &self.slow } else { &self.quick };
        lane.clone().try_acquire_owned().ok()
    }

    /// Runs a send in its place. When it takes longer than [`QUICK`] it moves to the slow lane, if that has room.
    pub(crate) async fn travel<T>(&self, place: OwnedSemaphorePermit, send: impl Future<Output = T>) -> T {
        let mut send = std::pin::pin!(send);
        match tokio::time::timeout(QUICK, &mut send).await {
            Ok(done) => done,
            Err(_) => {
                let _place = self.slow.clone().try_acquire_owned().unwrap_or(place);
                send.await
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn f97_a_send_that_hangs_gives_its_place_to_others() {
        let lanes = Lanes::new(3);
        let (first, second) = (lanes.enter(false).unwrap(), lanes.enter(false).unwrap());
        assert!(lanes.enter(false).is_none(), "the quick lane is full");
        let hanging = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.travel(first, std::future::pending::<()>()).await }
        });
        tokio::time::sleep(QUICK * 2).await;
        assert!(lanes.enter(false).is_some() && lanes.enter(true).is_none());
        hanging.abort();
        drop(second);
    }
}

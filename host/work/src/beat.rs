//! What workers do by the clock, and when they are woken.

use std::time::Duration;

use berth_base::error::Result;
use tokio::sync::Notify;

/// Does the same again and again, for ever, each time after a pause. When it fails, the log says so in the words of
/// `trouble`, and the next round tries again.
pub(crate) async fn every<T, F: Future<Output = Result<T>>>(pause: Duration, trouble: &str, round: impl Fn() -> F) {
    loop {
        tokio::time::sleep(pause).await;
        if let Err(error) = round().await {
            tracing::warn!(?error, "{trouble}");
        }
    }
}

/// Looks again and again, for ever, whether there is something to do, and then wakes one worker. When it cannot be seen, the log says so in
/// the words of `trouble`.
pub(crate) async fn look<F: Future<Output = Result<bool>>>(
    pause: Duration,
    wake: &Notify,
    trouble: &str,
    is_there_work: impl Fn() -> F,
) {
    let look = || async {
        if is_there_work().await? {
            wake.notify_one();
        }
        Ok(())
    };
    every(pause, trouble, look).await;
}

/// Does the same whenever it is woken, for ever. One [`look`] wakes one of several workers that wait here, so that they look no more often
/// than one while there is nothing to do. Whoever finds something wakes the next, as there may be more. After a failure it is the clock that
/// wakes somebody again.
pub(crate) async fn woken<T, F: Future<Output = Result<T>>>(wake: &Notify, trouble: &str, round: impl Fn() -> F) {
    loop {
        wake.notified().await;
        if let Err(error) = round().await {
            tracing::warn!(?error, "{trouble}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use berth_base::error::{Code, Error};
    use futures_util::future::{join_all, join3};
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    const BEAT: Duration = Duration::from_secs(1);

    /// What waits, how often was looked, and who works.
    #[derive(Default)]
    struct Work {
        wake: Notify,
        waiting: Cell<u32>,
        looks: Cell<u32>,
        rounds: Cell<u32>,
        at_work: Cell<u32>,
        most: Cell<u32>,
    }

    impl Work {
        async fn is_waiting(&self) -> Result<bool> {
            self.looks.set(self.looks.get() + 1);
            Ok(self.waiting.get() > 0)
        }

        /// Does one piece after the other, each of which takes ten minutes.
        async fn work(&self) -> Result<()> {
            self.rounds.set(self.rounds.get() + 1);
            while self.waiting.get() > 0 {
                self.waiting.set(self.waiting.get() - 1);
                self.wake.notify_one();
                self.at_work.set(self.at_work.get() + 1);
                self.most.set(self.most.get().max(self.at_work.get()));
                sleep(600 * BEAT).await;
                self.at_work.set(self.at_work.get() - 1);
            }
            Err(Error::new(Code::Unavailable, "a failure ends no worker"))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_look_serves_all_workers_and_wakes_as_many_as_there_is_work_for() {
        let work = Work::default();
        let workers = join_all((0..4).map(|_| woken(&work.wake, "trouble", || work.work())));
        let scene = async {
            sleep(10 * BEAT).await;
            assert!((9..=10).contains(&work.looks.get()) && work.rounds.get() == 0, "nothing waits, and one looks");
            work.waiting.set(1);
            sleep(2 * BEAT).await;
            work.waiting.set(2);
            sleep(2 * BEAT).await;
            assert_eq!((work.waiting.get(), work.at_work.get()), (0, 3), "who works long holds up nobody");
            let begun = Instant::now();
            work.waiting.set(9);
            while work.waiting.get() + work.at_work.get() > 0 {
                sleep(BEAT).await;
            }
            assert_eq!(work.most.get(), 4);
            assert!(begun.elapsed() < 1900 * BEAT, "four at a time");
        };
        let all = join3(look(BEAT, &work.wake, "trouble", || work.is_waiting()), workers, scene);
        assert!(timeout(10_000 * BEAT, all).await.is_err(), "workers go on for ever");
        assert!(work.rounds.get() > 4, "failures end no worker");
    }
}

//! What is being made ready for the index: policies that are compiled, lists that are read from far away. A round waits for
//! it for a moment only, so that what takes minutes for one MiniApp keeps no other one from being followed (F77).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};
use berth_check::{
    Members,
    judge::{Judge, JudgeSpec, Judges},
};
use berth_store::blob::Blobs;

use super::shelf::Shelf;

/// How long a round waits for what it has begun.
const READY: Duration = Duration::from_secs(1);

/// The policies and lists that are being made ready on this host.
#[derive(Default)]
pub struct Preparing {
    policies: Underway<JudgeSpec, Arc<dyn Judge>>,
    lists: Underway<Digest, Arc<Members>>,
}

impl Preparing {
    pub(super) fn begin_policy(&self, judges: &Arc<dyn Judges>, spec: &JudgeSpec) {
        let (judges, bound) = (judges.clone(), spec.clone());
        self.policies.begin(spec, async move { judges.prepare(&bound).await });
    }

    pub(super) async fn policy(&self, spec: &JudgeSpec) -> Result<Arc<dyn Judge>> {
        self.policies.fetch(spec).await
    }

    pub(super) fn begin_list(&self, shelf: &Arc<Shelf>, blobs: &Blobs, digest: &Digest) {
        let (shelf, blobs, list) = (shelf.clone(), blobs.clone(), digest.clone());
        self.lists.begin(digest, async move { shelf.members(&blobs, &list).await });
    }

    pub(super) async fn list(&self, digest: &Digest) -> Result<Arc<Members>> {
        self.lists.fetch(digest).await
    }

    /// Whether there is something to fetch that was not there in earlier rounds.
    pub(super) fn has_news(&self) -> bool {
        let (policies, lists) = (self.policies.has_news(), self.lists.has_news());
        policies || lists
    }
}

/// Work that goes on from round to round, each by what it is about.
struct Underway<K, T>(Mutex<Vec<Work<K, T>>>);

struct Work<K, T> {
    about: K,
    begun: Instant,
    made: JoinHandle<Result<T>>,
    /// Whether a round was told that it is done.
    is_told: bool,
}

impl<K, T> Default for Underway<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + PartialEq, T: Send + 'static> Underway<K, T> {
    /// Begins the work, unless it is under way.
    fn begin(&self, about: &K, work: impl Future<Output = Result<T>> + Send + 'static) {
        let mut all = self.lock();
        if all.iter().all(|one| one.about != *about) {
            let made = tokio::spawn(work);
            all.push(Work { about: about.clone(), begun: Instant::now(), made, is_told: false });
        }
    }

    /// What came of the work, when that is known a moment after it was begun; `unavailable` otherwise, and it goes on.
    async fn fetch(&self, about: &K) -> Result<T> {
        let Some(mut work) = self.take(about) else { return Err(not_yet()) };
        let made = timeout_at(work.begun + READY, &mut work.made).await;
        match made {
            Ok(made) => made.unwrap_or_else(|panic| Err(Error::internal(panic))),
            Err(_) => {
                self.lock().push(work);
                Err(not_yet())
            }
        }
    }

    /// Whether some of it is done. It is told once; what nobody fetches then is forgotten, as nobody needs it any more.
    fn has_news(&self) -> bool {
        let mut all = self.lock();
        all.retain(|one| !one.is_told);
        for one in all.iter_mut().filter(|one| one.made.is_finished()) {
            one.is_told = true;
        }
        all.iter().any(|one| one.is_told)
    }

    fn take(&self, about: &K) -> Option<Work<K, T>> {
        let mut all = self.lock();
        let at = all.iter().position(|one| one.about == *about)?;
        Some(all.swap_remove(at))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Work<K, T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_yet() -> Error {
    Error::new(Code::Unavailable, "It is being made ready on this host.")
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    type Texts = Underway<u8, &'static str>;

    #[tokio::test(start_paused = true)]
    async fn f77_what_takes_long_is_waited_for_once_and_goes_on() {
        let texts = Texts::default();
        texts.begin(&1, async {
            sleep(READY * 3).await;
            Ok("made")
        });
        let begun = Instant::now();
        assert!(texts.fetch(&1).await.is_err() && begun.elapsed() >= READY);
        texts.begin(&1, async { Ok("made anew") });
        assert!(texts.fetch(&1).await.is_err() && begun.elapsed() < READY * 2, "a later round does not wait again");
        assert!(!texts.has_news());
        sleep(READY * 3).await;
        assert!(texts.has_news());
        assert_eq!(texts.fetch(&1).await.ok(), Some("made"));
        assert!(!texts.has_news());
        assert!(texts.fetch(&1).await.is_err(), "it is fetched once");
    }

    #[tokio::test(start_paused = true)]
    async fn f77_what_nobody_fetches_is_news_once() {
        let texts = Texts::default();
        texts.begin(&1, async { Ok("made") });
        sleep(READY).await;
        assert!(texts.has_news());
        assert!(!texts.has_news());
        texts.begin(&1, async { Ok("made anew") });
        assert_eq!(texts.fetch(&1).await.ok(), Some("made anew"));
    }
}

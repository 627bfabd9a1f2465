//! Limits how often somebody may be wrong about a secret: an address about AppSecrets and codes (K9), an address and a sign-in
//! name about passwords (P4). Nobody finds a secret of 160 bits by trying; there, this keeps those who try from using up the
//! host, and shows them in the figures. A password may be found by trying, and here this is what makes it take for ever.
//!
//! Only what is wrong counts, so that the server of a busy MiniApp has no limit. Who was wrong too often is refused before the
//! next secret is looked at, and so cannot tell a right one either. About AppSecrets it is the address that is refused and not
//! the MiniApp: otherwise anybody could lock out the MiniApp's own server. About passwords it is the name, too: many addresses
//! together must not try a password as often as they like. That strangers can keep somebody from signing in for a while is the
//! lesser evil: sessions that are there go on.
//!
//! While a secret is looked at, it may turn out to be wrong. So of many at once no more are looked at than may be wrong, and
//! the others wait until that is known of one: who sends all tries at the same moment has no more of them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use governor::{
    clock::{Clock, Reference},
    nanos::Nanos,
};
use tokio::sync::Notify;

use super::{Limit, Rate, Reached};

/// Those who tried secrets lately.
pub(super) struct Tries<K: Eq + Hash + Clone, C: Clock> {
    /// The name of the limit in the figures.
    limit: &'static str,
    /// Whose tries they are, as a refusal says it.
    who: fn(&K) -> String,
    rate: Rate,
    clock: C,
    tried: Mutex<HashMap<K, Tried<C::Instant>>>,
    /// Tells those who wait that it is known of one secret more.
    known: Notify,
}

struct Tried<I> {
    /// When nothing that was wrong counts any more.
    clear_at: I,
    /// How many secrets are being looked at.
    looking: u32,
}

/// A secret that is being looked at. When it is dropped, it was not wrong.
pub(super) struct Try<'a, K: Eq + Hash + Clone, C: Clock> {
    tries: &'a Tries<K, C>,
    key: K,
    was_wrong: bool,
}

impl<K: Eq + Hash + Clone, C: Clock + Clone> Tries<K, C> {
    pub(super) fn new(limit: &'static str, who: fn(&K) -> String, rate: Limit, clock: &C) -> Option<Self> {
        let (tried, known) = (Mutex::default(), Notify::new());
        Some(Self { limit, who, rate: rate.0?, clock: clock.clone(), tried, known })
    }
}

impl<K: Eq + Hash + Clone, C: Clock> Tries<K, C> {
    fn tried(&self) -> MutexGuard<'_, HashMap<K, Tried<C::Instant>>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long one that was wrong counts.
    fn weight(&self) -> Nanos {
        (self.rate.time / self.rate.count.get()).into()
    }

    /// Begins to look at a secret of somebody, which may have to wait for others of theirs.
    ///
    /// # Errors
    /// When they were wrong too often.
    pub(super) async fn begin(&self, key: K) -> Result<Try<'_, K, C>, Reached> {
        loop {
            // Before it is seen whether to wait, so that nothing is missed in between.
            let known = self.known.notified();
            if self.has_begun(&key)? {
                return Ok(Try { tries: self, key, was_wrong: false });
            }
            known.await;
        }
    }

    /// Counts a secret that is looked at from now on; `false` when it has to wait for others.
    fn has_begun(&self, key: &K) -> Result<bool, Reached> {
        let (now, weight) = (self.clock.now(), self.weight());
        let mut all = self.tried();
        let tried = all.entry(key.clone()).or_insert(Tried { clear_at: now, looking: 0 });
        let clear_at = tried.clear_at.max(now) + weight * u64::from(tried.looking + 1);
        let latest = now + weight * u64::from(self.rate.count.get());
        if clear_at <= latest {
            tried.looking += 1;
            return Ok(true);
        }
        if tried.looking > 0 {
            return Ok(false);
        }
        let who = (self.who)(key);
        Err(Reached { limit: self.limit, who, rate: self.rate, wait: clear_at.duration_since(latest).into() })
    }

    fn end(&self, key: &K, was_wrong: bool) {
        let (now, weight) = (self.clock.now(), self.weight());
        let mut all = self.tried();
        let Some(tried) = all.get_mut(key) else { return };
        tried.looking -= 1;
        if was_wrong {
            tried.clear_at = tried.clear_at.max(now) + weight;
        }
        self.known.notify_waiters();
    }

    pub(super) fn sweep(&self) {
        let now = self.clock.now();
        self.tried().retain(|_, tried| tried.looking > 0 || tried.clear_at > now);
    }
}

impl<K: Eq + Hash + Clone, C: Clock> Try<'_, K, C> {
    /// The secret was wrong.
    pub(super) fn wrong(mut self) {
        self.was_wrong = true;
    }
}

impl<K: Eq + Hash + Clone, C: Clock> Drop for Try<'_, K, C> {
    fn drop(&mut self) {
        self.tries.end(&self.key, self.was_wrong);
    }
}

//! Limits how often somebody may be wrong about a secret: an address about AppSecrets and codes (K9), an address and a sign-in
//! name about passwords (P4). Nobody finds a secret of 160 bits by trying; there, this keeps those who try from using up the
//! host, and shows them in the figures. A password may be found by trying, and here this is what makes it take for ever.
//!
//! Only what is wrong counts, so that the server of a busy MiniApp has no limit. Who was wrong too often is refused before the
//! next secret is looked at, and so cannot tell a right one either. About AppSecrets it is the address that is refused and not
//! the MiniApp: otherwise anybody could lock out the MiniApp's own server. About passwords it is the name, too: many addresses
//! together must not try a password as often as they like. That strangers can keep somebody from signing in for a while is the
//! lesser evil: sessions that are there go on.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::clock::{Clock, Reference};

use super::{Buckets, Limit, Reached};

/// Those who were wrong lately.
pub(super) struct Tries<K: Eq + Hash + Clone, C: Clock> {
    /// The name of the limit in the figures.
    limit: &'static str,
    /// Whose tries they are, as a refusal says it.
    who: fn(&K) -> String,
    wrong: Buckets<K, C>,
    /// Those who were wrong too often, each with the time from which they may try again.
    shut: Mutex<HashMap<K, C::Instant>>,
}

impl<K: Eq + Hash + Clone, C: Clock + Clone> Tries<K, C> {
    pub(super) fn new(limit: &'static str, who: fn(&K) -> String, rate: Limit, clock: &C) -> Option<Self> {
        Some(Self { limit, who, wrong: Buckets::new(rate, clock)?, shut: Mutex::default() })
    }

    fn shut(&self) -> MutexGuard<'_, HashMap<K, C::Instant>> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> C::Instant {
        self.wrong.buckets.clock().now()
    }

    /// Refuses who was wrong too often.
    pub(super) fn may_try(&self, key: &K) -> Result<(), Reached> {
        let now = self.now();
        let until = self.shut().get(key).copied().filter(|until| *until > now);
        let Some(until) = until else { return Ok(()) };
        let wait = Duration::from(until.duration_since(now));
        Err(Reached { limit: self.limit, who: (self.who)(key), rate: self.wrong.rate, wait })
    }

    /// Counts that somebody was wrong.
    pub(super) fn was_wrong(&self, key: K) {
        if let Err(later) = self.wrong.buckets.check_key(&key) {
            self.shut().insert(key, later.earliest_possible());
        }
    }

    pub(super) fn sweep(&self) {
        let now = self.now();
        self.shut().retain(|_, until| *until > now);
        self.wrong.sweep();
    }
}

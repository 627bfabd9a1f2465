//! Limits how often an address may be wrong about a secret (K9). Nobody finds a secret of 160 bits by trying; this keeps
//! those who try from using up the host, and shows them in the figures.
//!
//! Only what is wrong counts, so that the server of a busy MiniApp has no limit. An address that was wrong too often is
//! refused before its next secret is looked at, so that it cannot tell a right one either. It is the address that is
//! refused and not the MiniApp: otherwise anybody could lock out the MiniApp's own server.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::clock::{Clock, Reference};

use super::{Buckets, Limit, Reached};

/// The addresses that were wrong lately.
pub(super) struct Tries<C: Clock> {
    wrong: Buckets<IpAddr, C>,
    /// Those that were wrong too often, each with the time from which it may try again.
    shut: Mutex<HashMap<IpAddr, C::Instant>>,
}

impl<C: Clock + Clone> Tries<C> {
    pub(super) fn new(limit: Limit, clock: &C) -> Option<Self> {
        Some(Self { wrong: Buckets::new(limit, clock)?, shut: Mutex::default() })
    }

    fn shut(&self) -> MutexGuard<'_, HashMap<IpAddr, C::Instant>> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> C::Instant {
        self.wrong.buckets.clock().now()
    }

    /// Refuses an address that was wrong too often.
    pub(super) fn may_try(&self, address: IpAddr) -> Result<(), Reached> {
        let now = self.now();
        let until = self.shut().get(&address).copied().filter(|until| *until > now);
        let Some(until) = until else { return Ok(()) };
        let (who, wait) = (format!("Wrong AppSecrets from {address}"), Duration::from(until.duration_since(now)));
        Err(Reached { limit: "secret", who, rate: self.wrong.rate, wait })
    }

    /// Counts that an address was wrong.
    pub(super) fn was_wrong(&self, address: IpAddr) {
        if let Err(later) = self.wrong.buckets.check_key(&address) {
            self.shut().insert(address, later.earliest_possible());
        }
    }

    pub(super) fn sweep(&self) {
        let now = self.now();
        self.shut().retain(|_, until| *until > now);
        self.wrong.sweep();
    }
}

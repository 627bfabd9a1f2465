//! Limits how often an address may be wrong about a secret (K9). Nobody finds a secret of 160 bits by trying; this keeps
//! those who try from using up the host, and shows them in the figures.
//!
//! Only what is wrong counts, so that the server of a busy MiniApp has no limit. An address that was wrong too often is
//! refused before its next secret is looked at, so that it cannot tell a right one either. It is the address that is
//! refused and not the MiniApp: otherwise anybody could lock out the MiniApp's own server.
//!
//! While a secret is looked at, it may turn out to be wrong. So of many at once no more are looked at than may be wrong, and
//! the others wait until that is known of one: who sends all tries at the same moment has no more of them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use governor::{
    clock::{Clock, Reference},
    nanos::Nanos,
};
use tokio::sync::Notify;

use super::{Limit, Rate, Reached};

/// The addresses that tried secrets lately.
pub(super) struct Tries<C: Clock> {
    rate: Rate,
    clock: C,
    addresses: Mutex<HashMap<IpAddr, Tried<C::Instant>>>,
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
pub(super) struct Try<'a, C: Clock> {
    tries: &'a Tries<C>,
    address: IpAddr,
    was_wrong: bool,
}

impl<C: Clock + Clone> Tries<C> {
    pub(super) fn new(limit: Limit, clock: &C) -> Option<Self> {
        Some(Self { rate: limit.0?, clock: clock.clone(), addresses: Mutex::default(), known: Notify::new() })
    }
}

impl<C: Clock> Tries<C> {
    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, Tried<C::Instant>>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long one that was wrong counts.
    fn weight(&self) -> Nanos {
        (self.rate.time / self.rate.count.get()).into()
    }

    /// Begins to look at a secret of an address, which may have to wait for others of the same address.
    ///
    /// # Errors
    /// When the address was wrong too often.
    pub(super) async fn begin(&self, address: IpAddr) -> Result<Try<'_, C>, Reached> {
        loop {
            // Before it is seen whether to wait, so that nothing is missed in between.
            let known = self.known.notified();
            if self.has_begun(address)? {
                return Ok(Try { tries: self, address, was_wrong: false });
            }
            known.await;
        }
    }

    /// Counts a secret that is looked at from now on; `false` when it has to wait for others.
    fn has_begun(&self, address: IpAddr) -> Result<bool, Reached> {
        let (now, weight) = (self.clock.now(), self.weight());
        let mut addresses = self.addresses();
        let tried = addresses.entry(address).or_insert(Tried { clear_at: now, looking: 0 });
        let clear_at = tried.clear_at.max(now) + weight * u64::from(tried.looking + 1);
        let latest = now + weight * u64::from(self.rate.count.get());
        if clear_at <= latest {
            tried.looking += 1;
            return Ok(true);
        }
        if tried.looking > 0 {
            return Ok(false);
        }
        let who = format!("Wrong AppSecrets from {address}");
        Err(Reached { limit: "secret", who, rate: self.rate, wait: clear_at.duration_since(latest).into() })
    }

    fn end(&self, address: IpAddr, was_wrong: bool) {
        let (now, weight) = (self.clock.now(), self.weight());
        let mut addresses = self.addresses();
        let Some(tried) = addresses.get_mut(&address) else { return };
        tried.looking -= 1;
        if was_wrong {
            tried.clear_at = tried.clear_at.max(now) + weight;
        }
        self.known.notify_waiters();
    }

    pub(super) fn sweep(&self) {
        let now = self.clock.now();
        self.addresses().retain(|_, tried| tried.looking > 0 || tried.clear_at > now);
    }
}

impl<C: Clock> Try<'_, C> {
    /// The secret was wrong.
    pub(super) fn wrong(mut self) {
        self.was_wrong = true;
    }
}

impl<C: Clock> Drop for Try<'_, C> {
    fn drop(&mut self) {
        self.tries.end(self.address, self.was_wrong);
    }
}

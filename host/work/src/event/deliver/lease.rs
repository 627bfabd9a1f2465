//! Leases: one host at a time delivers for a webhook, for as long as it keeps renewing its lease.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{dispatch::Dispatcher, hook::open_all};
use berth_base::{clock::Millis, error::Result, ids::WebhookId};
use berth_store::Lease;

/// How often leases are renewed.
const BEAT: Duration = Duration::from_secs(3);
/// How many seconds a lease lasts without being renewed, and so how long a webhook waits whose host was killed. Two
/// renewals may be missed.
const LASTS: i64 = 10;
/// How many seconds before the end of a lease its sends are aborted, so that the clocks of hosts need not agree
/// exactly.
const SPARE: i64 = 1;

/// The leases of this host, all of one age.
pub struct Leases {
    held: Option<Lease>,
    /// The moment, by a monotonic clock, at which sends are aborted.
    ends: watch::Sender<Instant>,
    renew_at: Option<Instant>,
    look_around: bool,
}

impl Default for Leases {
    fn default() -> Self {
        Self { held: None, ends: watch::Sender::new(Instant::now()), renew_at: None, look_around: false }
    }
}

impl Leases {
    /// Notes that there may be webhooks to claim: new, changed or free ones.
    pub(crate) fn look_around(&mut self) {
        self.look_around = true;
    }

    /// Forgets the leases, which cannot be relied on any more.
    pub fn lose(&mut self) {
        *self = Self::default();
    }

    /// Whether the leases last long enough for a send to begin.
    pub fn holds(&self, now: Millis) -> bool {
        self.held.as_ref().is_some_and(|lease| lease.has_left(SPARE, now)) && Instant::now() < *self.ends.borrow()
    }

    /// The permission for one send.
    pub fn leave(&self) -> Leave {
        Leave(self.ends.subscribe())
    }

    fn is_due(&self, now: Millis) -> bool {
        self.renew_at.is_none_or(|at| at <= Instant::now()) || !self.holds(now)
    }

    /// They last from `started` on.
    fn renewed(&mut self, lease: Lease, started: Instant) {
        self.held = Some(lease);
        self.renew_at = Some(started + BEAT);
        self.ends.send_replace(started + Duration::from_secs((LASTS - SPARE) as u64));
    }
}

/// The permission to send: it ends unless the leases are renewed, however long the receiver takes.
pub struct Leave(watch::Receiver<Instant>);

impl Leave {
    /// Runs a send. `None` when the permission ended before the send did.
    pub async fn keep<T>(mut self, send: impl Future<Output = T>) -> Option<T> {
        let mut send = std::pin::pin!(send);
        loop {
            let end = *self.0.borrow_and_update();
            tokio::select! {
                biased;
                done = &mut send => return Some(done),
                Ok(()) = self.0.changed() => {}
                () = sleep_until(end) => return None,
            }
        }
    }
}

impl Dispatcher {
    /// Renews the leases and claims free webhooks when it is time for it. Returns the webhooks that were claimed.
    pub(super) async fn keep_leases(&mut self) -> Result<Vec<WebhookId>> {
        let now = self.outbox.db.now();
        let beat = !self.is_writing() && self.leases.is_due(now);
        if !beat && !self.leases.look_around {
            return Ok(Vec::new());
        }
        if beat {
            self.renew().await?;
        }
        // What is being given back right now must be forgotten here before it can be taken again.
        if self.is_writing() {
            return Ok(Vec::new());
        }
        let opened = self.claim(now).await?;
        self.leases.look_around = false;
        Ok(opened)
    }

    async fn renew(&mut self) -> Result<()> {
        let (lease, started) = (Lease::of(&self.outbox.db, LASTS), Instant::now());
        if !self.hooks.is_empty() {
            let mut tx = self.outbox.db.begin().await?;
            let held: std::collections::HashSet<_> = tx.keep_webhooks(&lease).await?.into_iter().collect();
            // A lease without its webhook here is of no use to anybody.
            for id in held.iter().filter(|id| !self.hooks.contains_key(*id)) {
                tx.release_webhook(self.outbox.db.host(), id).await?;
            }
            tx.commit().await?;
            self.hooks.retain(|id, _| held.contains(id));
        }
        self.leases.renewed(lease, started);
        Ok(())
    }

    /// Claims the free webhooks, until the time at which the leases that are held already end.
    async fn claim(&mut self, now: Millis) -> Result<Vec<WebhookId>> {
        let Some(lease) = self.leases.held.as_ref().map(|held| held.joined_at(now)) else { return Ok(Vec::new()) };
        if !self.outbox.db.read().await?.webhooks_wait_for_a_host(now).await? {
            return Ok(Vec::new());
        }
        let mut tx = self.outbox.db.begin().await?;
        let claimed = tx.claim_webhooks(&lease).await?;
        tx.commit().await?;
        let opened = open_all(&self.outbox.db, claimed);
        let ids = opened.iter().map(|(id, _)| id.clone()).collect();
        self.hooks.extend(opened);
        self.look = true;
        Ok(ids)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn f96_a_send_ends_with_the_lease_and_goes_on_as_long_as_it_is_renewed() {
        let until = |seconds| Lease::at("host", Millis(0), seconds);
        let mut leases = Leases::default();
        assert!(!leases.holds(Millis(0)), "nobody has it yet");
        leases.renewed(until(10), Instant::now());
        assert!(leases.holds(Millis(8_999)) && !leases.holds(Millis(9_000)));
        let send = |seconds| tokio::spawn(leases.leave().keep(sleep(Duration::from_secs(seconds))));
        let (short, long, endless) = (send(8), send(15), send(1000));
        sleep(Duration::from_millis(8_500)).await;
        leases.renewed(until(18), Instant::now());
        assert_eq!((short.await.unwrap(), long.await.unwrap()), (Some(()), Some(())));
        assert_eq!(endless.await.unwrap(), None, "the second lease ended, and there was no third");
        assert!(!leases.holds(Millis(0)), "whatever the other clock says");
        leases.renewed(until(30), Instant::now());
        assert_eq!(leases.leave().keep(sleep(Duration::from_secs(1))).await, Some(()));
    }
}

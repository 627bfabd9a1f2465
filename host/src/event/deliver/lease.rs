//! Who delivers for a webhook: one host at a time, for as long as it says so again and again.

use std::time::Duration;

use super::{dispatch::Dispatcher, hook::open_all};
use crate::{clock::Millis, error::Result, ids::WebhookId};

/// How often leases are renewed.
const BEAT: i64 = 5;
/// A lease outlives the longest send by this many seconds, so that one missed beat loses nothing.
const SPARE: i64 = 12;

/// The leases of this host, all of one age.
#[derive(Default)]
pub struct Lease {
    until: Option<Millis>,
    renew_at: Option<Millis>,
    look_around: bool,
}

impl Lease {
    /// Webhooks may have come, changed or become free.
    pub fn look_around(&mut self) {
        self.look_around = true;
    }

    /// The leases cannot be relied on any more.
    pub fn lose(&mut self) {
        *self = Self::default();
    }

    /// Whether a send that begins now ends while the lease holds.
    pub fn covers(&self, now: Millis, patience: Duration) -> bool {
        self.until.is_some_and(|until| now.0.saturating_add(patience.as_millis() as i64) < until.0)
    }
}

impl Dispatcher {
    /// Renews the leases and takes free ones when it is time; answers the webhooks that were taken.
    pub(super) async fn keep_leases(&mut self) -> Result<Vec<WebhookId>> {
        let now = self.app.clock.now();
        let beat = !self.is_writing() && self.lease.renew_at.is_none_or(|at| at <= now);
        if !beat && !self.lease.look_around {
            return Ok(Vec::new());
        }
        let until = now.plus_seconds(SPARE + self.app.sender.patience().as_secs() as i64);
        if beat {
            self.renew(until).await?;
            self.lease.renew_at = Some(now.plus_seconds(BEAT));
        }
        // What is being given back right now must be forgotten here before it can be taken again.
        if self.is_writing() {
            return Ok(Vec::new());
        }
        self.lease.look_around = false;
        self.claim(now).await
    }

    async fn renew(&mut self, until: Millis) -> Result<()> {
        if !self.hooks.is_empty() {
            let mut tx = self.app.db.begin().await?;
            let held: std::collections::HashSet<_> =
                tx.renew_webhooks(&self.app.host_id, until).await?.into_iter().collect();
            // A lease without its webhook here is of no use to anybody.
            for id in held.iter().filter(|id| !self.hooks.contains_key(*id)) {
                tx.release_webhook(&self.app.host_id, id).await?;
            }
            tx.commit().await?;
            self.hooks.retain(|id, _| held.contains(id));
        }
        self.lease.until = Some(until);
        Ok(())
    }

    /// Takes what is free until the leases that are held already end.
    async fn claim(&mut self, now: Millis) -> Result<Vec<WebhookId>> {
        let Some(until) = self.lease.until else { return Ok(Vec::new()) };
        if !self.app.db.read().await?.webhooks_wait_for_a_host(now).await? {
            return Ok(Vec::new());
        }
        let mut tx = self.app.db.begin().await?;
        let claimed = tx.claim_webhooks(&self.app.host_id, now, until).await?;
        tx.commit().await?;
        let opened = open_all(&self.app, claimed);
        let ids = opened.iter().map(|(id, _)| id.clone()).collect();
        self.hooks.extend(opened);
        self.look = true;
        Ok(ids)
    }
}

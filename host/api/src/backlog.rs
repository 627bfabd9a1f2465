//! Figures about work that waits in the database, for `/metrics`. They take a query, which is made before the page is
//! written.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::figures::Page;
use berth_base::error::{Code, Error, Result};
use berth_store::Backlog;
use berth_work::{app::App, event::relay};

/// How long the query may take. The page comes without the figures when it takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the backlog and keeps it for the page. Cheap to clone.
#[derive(Clone)]
pub struct BacklogFigures {
    app: Arc<App>,
    seen: Arc<Mutex<Option<Backlog>>>,
}

impl fmt::Debug for BacklogFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BacklogFigures")
    }
}

impl BacklogFigures {
    /// Figures of the database of `app`.
    pub fn new(app: Arc<App>) -> Self {
        Self { app, seen: Arc::default() }
    }

    /// Reads the present backlog. If that fails, the failure is logged, and the page comes without these figures.
    pub async fn look(&self) {
        let read = async { self.app.db.read().await?.backlog(relay::NAME, self.app.db.now()).await };
        let read = tokio::time::timeout(PATIENCE, read).await;
        let read = read.unwrap_or_else(|_| Err(Error::new(Code::Unavailable, "The database did not answer in time.")));
        let seen = self.kept(read);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    fn kept(&self, read: Result<Backlog>) -> Option<Backlog> {
        let mut seen = read.inspect_err(|error| tracing::warn!(?error, "what waits could not be counted")).ok()?;
        // A relay that nobody runs any more is behind for ever, and that is no alarm.
        seen.relay_lag = seen.relay_lag.filter(|_| self.app.config.nats.nats_url.is_some());
        Some(seen)
    }
}

impl Collector for BacklogFigures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(seen) = *self.seen.lock().unwrap_or_else(PoisonError::into_inner) else { return Ok(()) };
        let mut page = Page(encoder);
        page.gauge(
            "webhook_deliveries_waiting",
            "Deliveries that failed and are tried again, or wait behind one",
            seen.waiting,
        )?;
        page.gauge("webhook_deliveries_dead", "Deliveries that were given up and can be replayed", seen.dead)?;
        page.gauge(
            "webhook_lag_events",
            "Events that the furthest-behind enabled webhook has before it",
            seen.webhook_lag,
        )?;
        page.gauge("audits_waiting", "Audits that no worker has taken up yet", seen.audits)?;
        page.gauge("audits_judging", "Audits whose policies are judging", seen.judging)?;
        page.gauge(
            "audits_oldest_waiting_seconds",
            "How long the oldest audit that no worker has taken up has waited",
            seen.oldest_audit.map_or(0, |at| self.app.db.now().0.saturating_sub(at.0) / 1000),
        )?;
        page.gauge("fulfilments_parked", "Fulfilment messages that are parked", seen.parked)?;
        match seen.relay_lag {
            Some(lag) => page.gauge("nats_lag_events", "Events that are not yet published to NATS", lag),
            None => Ok(()),
        }
    }
}

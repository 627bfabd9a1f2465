//! Figures about work that waits in the database.

use super::{Tx, fetch};
use berth_base::{clock::Millis, error::Result};

/// How much work waits in the database at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Backlog {
    /// Deliveries to webhooks that wait for their next attempt or behind another delivery.
    pub waiting: i64,
    /// Deliveries to webhooks that were given up.
    pub dead: i64,
    /// Events that the enabled webhook that is furthest behind has not yet looked at.
    pub webhook_lag: i64,
    /// Events that the relay has not yet published; `None` when it has never run.
    pub relay_lag: Option<i64>,
    /// Fulfilment messages that are parked.
    pub parked: i64,
    /// Audits whose policies have not judged and that no worker is at.
    pub audits: i64,
    /// When the oldest of these was submitted; `None` when there is none.
    pub oldest_audit: Option<Millis>,
    /// Audits that a worker is at.
    pub judging: i64,
}

impl Tx {
    /// The backlog at a moment; `relay` is the name of the relay to report on.
    pub async fn backlog(&mut self, relay: &str, now: Millis) -> Result<Backlog> {
        Ok(fetch!(
            self,
            fetch_one,
            Backlog,
            "SELECT
                (SELECT COUNT(*) FROM webhook_delivery WHERE state = 'waiting') AS waiting,
                (SELECT COUNT(*) FROM webhook_delivery WHERE state = 'dead') AS dead,
                h.last - COALESCE((SELECT MIN(c.seq) FROM webhook_cursor c JOIN webhook w ON w.id = c.webhook_id
                                   WHERE w.enabled), h.last) AS webhook_lag,
                h.last - (SELECT seq FROM event_relay WHERE name = $1) AS relay_lag,
                (SELECT COUNT(*) FROM fulfilment WHERE state = 'parked') AS parked,
                (SELECT COUNT(*) FROM audit WHERE state = 'checking'
                    AND (COALESCE(lease_owner, '') = '' OR lease_until <= $2)) AS audits,
                (SELECT MIN(created_at) FROM audit WHERE state = 'checking'
                    AND (COALESCE(lease_owner, '') = '' OR lease_until <= $2)) AS oldest_audit,
                (SELECT COUNT(*) FROM audit WHERE lease_owner <> '' AND lease_until > $2) AS judging
             FROM event_head h WHERE h.id = 1",
            relay,
            now
        )?)
    }
}

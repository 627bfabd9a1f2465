//! The event log: one row for every change, numbered without gaps in the order of commits.

use serde_json::Value;
use sqlx::types::Json;

use super::{Tx, execute, execute_built, fetch};
use crate::{
    clock::Millis,
    error::Result,
    event::EventQuery,
    ids::{EventId, HostAppId, MerchantId, MiniAppId},
};

/// An event that is about to happen.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Unique for ever.
    pub id: EventId,
    /// `version.published`, `gray_task.suspended` …; see `event::Kind`.
    pub kind: &'static str,
    /// The id of the entity that changed; events of one subject are delivered in order.
    pub subject: String,
    /// The MiniApp whose answers may change.
    pub mini_app: Option<MiniAppId>,
    /// The host app whose answers may change.
    pub host_app: Option<HostAppId>,
    /// The merchant whose endpoint applications may change.
    pub merchant: Option<MerchantId>,
    /// Who did it: an account, or `berth` itself.
    pub actor: String,
    /// When.
    pub at: Millis,
    /// What changed, as documented for the kind.
    pub data: Value,
}

/// An event that happened.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are those of NewEvent, and its number")]
pub struct EventRow {
    pub seq: i64,
    pub id: EventId,
    #[sqlx(rename = "type")]
    pub kind: String,
    pub subject: String,
    pub mini_app_id: Option<MiniAppId>,
    pub host_app_id: Option<HostAppId>,
    pub merchant_id: Option<MerchantId>,
    pub actor: String,
    pub at: Millis,
    pub data: Json<Value>,
}

/// An event's number and time.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are those of EventRow")]
pub struct EventAge {
    pub seq: i64,
    pub at: Millis,
}

/// Events in one statement: their values stay far below what the databases bind.
const ROWS: usize = 500;

impl Tx {
    pub(super) async fn write_events(&mut self, events: Vec<NewEvent>) -> Result<()> {
        let count = events.len() as i64;
        let (last,): (i64,) = fetch!(
            self,
            fetch_one,
            (i64,),
            "UPDATE event_head SET last = last + $1 WHERE id = 1 RETURNING last",
            count
        )?;
        // Whoever commits waits for this row of event_head, so as few round trips as can be.
        let numbered: Vec<_> = (last - count + 1..=last).zip(events).collect();
        for rows in numbered.chunks(ROWS) {
            self.insert_events(rows).await?;
        }
        Ok(())
    }

    async fn insert_events(&mut self, rows: &[(i64, NewEvent)]) -> Result<()> {
        execute_built!(self, |q| {
            q.push(
                "INSERT INTO event (seq, id, type, subject, mini_app_id, host_app_id, merchant_id, actor, at, data) ",
            );
            q.push_values(rows, |mut row, (seq, event)| {
                row.push_bind(seq).push_bind(&event.id).push_bind(event.kind).push_bind(&event.subject);
                row.push_bind(&event.mini_app).push_bind(&event.host_app).push_bind(&event.merchant);
                row.push_bind(&event.actor).push_bind(event.at).push_bind(Json(&event.data));
            });
        })?;
        Ok(())
    }

    /// Holds the head of the events: until this transaction ends, no other that emits can commit. For what must be done
    /// once in an installation; nothing else may be held after it.
    pub async fn hold_events(&mut self) -> Result<()> {
        execute!(self, "UPDATE event_head SET last = last WHERE id = 1")?;
        Ok(())
    }

    /// The number of the last event.
    pub async fn last_event(&mut self) -> Result<i64> {
        let (last,) = fetch!(self, fetch_one, (i64,), "SELECT last FROM event_head WHERE id = 1")?;
        Ok(last)
    }

    /// The number of the oldest event that is kept; of the next one when there is none.
    pub async fn oldest_event(&mut self) -> Result<i64> {
        let (oldest,) = fetch!(
            self,
            fetch_one,
            (i64,),
            "SELECT COALESCE((SELECT MIN(seq) FROM event), last + 1) FROM event_head WHERE id = 1"
        )?;
        Ok(oldest)
    }

    /// The oldest events, at most `limit`.
    pub(crate) async fn oldest_events(&mut self, limit: i64) -> Result<Vec<EventAge>> {
        Ok(fetch!(self, fetch_all, EventAge, "SELECT seq, at FROM event ORDER BY seq LIMIT $1", limit)?)
    }

    /// Forgets the events up to `seq`, and deliveries of them; how many events that were.
    pub(crate) async fn forget_events(&mut self, seq: i64) -> Result<u64> {
        execute!(self, "DELETE FROM webhook_delivery WHERE seq <= $1", seq)?;
        Ok(execute!(self, "DELETE FROM event WHERE seq <= $1", seq)?)
    }

    /// The events after `seq`, oldest first, at most `limit`.
    pub async fn events_after(&mut self, seq: i64, limit: i64) -> Result<Vec<EventRow>> {
        Ok(fetch!(self, fetch_all, EventRow, "SELECT * FROM event WHERE seq > $1 ORDER BY seq LIMIT $2", seq, limit)?)
    }

    /// The events that a query asks for, oldest first.
    pub async fn events_of(&mut self, query: &EventQuery) -> Result<Vec<EventRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            EventRow,
            "SELECT * FROM event WHERE seq > $1 AND ($2 IS NULL OR mini_app_id = $2) AND ($3 IS NULL OR host_app_id = $3)
             AND ($4 IS NULL OR merchant_id = $4) ORDER BY seq LIMIT $5",
            query.after,
            query.mini_app.clone(),
            query.host_app.clone(),
            query.merchant.clone(),
            query.limit.unwrap_or(100).clamp(1, 1000)
        )?)
    }
}

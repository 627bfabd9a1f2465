//! The event log: one row for every change, numbered without gaps in the order of commits.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sqlx::types::Json;

use super::{Tx, execute, execute_built, fetch, fetch_built, push_if};
use crate::{
    clock::Millis,
    error::Result,
    event::{EventQuery, Kind},
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
    pub data: Box<RawValue>,
}

impl NewEvent {
    /// What happened to `subject`, done by `actor`.
    pub fn new<T: Serialize>(id: EventId, at: Millis, kind: Kind<T>, subject: String, actor: String, data: &T) -> Self {
        let data = to_raw_value(data).unwrap_or_else(|error| untold(kind.name(), &error));
        Self { id, kind: kind.name(), subject, mini_app: None, host_app: None, merchant: None, actor, at, data }
    }

    /// The answers for this MiniApp may change.
    pub fn for_mini_app(&mut self, id: &MiniAppId) -> &mut Self {
        self.mini_app = Some(id.clone());
        self
    }

    /// The answers for this host app may change.
    pub fn for_host_app(&mut self, id: &HostAppId) -> &mut Self {
        self.host_app = Some(id.clone());
        self
    }

    /// The endpoint applications of this merchant may change.
    pub fn for_merchant(&mut self, id: &MerchantId) -> &mut Self {
        self.merchant = Some(id.clone());
        self
    }
}

/// Data that cannot be JSON is a defect of ours; it is no reason to refuse the change.
fn untold(kind: &str, error: &serde_json::Error) -> Box<RawValue> {
    tracing::error!(kind, %error, "an event is told without its data");
    RawValue::NULL.to_owned()
}

/// An event that happened. Its data is carried as the text that it is: whatever it holds, however deep, reading it cannot
/// fail and so cannot stop those who read the log.
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
    pub data: Json<Box<RawValue>>,
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

/// Only what is asked for becomes a condition, so that its index is used.
macro_rules! ask_for_events {
    ($tx:expr, $row:ty, $select:literal, $query:expr) => {
        fetch_built!($tx, $row, |q| {
            q.push(concat!($select, " FROM event WHERE seq > ")).push_bind($query.after);
            push_if!(q, $query.mini_app.as_ref(), " AND mini_app_id = ", "");
            push_if!(q, $query.host_app.as_ref(), " AND host_app_id = ", "");
            push_if!(q, $query.merchant.as_ref(), " AND merchant_id = ", "");
            q.push(" ORDER BY seq LIMIT ").push_bind($query.limit());
        })
    };
}

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
        Ok(ask_for_events!(self, EventRow, "SELECT *", query)?)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::{store::Backend, testing::host};

    /// How SQLite finds the rows.
    async fn plan(tx: &mut Tx, query: &EventQuery) -> String {
        type Step = (i64, i64, i64, String);
        let steps = ask_for_events!(tx, Step, "EXPLAIN QUERY PLAN SELECT *", query).unwrap();
        steps.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn the_events_of_one_thing_are_found_by_its_index() {
        let host = host().await;
        if !matches!(host.app.db.backend(), Backend::Sqlite { .. }) {
            return; // PostgreSQL plans by what is in the tables
        }
        let mut tx = host.app.db.read().await.unwrap();
        let asked = |json| serde_json::from_value::<EventQuery>(json).unwrap();
        let cases = [
            (serde_json::json!({"mini_app": "shop"}), "event_mini_app (mini_app_id=? AND seq>?)"),
            (serde_json::json!({"host_app": "mall"}), "event_host_app (host_app_id=? AND seq>?)"),
            (serde_json::json!({"merchant": "bos-coffee"}), "event_merchant (merchant_id=? AND seq>?)"),
            (serde_json::json!({}), "sqlite_autoindex_event_1 (seq>?)"),
        ];
        for (query, index) in cases {
            let plan = plan(&mut tx, &asked(query)).await;
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

//! The event log: one row for each change, numbered without gaps in the order of commits.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sqlx::types::Json;

use super::{Tx, execute, execute_built, fetch, fetch_built, push_if};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{ActId, EventId, HostAppId, MerchantId, MiniAppId, WorkspaceId},
};
use berth_model::{
    act::Concern,
    event::{Event, EventQuery, Kind},
};

/// An event of a transaction that has not been committed yet.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Id of the event.
    pub id: EventId,
    /// Kind of the event, such as `version.published` or `gray_task.suspended`; see `event::Kind`.
    pub kind: &'static str,
    /// Id of the thing that changed. Events with the same subject are delivered in order.
    pub subject: String,
    /// The MiniApp for which the answers to checks may change.
    pub mini_app: Option<MiniAppId>,
    /// The host app for which the answers to checks may change.
    pub host_app: Option<HostAppId>,
    /// The merchant whose endpoint applications may change.
    pub merchant: Option<MerchantId>,
    /// The workspace that may have changed.
    pub workspace: Option<WorkspaceId>,
    /// Who made the change: an account, or `berth` for the host itself.
    pub actor: String,
    /// When the change was made.
    pub at: Millis,
    /// Details of the change, with the fields that are documented for the kind.
    pub data: Box<RawValue>,
    /// What the details would have been before the change.
    pub was: Option<Box<RawValue>>,
}

impl NewEvent {
    /// An event that says that `actor` did what `kind` says to `subject`.
    pub fn new<T: Serialize>(id: EventId, at: Millis, kind: Kind<T>, subject: String, actor: String, data: &T) -> Self {
        let data = to_raw_value(data).unwrap_or_else(|error| untold(kind.name(), &error));
        let (mini_app, host_app, merchant, workspace) = (None, None, None, None);
        Self { id, kind: kind.name(), subject, mini_app, host_app, merchant, workspace, actor, at, data, was: None }
    }

    /// Says what the details would have been before the change, if there was anything.
    pub fn was<T: Serialize>(&mut self, before: Option<&T>) -> &mut Self {
        self.was = before.and_then(|before| to_raw_value(before).ok());
        self
    }

    /// What it says of where it belongs.
    pub(crate) fn concern(&self) -> Concern<'_> {
        Concern {
            kind: self.kind,
            subject: &self.subject,
            mini_app: self.mini_app.as_ref(),
            host_app: self.host_app.as_ref(),
            merchant: self.merchant.as_ref(),
            workspace: self.workspace.as_ref(),
            data: &self.data,
        }
    }

    /// Marks the answers for this MiniApp as possibly changed.
    pub fn for_mini_app(&mut self, id: &MiniAppId) -> &mut Self {
        self.mini_app = Some(id.clone());
        self
    }

    /// Marks the answers for this host app as possibly changed.
    pub fn for_host_app(&mut self, id: &HostAppId) -> &mut Self {
        self.host_app = Some(id.clone());
        self
    }

    /// Marks the endpoint applications of this merchant as possibly changed.
    pub fn for_merchant(&mut self, id: &MerchantId) -> &mut Self {
        self.merchant = Some(id.clone());
        self
    }

    /// Marks the workspace as possibly changed.
    pub fn for_workspace(&mut self, id: &WorkspaceId) -> &mut Self {
        self.workspace = Some(id.clone());
        self
    }
}

/// Logs that data could not be serialized, and returns `null` instead. This is a defect in Berth, and no reason to
/// refuse the change.
fn untold(kind: &str, error: &serde_json::Error) -> Box<RawValue> {
    tracing::error!(kind, %error, "an event is told without its data");
    RawValue::NULL.to_owned()
}

/// An event as it is stored. Its data stays unparsed text, so that reading it cannot fail, however deep it is, and
/// cannot stop those who read the log.
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
    pub workspace_id: Option<WorkspaceId>,
    pub actor: String,
    pub act_id: Option<ActId>,
    pub at: Millis,
    pub data: Json<Box<RawValue>>,
    pub was: Option<Json<Box<RawValue>>>,
}

/// Number and time of an event.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are those of EventRow")]
pub struct EventAge {
    pub seq: i64,
    pub at: Millis,
}

/// How many events one statement inserts at most; the databases limit the number of bound values.
const ROWS: usize = 500;

/// Selects events; only conditions that `$query` has become part of the statement, so that the database uses their
/// indexes.
macro_rules! ask_for_events {
    ($tx:expr, $row:ty, $select:literal, $query:expr) => {
        fetch_built!($tx, $row, |q| {
            q.push(concat!($select, " FROM event WHERE seq > ")).push_bind($query.after);
            push_if!(q, $query.mini_app.as_ref(), " AND mini_app_id = ", "");
            push_if!(q, $query.host_app.as_ref(), " AND host_app_id = ", "");
            push_if!(q, $query.merchant.as_ref(), " AND merchant_id = ", "");
            push_if!(q, $query.workspace.as_ref(), " AND workspace_id = ", "");
            push_if!(q, $query.below(), " AND seq < ", "");
            q.push(if $query.before.is_some() { " ORDER BY seq DESC" } else { " ORDER BY seq" });
            q.push(" LIMIT ").push_bind($query.limit());
        })
    };
}

impl Tx {
    pub(crate) async fn write_events(&mut self, events: Vec<NewEvent>, act: Option<&ActId>) -> Result<()> {
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
            self.insert_events(rows, act).await?;
        }
        Ok(())
    }

    async fn insert_events(&mut self, rows: &[(i64, NewEvent)], act: Option<&ActId>) -> Result<()> {
        execute_built!(self, |q| {
            q.push(
                "INSERT INTO event (seq, id, type, subject, mini_app_id, host_app_id, merchant_id, workspace_id, actor,
                    act_id, at, data, was) ",
            );
            q.push_values(rows, |mut row, (seq, event)| {
                row.push_bind(seq).push_bind(&event.id).push_bind(event.kind).push_bind(&event.subject);
                row.push_bind(&event.mini_app).push_bind(&event.host_app).push_bind(&event.merchant);
                row.push_bind(&event.workspace);
                row.push_bind(&event.actor)
                    .push_bind(act)
                    .push_bind(event.at)
                    .push_bind(Json(&event.data))
                    .push_bind(event.was.as_ref().map(Json));
            });
        })?;
        Ok(())
    }

    /// Locks the head of the event log: no other transaction that emits events can commit until this one ends. For what
    /// must happen only once in an installation. To avoid deadlocks, lock nothing else afterwards.
    pub async fn hold_events(&mut self) -> Result<()> {
        execute!(self, "UPDATE event_head SET last = last WHERE id = 1")?;
        Ok(())
    }

    /// Number of the last event; 0 when there was none.
    pub async fn last_event(&mut self) -> Result<i64> {
        let (last,) = fetch!(self, fetch_one, (i64,), "SELECT last FROM event_head WHERE id = 1")?;
        Ok(last)
    }

    /// Number of the oldest event that is kept, or of the next one when none is kept.
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
    pub async fn oldest_events(&mut self, limit: i64) -> Result<Vec<EventAge>> {
        Ok(fetch!(self, fetch_all, EventAge, "SELECT seq, at FROM event ORDER BY seq LIMIT $1", limit)?)
    }

    /// Deletes the events up to number `seq` and their deliveries. Returns the number of deleted events.
    pub async fn forget_events(&mut self, seq: i64) -> Result<u64> {
        execute!(self, "DELETE FROM webhook_delivery WHERE seq <= $1", seq)?;
        Ok(execute!(self, "DELETE FROM event WHERE seq <= $1", seq)?)
    }

    /// The events after number `seq`, oldest first, at most `limit`.
    pub async fn events_after(&mut self, seq: i64, limit: i64) -> Result<Vec<EventRow>> {
        Ok(fetch!(self, fetch_all, EventRow, "SELECT * FROM event WHERE seq > $1 ORDER BY seq LIMIT $2", seq, limit)?)
    }

    /// The events that `query` selects, in its order.
    pub async fn events_of(&mut self, query: &EventQuery) -> Result<Vec<EventRow>> {
        Ok(ask_for_events!(self, EventRow, "SELECT *", query)?)
    }
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            seq: row.seq,
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            mini_app: row.mini_app_id,
            host_app: row.host_app_id,
            merchant: row.merchant_id,
            workspace: row.workspace_id,
            actor: row.actor,
            act: row.act_id,
            at: row.at,
            data: row.data.0,
            before: row.was.map(|was| was.0),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::Backend;
    use crate::testing::fresh;

    /// The query plan of SQLite for the query.
    async fn plan(tx: &mut Tx, query: &EventQuery) -> String {
        type PlanRow = (i64, i64, i64, String);
        let steps = ask_for_events!(tx, PlanRow, "EXPLAIN QUERY PLAN SELECT *", query).unwrap();
        steps.into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn the_events_of_one_thing_are_found_by_its_index() {
        let fresh = fresh().await;
        if !matches!(fresh.db.backend(), Backend::Sqlite { .. }) {
            return; // PostgreSQL plans by what is in the tables
        }
        let mut tx = fresh.db.read().await.unwrap();
        let asked = |json| serde_json::from_value::<EventQuery>(json).unwrap();
        let cases = [
            (serde_json::json!({"mini_app": "shop"}), "event_mini_app (mini_app_id=? AND seq>?)"),
            (serde_json::json!({"host_app": "mall"}), "event_host_app (host_app_id=? AND seq>?)"),
            (serde_json::json!({"merchant": "bos-coffee"}), "event_merchant (merchant_id=? AND seq>?)"),
            (serde_json::json!({"workspace": "ws-1"}), "event_workspace (workspace_id=? AND seq>?)"),
            (serde_json::json!({}), "sqlite_autoindex_event_1 (seq>?)"),
            (
                serde_json::json!({"mini_app": "shop", "before": 0}),
                "event_mini_app (mini_app_id=? AND seq>? AND seq<?)",
            ),
        ];
        for (query, index) in cases {
            let plan = plan(&mut tx, &asked(query)).await;
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

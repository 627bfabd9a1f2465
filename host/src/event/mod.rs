//! Events: what happened, written in the transaction in which it happened (I6).

pub mod catalogue;
pub mod cloud;
mod data;
pub mod deliver;
pub mod outbox;
pub mod relay;
pub mod retain;
pub mod stream;
pub mod webhook;

pub use catalogue::{EventType, EventTypeView, Kind, kind};
pub use data::{
    AuditChecked, AuditClosed, AuditDecided, GrayMoved, MemberGranted, MemberRemoved, Nothing, OfVersion,
    PolicyReplaced, Submitted, Unbound,
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    access::{Action, Caller, Scope},
    clock::Millis,
    error::{Code, Error, Result},
    ids::{EventId, HostAppId, MerchantId, MiniAppId},
    mini_app,
    store::{Db, EventRow, Tx},
};

/// The actor of what Berth does by itself, such as ending a task by the clock.
pub const BERTH: &str = "berth";

/// An event: something that happened on the host.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Event {
    /// Its number: 1, 2, 3 … in the order of commits, without gaps.
    pub seq: i64,
    /// Its id, unique for ever.
    pub id: EventId,
    /// What happened, such as `version.published`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the object that it happened to.
    pub subject: String,
    /// The MiniApp that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_app: Option<MiniAppId>,
    /// The host app that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_app: Option<HostAppId>,
    /// The merchant that it concerns; absent when it concerns none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// The account that did it; `berth` when the host did it by itself.
    pub actor: String,
    /// When it happened.
    pub at: Millis,
    /// What changed. Each type of event has a schema of its own.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
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
            actor: row.actor,
            at: row.at,
            data: row.data.0,
        }
    }
}

/// Which events to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only those of this MiniApp.
    #[serde(default)]
    pub mini_app: Option<MiniAppId>,
    /// Only those of this host app.
    #[serde(default)]
    pub host_app: Option<HostAppId>,
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those after this number: the `last` of the page before. 0 begins with the oldest that is kept.
    #[serde(default)]
    pub after: i64,
    /// How many events a page has at most, 1 to 1,000; 100 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

impl EventQuery {
    /// How many events a page has at most.
    pub(crate) fn limit(&self) -> i64 {
        self.limit.unwrap_or(100).clamp(1, 1000)
    }
}

/// A page of events, oldest first.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EventPage {
    /// The events of the page.
    pub items: Vec<Event>,
    /// The `after` of the next page. When the page is not full it is the number of the host's last event, whatever that
    /// is about, so that a client that asks now and then gets only what is new.
    pub last: i64,
}

/// One page of the events that the caller may read.
///
/// # Errors
/// `not-found` or `missing-grant` when the caller may not read what the query asks for; `events-gone` when some events
/// after `after` are not kept any more.
pub async fn list(db: &Db, caller: &Caller, query: &EventQuery) -> Result<EventPage> {
    let mut tx = db.read().await?;
    may_list(&mut tx, caller, query).await?;
    require_kept(&mut tx, query.after).await?;
    let rows = tx.events_of(query).await?;
    let last = read_to(query, &rows, tx.last_event().await?);
    Ok(EventPage { items: rows.into_iter().map(Event::from).collect(), last })
}

/// The number up to which a page covers the log, whose last event in the same snapshot is `last`. A page that is not
/// full covers all of it.
fn read_to(query: &EventQuery, rows: &[EventRow], last: i64) -> i64 {
    let full = rows.len() as i64 == query.limit();
    rows.last().filter(|_| full).map_or(last.max(query.after), |row| row.seq)
}

/// Refuses a query for events that the caller may not read.
async fn may_list(tx: &mut Tx, caller: &Caller, query: &EventQuery) -> Result<()> {
    match (&query.mini_app, &query.host_app, &query.merchant) {
        (Some(id), ..) => mini_app::authorise(tx, caller, id, Action::Read).await.map(drop),
        (None, Some(id), _) => may_read(caller, &Scope::HostApp(id.clone())),
        (None, None, Some(id)) => may_read(caller, &Scope::Merchant(id.clone())),
        (None, None, None) => caller.require(Action::Read, &Scope::Platform),
    }
}

/// Refuses to go on after an event when some that follow it are forgotten: whoever follows the log would miss them
/// without noticing. After 0 means from the oldest on.
async fn require_kept(tx: &mut Tx, after: i64) -> Result<()> {
    if after <= 0 {
        return Ok(());
    }
    let oldest = tx.oldest_event().await?;
    if after >= oldest - 1 {
        return Ok(());
    }
    let detail = format!(
        "The oldest event that is kept is {oldest}. Read what you follow anew, then go on after {}; 0 begins with the oldest.",
        oldest - 1
    );
    Err(Error::new(Code::EventsGone, detail).with("oldest", oldest))
}

fn may_read(caller: &Caller, scope: &Scope) -> Result<()> {
    if !caller.knows(scope) {
        return Err(Error::not_found(scope.kind().in_words(), scope.id()));
    }
    caller.require(Action::Read, scope)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;

//! Events: what happened, told in the transaction in which it happened (I6).

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

/// What Berth calls itself where it acts by its own: a task that ends by the clock.
pub const BERTH: &str = "berth";

/// Something that happened.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Event {
    /// 1, 2, 3 … in the order of commits, without gaps.
    pub seq: i64,
    /// Unique for ever.
    pub id: EventId,
    /// What happened: `version.published`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// The MiniApp that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_app: Option<MiniAppId>,
    /// The host app that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_app: Option<HostAppId>,
    /// The merchant that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// Who did it; `berth` when the host did.
    pub actor: String,
    /// When.
    pub at: Millis,
    /// What changed.
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

/// Which events are wanted.
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
    /// Only those after this number; the `last` of the page before.
    #[serde(default)]
    pub after: i64,
    /// Events at the most, 1 to 1,000; 100 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

impl EventQuery {
    /// Events at the most.
    pub(crate) fn limit(&self) -> i64 {
        self.limit.unwrap_or(100).clamp(1, 1000)
    }
}

/// Events, oldest first.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EventPage {
    /// The events.
    pub items: Vec<Event>,
    /// Send it as `after` to get what follows. Behind a page that is not full it is the last event of the host, whatever that
    /// was about, so that whoever asks now and then asks for what is new only.
    pub last: i64,
}

/// What happened, for those who may know.
pub async fn list(db: &Db, caller: &Caller, query: &EventQuery) -> Result<EventPage> {
    let mut tx = db.read().await?;
    may_list(&mut tx, caller, query).await?;
    require_kept(&mut tx, query.after).await?;
    let rows = tx.events_of(query).await?;
    let last = read_to(query, &rows, tx.last_event().await?);
    Ok(EventPage { items: rows.into_iter().map(Event::from).collect(), last })
}

/// The number up to which the log was read, whose last event is `last` in the same snapshot: what is not among the rows of a
/// page that is not full, and not behind them, is not asked for.
fn read_to(query: &EventQuery, rows: &[EventRow], last: i64) -> i64 {
    let full = rows.len() as i64 == query.limit();
    rows.last().filter(|_| full).map_or(last.max(query.after), |row| row.seq)
}

/// Refuses unless the caller may read what the query asks for.
async fn may_list(tx: &mut Tx, caller: &Caller, query: &EventQuery) -> Result<()> {
    match (&query.mini_app, &query.host_app, &query.merchant) {
        (Some(id), ..) => mini_app::authorise(tx, caller, id, Action::Read).await.map(drop),
        (None, Some(id), _) => may_read(caller, &Scope::HostApp(id.clone())),
        (None, None, Some(id)) => may_read(caller, &Scope::Merchant(id.clone())),
        (None, None, None) => caller.require(Action::Read, &Scope::Platform),
    }
}

/// Refuses to go on after an event behind which some are forgotten: whoever follows the log would miss them unawares.
/// After 0 means from the oldest on.
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

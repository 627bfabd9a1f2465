//! Events: what happened, written in the transaction in which it happened (I6).

pub mod cloud;
pub mod deliver;
pub mod outbox;
pub mod relay;
pub mod retain;
pub mod stream;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;
pub mod webhook;

pub use berth_model::event::*;

use berth_base::error::{Code, Error, Result};
use berth_model::access::{Action, Caller, Scope};
use berth_store::{Db, EventRow, Tx};

use crate::mini_app;

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
/// full covers all of it; of the newest events, 0 stands for all that is kept.
fn read_to(query: &EventQuery, rows: &[EventRow], last: i64) -> i64 {
    let full = rows.len() as i64 == query.limit();
    if query.before.is_some() {
        return rows.last().filter(|_| full).map_or(0, |row| row.seq);
    }
    rows.last().filter(|_| full).map_or(last.max(query.after), |row| row.seq)
}

/// Refuses a query for events that the caller may not read.
async fn may_list(tx: &mut Tx, caller: &Caller, query: &EventQuery) -> Result<()> {
    match (&query.mini_app, &query.host_app, &query.merchant, &query.workspace) {
        (Some(id), ..) => mini_app::authorise(tx, caller, id, Action::Read).await.map(drop),
        (None, Some(id), ..) => may_read(caller, &Scope::HostApp(id.clone())),
        (None, None, Some(id), _) => may_read(caller, &Scope::Merchant(id.clone())),
        (None, None, None, Some(id)) => may_read(caller, &Scope::Workspace(id.clone())),
        (None, None, None, None) => caller.require(Action::Read, &Scope::Platform),
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

//! The event log as an endless stream: each event as it is committed, for callers who may read it.

pub use berth_model::event::stream::*;

use std::{collections::VecDeque, sync::Arc};

use berth_base::error::Result;
use berth_model::{
    access::Caller,
    event::{Event, EventQuery},
};
use futures_util::Stream;

use super::{may_list, read_to, require_kept};
use crate::{
    access,
    event::{outbox::Outbox, webhook},
    stream::{self, Source},
};

/// How many events are read at a time.
const BATCH: i64 = 200;

/// An item of a stream: an event, or the number up to which there was none.
pub type Item = stream::Item<Event, i64>;

/// Opens a stream of events. It ends when the caller may not read it any more, and when the host stops.
///
/// # Errors
/// Those of [`super::list`], `invalid-field` for an unknown type, `too-many-requests` when too many streams are open,
/// of the account or in all.
pub async fn open(outbox: Arc<Outbox>, caller: Caller, query: StreamQuery) -> Result<impl Stream<Item = Item> + use<>> {
    let list = |types: &String| types.split(',').map(|one| one.trim().to_owned()).collect();
    let types = webhook::check_types(query.types.as_ref().map(list).unwrap_or_default())?;
    let StreamQuery { mini_app, host_app, merchant, workspace, after, .. } = query;
    let mut tx = outbox.db.read().await?;
    let after = match after {
        Some(after) => after,
        None => tx.last_event().await?,
    };
    let query = EventQuery { mini_app, host_app, merchant, workspace, after, before: None, limit: Some(BATCH) };
    may_list(&mut tx, &caller, &query).await?;
    require_kept(&mut tx, after).await?;
    drop(tx);
    let account = caller.account.clone();
    outbox.clone().streams.open(&account, Events { outbox, caller, query, types })
}

struct Events {
    outbox: Arc<Outbox>,
    caller: Caller,
    query: EventQuery,
    types: Vec<String>,
}

impl Source for Events {
    type Entry = Event;
    type Position = i64;

    fn position(&self) -> i64 {
        self.query.after
    }

    async fn read(&mut self, found: &mut VecDeque<Event>) -> Result<bool> {
        let mut tx = self.outbox.db.read().await?;
        let last = tx.last_event().await?;
        if last <= self.query.after {
            return Ok(false);
        }
        let rows = tx.events_of(&self.query).await?;
        let full = rows.len() as i64 == BATCH;
        self.query.after = read_to(&self.query, &rows, last);
        let wanted = rows.into_iter().filter(|row| webhook::wants(&self.types, &row.kind));
        found.extend(wanted.map(Event::from));
        Ok(full)
    }

    fn news(&self) -> impl Future<Output = ()> + Send + use<> {
        self.outbox.db.next_events()
    }

    async fn look_again(&mut self) -> Result<()> {
        self.caller = access::look_again(&self.outbox.db, &self.caller).await?;
        may_list(&mut self.outbox.db.read().await?, &self.caller, &self.query).await
    }
}

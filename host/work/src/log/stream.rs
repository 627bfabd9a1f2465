//! Entries as they arrive, for callers who may read them.

use std::{collections::VecDeque, sync::Arc};

use berth_base::error::Result;
use berth_model::{
    access::Caller,
    log::{Filter, LogEntry, LogId, LogStreamQuery},
};
use berth_store::Db;
use futures_util::Stream;

use super::{Logs, read::may_read};
use crate::{
    access,
    stream::{self, Source, Streams},
};

/// How many entries are read at a time.
const BATCH: usize = 200;

/// An item of a stream: an entry, or the one up to which there was none.
pub type Item = stream::Item<LogEntry, LogId>;

/// Opens a stream of entries. It ends when the caller may not read them any more, and when the host stops. It takes a
/// place among the streams of events.
///
/// # Errors
/// As for [`super::list`]; `too-many-requests` when too many streams are open, of the account or in all.
pub async fn open(
    db: Db,
    logs: Arc<Logs>,
    streams: &Streams,
    caller: Caller,
    query: &LogStreamQuery,
) -> Result<impl Stream<Item = Item> + use<>> {
    let filter = query.filter()?;
    may_read(&db, &caller, &filter).await?;
    let after = match query.after {
        Some(after) => after,
        None => logs.store.last().await?,
    };
    let account = caller.account.clone();
    streams.open(&account, Entries { db, logs, caller, filter, after })
}

struct Entries {
    db: Db,
    logs: Arc<Logs>,
    caller: Caller,
    filter: Filter,
    after: LogId,
}

impl Source for Entries {
    type Entry = LogEntry;
    type Position = LogId;

    fn position(&self) -> LogId {
        self.after
    }

    async fn read(&mut self, found: &mut VecDeque<LogEntry>) -> Result<bool> {
        let read = self.logs.store.follow(&self.filter, self.after, BATCH).await?;
        self.after = read.looked_to;
        found.extend(read.entries.into_iter().map(|entry| entry.seen_by(&self.caller)));
        Ok(!read.is_all)
    }

    fn news(&self) -> impl Future<Output = ()> + Send + use<> {
        self.logs.arrived.clone().notified_owned()
    }

    async fn look_again(&mut self) -> Result<()> {
        self.caller = access::look_again(&self.db, &self.caller).await?;
        may_read(&self.db, &self.caller, &self.filter).await
    }
}

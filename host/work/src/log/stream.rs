//! Entries as they arrive, for callers who may read them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use berth_base::error::Result;
use berth_model::{
    access::Caller,
    log::{Filter, LogEntry, LogId, LogStreamQuery},
};
use berth_store::Db;
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{Logs, read::may_read};
use crate::{access, event::stream::Streams};

/// The time after which a heartbeat is sent when nothing arrives. The caller's access is checked again then, too.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The longest time until entries that another host took in are seen; the host's own are seen at once.
const PULSE: Duration = Duration::from_millis(500);
/// How many entries are read at a time.
const BATCH: usize = 200;

/// An item of a stream.
pub enum Item {
    /// An entry arrived.
    Entry(Box<LogEntry>),
    /// No entry that belongs into the stream arrived up to this one.
    Heartbeat(LogId),
}

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
    let (place, ended) = streams.open(&caller.account)?;
    let heartbeat = Instant::now() + HEARTBEAT;
    let follower = Follower { db, logs, caller, filter, after, found: VecDeque::new(), heartbeat, ended };
    // At once, so that whoever is cut off before anything arrives knows where to go on, too.
    let first = stream::iter([Item::Heartbeat(after)]);
    let items = stream::unfold((follower, place), async |(mut follower, place)| {
        follower.next().await.map(|item| (item, (follower, place)))
    });
    Ok(first.chain(items))
}

struct Follower {
    db: Db,
    logs: Arc<Logs>,
    caller: Caller,
    filter: Filter,
    after: LogId,
    found: VecDeque<LogEntry>,
    heartbeat: Instant,
    ended: watch::Receiver<bool>,
}

impl Follower {
    async fn next(&mut self) -> Option<Item> {
        loop {
            if *self.ended.borrow() {
                return None;
            }
            if Instant::now() >= self.heartbeat {
                self.heartbeat = Instant::now() + HEARTBEAT;
                self.look_again().await.ok()?;
                if self.found.is_empty() {
                    return Some(Item::Heartbeat(self.after));
                }
            }
            if let Some(entry) = self.found.pop_front() {
                return Some(Item::Entry(Box::new(entry)));
            }
            let arrived = self.logs.arrived.clone().notified_owned();
            let read = self.logs.store.follow(&self.filter, self.after, BATCH).await;
            // The client comes again and goes on where it was.
            let read = read.inspect_err(|error| tracing::warn!(?error, "a stream of logs broke off")).ok()?;
            self.after = read.looked_to;
            self.found.extend(read.entries);
            if !self.found.is_empty() {
                // What arrived after the token was revoked is not for its holder (F84).
                self.look_again().await.ok()?;
            } else if read.is_all {
                tokio::select! {
                    _ = timeout(PULSE, arrived) => {}
                    () = sleep_until(self.heartbeat) => {}
                    _ = self.ended.wait_for(|ended| *ended) => {}
                }
            }
        }
    }

    /// Checks that the caller may still read.
    async fn look_again(&mut self) -> Result<()> {
        self.caller = access::look_again(&self.db, &self.caller).await?;
        may_read(&self.db, &self.caller, &self.filter).await
    }
}

//! The event log as an endless stream: each event as it is committed, for callers who may read it.

pub use berth_model::event::stream::*;

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_base::{
    error::{Code, Error, Result},
    ids::UserId,
};
use berth_model::{
    access::Caller,
    event::{Event, EventQuery},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{may_list, read_to, require_kept};
use crate::{
    access,
    event::{outbox::Outbox, webhook},
};

/// How many streams may be open at a time.
const MOST: usize = 256;

/// How many streams of one account may be open at a time, so that nobody takes all places (F77).
const MOST_OF_ONE: usize = 16;

/// The time after which a heartbeat is sent when nothing happens. The caller's access is checked again then, too.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The longest time until events of another host are seen; the host's own are seen at once.
const PULSE: Duration = Duration::from_millis(500);

/// How many events are read at a time.
const BATCH: i64 = 200;

/// An item of a stream.
pub enum Item {
    /// An event happened.
    Event(Box<Event>),
    /// No event that belongs into the stream happened up to this number.
    Heartbeat(i64),
}

/// The open streams of a host.
pub struct Streams {
    places: Arc<Mutex<Places>>,
    ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Places {
    taken: usize,
    of: HashMap<UserId, usize>,
}

/// A place of an account, given back when it is dropped.
#[derive(Debug)]
struct Place {
    places: Arc<Mutex<Places>>,
    account: UserId,
}

impl Default for Streams {
    fn default() -> Self {
        Self { places: Arc::default(), ended: watch::Sender::new(false) }
    }
}

impl Streams {
    /// Ends all streams, and later ones as soon as they are opened, as the host is stopping.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Takes a place for a stream of an account, and tells when all streams must end.
    ///
    /// # Errors
    /// `too-many-requests` when too many are open, of the account or in all.
    pub(crate) fn open(&self, account: &UserId) -> Result<(impl Send + use<>, watch::Receiver<bool>)> {
        Ok((self.enter(account)?, self.ended.subscribe()))
    }

    fn enter(&self, account: &UserId) -> Result<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let own = places.of.get(account).copied().unwrap_or_default();
        if own >= MOST_OF_ONE {
            return Err(full(format!("The account has {own} streams open. Close one of them.")));
        }
        if places.taken >= MOST {
            return Err(full(format!(
                "{MOST} streams are open. Ask GET /v1/events instead, or try again in a moment."
            )));
        }
        places.taken += 1;
        places.of.insert(account.clone(), own + 1);
        Ok(Place { places: self.places.clone(), account: account.clone() })
    }
}

fn full(detail: String) -> Error {
    Error::new(Code::TooManyRequests, detail).with("retry_after_seconds", 10)
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.taken -= 1;
        if let Entry::Occupied(mut own) = places.of.entry(self.account.clone()) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

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
    let query = EventQuery { mini_app, host_app, merchant, workspace, after, limit: Some(BATCH) };
    may_list(&mut tx, &caller, &query).await?;
    require_kept(&mut tx, after).await?;
    drop(tx);
    let (place, ended) = (outbox.streams.enter(&caller.account)?, outbox.streams.ended.subscribe());
    let follower = Follower {
        outbox,
        caller,
        query,
        types,
        found: VecDeque::new(),
        heartbeat: Instant::now() + HEARTBEAT,
        ended,
        _place: place,
    };
    // At once, so that whoever is cut off before anything happens knows where to go on, too.
    let first = stream::iter([Item::Heartbeat(after)]);
    let items = stream::unfold(follower, async |mut follower| follower.next().await.map(|item| (item, follower)));
    Ok(first.chain(items))
}

struct Follower {
    outbox: Arc<Outbox>,
    caller: Caller,
    query: EventQuery,
    types: Vec<String>,
    found: VecDeque<Event>,
    heartbeat: Instant,
    ended: watch::Receiver<bool>,
    _place: Place,
}

impl Follower {
    async fn next(&mut self) -> Option<Item> {
        loop {
            if Instant::now() >= self.heartbeat {
                self.heartbeat = Instant::now() + HEARTBEAT;
                self.look_again().await.ok()?;
                return Some(Item::Heartbeat(self.told_up_to()));
            }
            if *self.ended.borrow() {
                return None;
            }
            if let Some(event) = self.found.pop_front() {
                return Some(Item::Event(Box::new(event)));
            }
            let told = self.outbox.db.next_events();
            // The client comes again and goes on where it was.
            let more = self.read().await.inspect_err(|error| tracing::warn!(?error, "a stream broke off")).ok()?;
            if !self.found.is_empty() {
                // What was committed after the token was revoked is not for its holder (F84).
                self.look_again().await.ok()?;
            } else if !more {
                self.wait(told).await;
            }
        }
    }

    /// The number up to which the stream has told every event that belongs into it.
    fn told_up_to(&self) -> i64 {
        self.found.front().map_or(self.query.after, |event| event.seq - 1)
    }

    /// Reads new events. True when there may be more.
    async fn read(&mut self) -> Result<bool> {
        let mut tx = self.outbox.db.read().await?;
        let last = tx.last_event().await?;
        if last <= self.query.after {
            return Ok(false);
        }
        let rows = tx.events_of(&self.query).await?;
        let full = rows.len() as i64 == BATCH;
        self.query.after = read_to(&self.query, &rows, last);
        let wanted = rows.into_iter().filter(|row| webhook::wants(&self.types, &row.kind));
        self.found.extend(wanted.map(Event::from));
        Ok(full)
    }

    async fn wait(&mut self, told: impl Future<Output = ()>) {
        tokio::select! {
            _ = timeout(PULSE, told) => {}
            () = sleep_until(self.heartbeat) => {}
            _ = self.ended.wait_for(|ended| *ended) => {}
        }
    }

    /// Checks that the caller may still read: meanwhile the token may have been revoked, or a role taken away.
    async fn look_again(&mut self) -> Result<()> {
        self.caller = access::look_again(&self.outbox.db, &self.caller).await?;
        may_list(&mut self.outbox.db.read().await?, &self.caller, &self.query).await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn f77_one_account_cannot_take_the_streams_of_all() {
        let streams = Streams::default();
        let account = |number: usize| format!("usr_{number:026}").parse::<UserId>().unwrap();
        let mut own: Vec<_> = (0..MOST_OF_ONE).map(|_| streams.enter(&account(0)).unwrap()).collect();
        let refused = streams.enter(&account(0)).unwrap_err();
        assert_eq!(refused.code, Code::TooManyRequests);
        assert!(refused.detail.contains("16 streams open"), "{}", refused.detail);
        let others: Vec<_> = (MOST_OF_ONE..MOST).map(|number| streams.enter(&account(number)).unwrap()).collect();
        assert!(streams.enter(&account(MOST)).unwrap_err().detail.contains("256"), "all are taken");
        own.pop();
        drop(streams.enter(&account(0)).unwrap());
        drop((own, others));
        assert!(streams.places.lock().unwrap().of.is_empty());
    }
}

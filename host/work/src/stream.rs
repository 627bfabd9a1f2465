//! A log that grows, as an endless stream: each entry as it comes, for a caller who may read it, with heartbeats between.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use berth_base::{
    error::{Code, Error, Result},
    ids::UserId,
};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// How many streams may be open at a time.
const MOST: usize = 256;

/// How many streams of one account may be open at a time, so that nobody takes all places (F77).
const MOST_OF_ONE: usize = 16;

/// The time after which a heartbeat is sent when nothing happens. The caller's access is checked again then, too.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The longest time until what another host has written is seen; what this one writes is seen at once.
const PULSE: Duration = Duration::from_millis(500);

/// An item of a stream.
pub enum Item<E, P> {
    /// An entry of the log.
    Entry(Box<E>),
    /// No entry that belongs into the stream came up to this position.
    Heartbeat(P),
}

/// A log, as a caller may read it from a position onwards.
pub(crate) trait Source: Send {
    /// What the log consists of.
    type Entry: Send;
    /// A place in the log.
    type Position: Send;

    /// The place up to which the log was read.
    fn position(&self) -> Self::Position;

    /// Reads on and adds what belongs into the stream to `found`. True when there may be more.
    fn read(&mut self, found: &mut VecDeque<Self::Entry>) -> impl Future<Output = Result<bool>> + Send;

    /// Ends when this host writes to the log; what is written after this call counts.
    fn news(&self) -> impl Future<Output = ()> + Send + use<Self>;

    /// Refuses when the caller may not read any more: meanwhile the token may have been revoked, or a role taken away.
    fn look_again(&mut self) -> impl Future<Output = Result<()>> + Send;
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

    /// Opens a stream for an account. It ends when the source refuses, and when the host stops.
    ///
    /// # Errors
    /// `too-many-requests` when too many are open, of the account or in all.
    pub(crate) fn open<S: Source>(
        &self,
        account: &UserId,
        source: S,
    ) -> Result<impl Stream<Item = Item<S::Entry, S::Position>> + use<S>> {
        let (place, ended) = (self.enter(account)?, self.ended.subscribe());
        // At once, so that whoever is cut off before anything happens knows where to go on, too.
        let first = stream::iter([Item::Heartbeat(source.position())]);
        let heartbeat = Instant::now() + HEARTBEAT;
        let reader = Reader { source, found: VecDeque::new(), heartbeat, ended, _place: place };
        Ok(first.chain(stream::unfold(reader, async |mut reader| reader.next().await.map(|item| (item, reader)))))
    }

    fn enter(&self, account: &UserId) -> Result<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let own = places.of.get(account).copied().unwrap_or_default();
        if own >= MOST_OF_ONE {
            return Err(full(format!("The account has {own} streams open. Close one of them.")));
        }
        if places.taken >= MOST {
            return Err(full(format!("{MOST} streams are open. Ask for pages instead, or try again in a moment.")));
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

struct Reader<S: Source> {
    source: S,
    found: VecDeque<S::Entry>,
    heartbeat: Instant,
    ended: watch::Receiver<bool>,
    _place: Place,
}

impl<S: Source> Reader<S> {
    async fn next(&mut self) -> Option<Item<S::Entry, S::Position>> {
        loop {
            if *self.ended.borrow() {
                return None;
            }
            if Instant::now() >= self.heartbeat {
                self.heartbeat = Instant::now() + HEARTBEAT;
                self.source.look_again().await.ok()?;
                if self.found.is_empty() {
                    return Some(Item::Heartbeat(self.source.position()));
                }
            }
            if let Some(entry) = self.found.pop_front() {
                return Some(Item::Entry(Box::new(entry)));
            }
            let news = self.source.news();
            // The client comes again and goes on where it was.
            let read = self.source.read(&mut self.found).await;
            let more = read.inspect_err(|error| tracing::warn!(?error, "a stream broke off")).ok()?;
            if !self.found.is_empty() {
                // What came after the token was revoked is not for its holder (F84).
                self.source.look_again().await.ok()?;
            } else if !more {
                self.wait(news).await;
            }
        }
    }

    async fn wait(&mut self, news: impl Future<Output = ()>) {
        tokio::select! {
            _ = timeout(PULSE, news) => {}
            () = sleep_until(self.heartbeat) => {}
            _ = self.ended.wait_for(|ended| *ended) => {}
        }
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

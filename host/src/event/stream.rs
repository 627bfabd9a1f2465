//! The event log as a stream that goes on: each event as it is committed, for those who may read it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep_until, timeout},
};

use super::{Event, EventQuery, may_list, require_kept, webhook};
use crate::{
    access::{self, Caller},
    app::App,
    error::{Code, Error, Result},
    ids::{HostAppId, MerchantId, MiniAppId},
};

/// Streams at a time.
const MOST: usize = 256;
/// A sign of life when nothing happens; then the token is looked at, too.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Another host's event is seen after so long at the latest; our own at once.
const PULSE: Duration = Duration::from_millis(500);
/// Events that are read at a time.
const BATCH: i64 = 200;

/// Which events are wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Only those of this MiniApp.
    #[serde(default)]
    pub mini_app: Option<MiniAppId>,
    /// Only those of this host app.
    #[serde(default)]
    pub host_app: Option<HostAppId>,
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those of these types, separated by commas, exact or with a star: `version.*,binding.created`.
    #[serde(default)]
    pub types: Option<String>,
    /// Only those after this number; the last one when absent, so that the stream begins with what happens next. The header
    /// `Last-Event-ID` counts before it.
    #[serde(default)]
    pub after: Option<i64>,
}

/// What a stream brings.
pub enum Item {
    /// Something happened.
    Event(Box<Event>),
    /// Nothing did.
    Heartbeat,
}

/// The streams of a host.
pub struct Streams {
    places: Arc<Semaphore>,
    ended: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), ended: watch::Sender::new(false) }
    }
}

impl Streams {
    /// Ends all of them, and every later one at once: the host stops.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            let detail = format!("{MOST} streams are open. Ask GET /v1/events instead, or try again in a moment.");
            Error::new(Code::TooManyRequests, detail).with("retry_after_seconds", 10)
        })
    }
}

/// Follows the log. The stream ends when the caller may not read it any more, and when the host stops.
///
/// # Errors
/// Those of [`super::list`], `invalid-field` for an unknown type, `too-many-requests` when too many streams are open.
pub async fn open(app: Arc<App>, caller: Caller, query: StreamQuery) -> Result<impl Stream<Item = Item> + use<>> {
    let list = |types: &String| types.split(',').map(|one| one.trim().to_owned()).collect();
    let types = webhook::check_types(query.types.as_ref().map(list).unwrap_or_default())?;
    let StreamQuery { mini_app, host_app, merchant, after, .. } = query;
    let mut tx = app.db.read().await?;
    let after = match after {
        Some(after) => after,
        None => tx.last_event().await?,
    };
    let query = EventQuery { mini_app, host_app, merchant, after, limit: Some(BATCH) };
    may_list(&mut tx, &caller, &query).await?;
    require_kept(&mut tx, after).await?;
    drop(tx);
    let (place, ended) = (app.streams.enter()?, app.streams.ended.subscribe());
    let follower = Follower {
        app,
        caller,
        query,
        types,
        found: VecDeque::new(),
        heartbeat: Instant::now() + HEARTBEAT,
        ended,
        _place: place,
    };
    Ok(stream::unfold(follower, async |mut follower| follower.next().await.map(|item| (item, follower))))
}

struct Follower {
    app: Arc<App>,
    caller: Caller,
    query: EventQuery,
    types: Vec<String>,
    found: VecDeque<Event>,
    heartbeat: Instant,
    ended: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    async fn next(&mut self) -> Option<Item> {
        loop {
            if Instant::now() >= self.heartbeat {
                self.heartbeat = Instant::now() + HEARTBEAT;
                self.look_again().await.ok()?;
                return Some(Item::Heartbeat);
            }
            if *self.ended.borrow() {
                return None;
            }
            if let Some(event) = self.found.pop_front() {
                return Some(Item::Event(Box::new(event)));
            }
            let told = self.app.db.next_events();
            // The client comes again and goes on where it was.
            let more = self.read().await.inspect_err(|error| tracing::warn!(?error, "a stream broke off")).ok()?;
            if self.found.is_empty() && !more {
                self.wait(told).await;
            }
        }
    }

    /// Reads what is new; whether there may be more.
    async fn read(&mut self) -> Result<bool> {
        let mut tx = self.app.db.read().await?;
        let last = tx.last_event().await?;
        if last <= self.query.after {
            return Ok(false);
        }
        let rows = tx.events_of(&self.query).await?;
        let full = rows.len() as i64 == BATCH;
        // One snapshot: what is not among the rows and not after them does not concern this stream.
        self.query.after = rows.last().filter(|_| full).map_or(last, |row| row.seq);
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

    /// Whether the caller may still read: the token can be revoked, a role taken.
    async fn look_again(&mut self) -> Result<()> {
        self.caller = access::look_again(&self.app, &self.caller).await?;
        may_list(&mut self.app.db.read().await?, &self.caller, &self.query).await
    }
}

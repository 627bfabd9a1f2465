//! The newest events of the log, read once and shared by all webhooks of the host.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

use super::{plan::Told, send::Message};
use berth_base::{error::Result, ids::TeamId};
use berth_model::{access::Scope, event::kind};
use berth_store::{EventRow, ToldRow, Tx};

use crate::event::cloud;

/// How many events are read at a time.
const BATCH: i64 = 500;
/// How many events are kept in memory for webhooks that are a little behind.
const KEPT: usize = 2000;

/// An event that was read, and its message once it was made.
pub(crate) struct Prepared {
    /// The event as it is stored.
    pub row: EventRow,
    team: Option<TeamId>,
    body: OnceLock<Bytes>,
}

impl Told for Arc<Prepared> {
    fn seq(&self) -> i64 {
        self.row.seq
    }

    fn subject(&self) -> &str {
        &self.row.subject
    }
}

impl Prepared {
    fn of(ToldRow { event, team_id }: ToldRow) -> Arc<Self> {
        Arc::new(Self { row: event, team: team_id, body: OnceLock::new() })
    }

    /// Whether the members of `scope` may read the event.
    pub(crate) fn is_told_to(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Platform => true,
            Scope::Team(id) => self.team.as_ref() == Some(id),
            Scope::HostApp(id) => self.row.host_app_id.as_ref() == Some(id),
            Scope::Merchant(id) => self.row.merchant_id.as_ref() == Some(id),
            Scope::Workspace(id) => self.row.workspace_id.as_ref() == Some(id),
        }
    }

    /// The message that all receivers get. It is made at the first call only, as no webhook wants most events.
    pub fn message(&self, public_url: Option<&str>) -> Result<Message> {
        let body = match self.body.get() {
            Some(body) => body.clone(),
            None => {
                let body = cloud::envelope(&self.row, public_url).document()?;
                self.body.get_or_init(|| body).clone()
            }
        };
        Ok(Message { id: self.row.id.to_string(), body })
    }
}

/// Consecutive events of the log.
pub struct Batch {
    /// The number before that of the first event.
    pub after: i64,
    /// The number of the last event; `after` when there are none.
    pub last: i64,
    /// The events, oldest first.
    pub events: Vec<Arc<Prepared>>,
}

impl Batch {
    /// Reads the events that follow `after`, up to a fixed number.
    pub async fn read(tx: &mut Tx, after: i64) -> Result<Self> {
        let rows = tx.told_after(after, BATCH).await?;
        let events: Vec<_> = rows.into_iter().map(Prepared::of).collect();
        Ok(Self { after, last: events.last().map_or(after, Told::seq), events })
    }

    /// Whether there may be more events after it.
    pub fn is_full(&self) -> bool {
        self.events.len() as i64 == BATCH
    }
}

/// The newest events that were read, without gaps.
pub(crate) struct Recent {
    after: i64,
    events: VecDeque<Arc<Prepared>>,
}

impl Recent {
    /// No events yet; the first one is to be the one after `after`.
    pub fn new(after: i64) -> Self {
        Self { after, events: VecDeque::new() }
    }

    /// The number of the newest event.
    pub fn head(&self) -> i64 {
        self.events.back().map_or(self.after, Told::seq)
    }

    /// Adds the events that follow the newest one, and drops the oldest ones when there are too many. When a user was
    /// erased, earlier events are not what they were: they are read anew where they are still wanted (D13).
    pub fn extend(&mut self, batch: Batch) {
        if batch.events.iter().any(|event| event.row.kind == kind::USER_ERASED.name()) {
            (self.after, self.events) = (batch.after, VecDeque::new());
        }
        self.events.extend(batch.events);
        while self.events.len() > KEPT {
            self.after = self.events.pop_front().map_or(self.after, |event| event.seq());
        }
    }

    /// Whether all events after `seq` are in memory.
    pub fn reaches(&self, seq: i64) -> bool {
        seq >= self.after
    }

    /// The events in memory after `seq`.
    pub fn following(&mut self, seq: i64) -> &[Arc<Prepared>] {
        let events = &*self.events.make_contiguous();
        &events[events.partition_point(|event| event.seq() <= seq)..]
    }
}

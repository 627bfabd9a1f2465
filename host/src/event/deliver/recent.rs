//! The events that were read last, read once and shared by all webhooks.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{plan::Told, send::Message};
use crate::{
    access::Scope,
    error::Result,
    event::cloud,
    ids::TeamId,
    store::{EventRow, ToldRow, Tx},
};

/// Events that are read at a time.
const BATCH: i64 = 500;
/// Events that are kept at hand for webhooks that are a little behind.
const KEPT: usize = 2000;

/// An event, ready to be sent.
pub struct Prepared {
    /// The event.
    pub row: EventRow,
    team: Option<TeamId>,
    body: Bytes,
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
    /// Makes the envelope.
    pub fn of(ToldRow { event, team_id }: ToldRow, public_url: Option<&str>) -> Arc<Self> {
        let body = cloud::envelope(&event, public_url).to_string().into();
        Arc::new(Self { row: event, team: team_id, body })
    }

    /// Whether the members of `scope` may read it.
    pub fn is_told_to(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Platform => true,
            Scope::Team(id) => self.team.as_ref() == Some(id),
            Scope::HostApp(id) => self.row.host_app_id.as_ref() == Some(id),
            Scope::Merchant(id) => self.row.merchant_id.as_ref() == Some(id),
        }
    }

    /// The message to every receiver.
    pub fn message(&self) -> Message {
        Message { id: self.row.id.to_string(), body: self.body.clone() }
    }
}

/// All events from one number to another.
pub struct Batch {
    /// The number before the first.
    pub after: i64,
    /// The number of the last.
    pub last: i64,
    /// The events, oldest first.
    pub events: Vec<Arc<Prepared>>,
}

impl Batch {
    /// Reads what follows `after`.
    pub async fn read(tx: &mut Tx, after: i64, public_url: Option<&str>) -> Result<Self> {
        let rows = tx.told_after(after, BATCH).await?;
        let events: Vec<_> = rows.into_iter().map(|row| Prepared::of(row, public_url)).collect();
        Ok(Self { after, last: events.last().map_or(after, Told::seq), events })
    }

    /// Whether there may be more behind it.
    pub fn is_full(&self) -> bool {
        self.events.len() as i64 == BATCH
    }
}

/// The newest events that were read, without a gap.
pub struct Recent {
    after: i64,
    events: VecDeque<Arc<Prepared>>,
}

impl Recent {
    /// Begins after an event.
    pub fn new(after: i64) -> Self {
        Self { after, events: VecDeque::new() }
    }

    /// The number of the newest.
    pub fn head(&self) -> i64 {
        self.events.back().map_or(self.after, Told::seq)
    }

    /// Adds what follows the head.
    pub fn extend(&mut self, batch: Batch) {
        self.events.extend(batch.events);
        while self.events.len() > KEPT {
            self.after = self.events.pop_front().map_or(self.after, |event| event.seq());
        }
    }

    /// Whether everything after `seq` is at hand.
    pub fn reaches(&self, seq: i64) -> bool {
        seq >= self.after
    }

    /// What follows `seq` of what is at hand.
    pub fn following(&mut self, seq: i64) -> &[Arc<Prepared>] {
        let events = &*self.events.make_contiguous();
        &events[events.partition_point(|event| event.seq() <= seq)..]
    }
}

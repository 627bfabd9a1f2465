//! The events that were read last, read once and shared by all webhooks.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

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

/// An event that was read, and its message when somebody wanted it.
pub struct Prepared {
    /// The event.
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

    /// Whether the members of `scope` may read it.
    pub fn is_told_to(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Platform => true,
            Scope::Team(id) => self.team.as_ref() == Some(id),
            Scope::HostApp(id) => self.row.host_app_id.as_ref() == Some(id),
            Scope::Merchant(id) => self.row.merchant_id.as_ref() == Some(id),
        }
    }

    /// The message to every receiver, made once: most events of a host are wanted by nobody.
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
    pub async fn read(tx: &mut Tx, after: i64) -> Result<Self> {
        let rows = tx.told_after(after, BATCH).await?;
        let events: Vec<_> = rows.into_iter().map(Prepared::of).collect();
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

//! What carries events out of the host.

use super::deliver::{Sender, WebhookConfig};
use berth_base::error::Result;
use berth_store::Db;

use crate::{nats::NatsConfig, outbound::Guard, stream::Streams};

/// Carries events to webhooks, streams and NATS.
pub struct Outbox {
    /// The database, with the events and how far each receiver is.
    pub db: Db,
    /// Sends messages to webhooks.
    pub sender: Sender,
    /// The open streams, of events and of logs.
    pub streams: Streams,
    /// How many messages to webhooks may be under way.
    pub sends: usize,
    /// The address at which others reach this host: events name it as their source.
    pub public_url: Option<String>,
    /// The NATS server to which events are published, if there is one.
    pub nats: NatsConfig,
}

impl Outbox {
    /// Prepares the delivery of events. Nothing is sent until the tasks in [`crate::event::deliver`] and [`crate::event::relay`] run.
    ///
    /// # Errors
    /// `internal` when the HTTP client cannot be built.
    pub fn new(db: Db, webhooks: &WebhookConfig, public_url: Option<String>, nats: NatsConfig) -> Result<Self> {
        let sender = Sender::new(Guard::new(&webhooks.allow), webhooks.timeout)?;
        Ok(Self { db, sender, streams: Streams::default(), sends: webhooks.sends, public_url, nats })
    }
}

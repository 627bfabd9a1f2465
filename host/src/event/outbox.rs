//! What carries events to the world outside.

use super::{
    deliver::{Sender, WebhookConfig, guard::Guard},
    stream::Streams,
};
use crate::{error::Result, nats::NatsConfig, store::Db};

/// Carries events to webhooks, streams and NATS.
pub struct Outbox {
    /// Where events come from, and where it is written how far each receiver is.
    pub db: Db,
    /// Sends messages to webhooks.
    pub sender: Sender,
    /// The streams of events that are open.
    pub streams: Streams,
    /// Messages to webhooks that are under way at the most.
    pub sends: usize,
    /// The address by which others reach this host: events name it as their source.
    pub public_url: Option<String>,
    /// The NATS server to which events are published, if there is one.
    pub nats: NatsConfig,
}

impl Outbox {
    /// With these settings.
    ///
    /// # Errors
    /// `internal` when no client for HTTP can be made.
    pub fn new(db: Db, webhooks: &WebhookConfig, public_url: Option<String>, nats: NatsConfig) -> Result<Self> {
        let sender = Sender::new(Guard::new(&webhooks.allow), webhooks.timeout)?;
        Ok(Self { db, sender, streams: Streams::default(), sends: webhooks.sends, public_url, nats })
    }
}

//! Publishes every event to NATS JetStream, in the order of the log: each as a CloudEvent with the subject
//! `berth.events.{type}` and its id as `Nats-Msg-Id`.
//!
//! The cursor moves once the server has acknowledged, so no event is lost. An event that was acknowledged but not noted
//! is published again, and JetStream drops it by its id within the stream's `duplicate_window`, which is an hour unless
//! the operator created the stream otherwise. An event that is larger than the server or the stream accepts is
//! published without its data and says where that is ([`cloud::stub`]), so that it does not hold up later ones.

use std::{sync::Arc, time::Duration};

use async_nats::{
    HeaderMap,
    jetstream::{self, context::PublishAckFuture},
};

use bytes::Bytes;

use crate::event::cloud;
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
};
use berth_store::{Db, EventRow, Lease};

use crate::{event::outbox::Outbox, nats};

/// The stream of the events, created when it is missing.
pub const STREAM: &str = "BERTH_EVENTS";
/// The prefix of the subjects, before the event's type.
pub const SUBJECTS: &str = "berth.events";
/// The name of the relay in the database.
pub const NAME: &str = "nats";
/// How many events are published at a time.
const BATCH: i64 = 256;
/// Seconds for which a host may publish without renewing its lease; a batch takes less than half of them.
const LEASE: i64 = 30;
/// How long a batch may take; it counts as failed after that.
const BATCH_PATIENCE: Duration = Duration::from_secs(10);
/// How long JetStream recognises ids that it has received.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(3600);
/// Bytes that are reserved for the headers of a message.
const HEADERS: usize = 1024;
/// The longest time until events of another host are published; the host's own are published at once.
const PULSE: Duration = Duration::from_millis(500);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Publishes events in an endless loop. Returns at once when no server is configured.
pub async fn run(outbox: Arc<Outbox>) {
    if outbox.nats.nats_url.is_none() {
        return;
    }
    loop {
        if let Err(error) = publish(&outbox).await {
            tracing::warn!(?error, "events cannot be published to NATS for now; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn publish(outbox: &Outbox) -> Result<()> {
    let context = nats::connect(&outbox.nats).await?;
    let config = jetstream::stream::Config {
        name: STREAM.into(),
        subjects: vec![format!("{SUBJECTS}.>")],
        duplicate_window: DUPLICATE_WINDOW,
        ..Default::default()
    };
    let stream = context.get_or_create_stream(config).await.map_err(unavailable)?;
    let outlet = Outlet { most: most_bytes(&context, &stream.cached_info().config), context };
    let mut turn = None;
    loop {
        let told = outbox.db.next_events();
        if turn.as_ref().is_none_or(|turn: &Turn| turn.is_old(outbox.db.now())) {
            turn = claim(&outbox.db).await?;
        }
        turn = match turn {
            Some(turn) => publish_on(outbox, &outlet, turn).await?,
            None => {
                tokio::time::sleep(PAUSE).await;
                None
            }
        };
        let _ = tokio::time::timeout(PULSE, told).await;
    }
}

/// The right to publish, and from where.
struct Turn {
    after: i64,
    lease: Lease,
}

impl Turn {
    /// Whether it is time to renew the lease.
    fn is_old(&self, now: Millis) -> bool {
        !self.lease.has_left(LEASE / 2, now)
    }
}

#[tracing::instrument(name = "relay.claim", skip_all)]
async fn claim(db: &Db) -> Result<Option<Turn>> {
    let lease = Lease::of(db, LEASE);
    let mut tx = db.begin().await?;
    let cursor = tx.claim_relay(NAME, &lease).await?;
    tx.commit().await?;
    Ok(cursor.map(|after| Turn { after, lease }))
}

/// Publishes what there is; the lease is gone when another host has taken it. A batch begins only while the lease is not old,
/// and ends before it does.
#[tracing::instrument(name = "relay.publish", skip_all, fields(after = turn.after))]
async fn publish_on(outbox: &Outbox, outlet: &Outlet, mut turn: Turn) -> Result<Option<Turn>> {
    while !turn.is_old(outbox.db.now()) {
        let rows = outbox.db.read().await?.events_after(turn.after, BATCH).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        let published = tokio::time::timeout(BATCH_PATIENCE, outlet.publish(outbox, &rows)).await;
        published.map_err(unavailable)??;
        let mut tx = outbox.db.begin().await?;
        let held = tx.move_relay(NAME, outbox.db.host(), last).await?;
        tx.commit().await?;
        if !held {
            return Ok(None);
        }
        turn.after = last;
    }
    Ok(Some(turn))
}

/// The connection to which events are published.
struct Outlet {
    context: jetstream::Context,
    /// How many bytes an event may have.
    most: usize,
}

/// The size in bytes that both the server and the stream accept, without the headers.
fn most_bytes(context: &jetstream::Context, stream: &jetstream::stream::Config) -> usize {
    let of_stream = usize::try_from(stream.max_message_size).ok().filter(|size| *size > 0).unwrap_or(usize::MAX);
    context.client().max_payload().min(of_stream).saturating_sub(HEADERS)
}

impl Outlet {
    /// Publishes the events in their order without waiting for each, then waits for all acknowledgements.
    async fn publish(&self, outbox: &Outbox, rows: &[EventRow]) -> Result<()> {
        let mut acks: Vec<PublishAckFuture> = Vec::with_capacity(rows.len());
        for row in rows {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", row.id.as_str());
            headers.insert("Content-Type", cloud::STRUCTURED);
            let body = self.document(row, outbox.public_url.as_deref())?;
            let subject = format!("{SUBJECTS}.{}", row.kind);
            acks.push(self.context.publish_with_headers(subject, headers, body).await.map_err(unavailable)?);
        }
        for ack in acks {
            ack.await.map_err(unavailable)?;
        }
        Ok(())
    }

    fn document(&self, row: &EventRow, public_url: Option<&str>) -> Result<Bytes> {
        let document = cloud::envelope(row, public_url).document()?;
        if document.len() <= self.most {
            return Ok(document);
        }
        tracing::warn!(
            seq = row.seq,
            bytes = document.len(),
            most = self.most,
            "an event is published without its data"
        );
        cloud::stub(row, public_url).document()
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Unavailable, "NATS JetStream did not take an event.").caused_by(error)
}

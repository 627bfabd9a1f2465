//! Publishes every event to NATS JetStream, in the order of the log: subject `berth.events.{type}`, a CloudEvent each, its id
//! as `Nats-Msg-Id`. The cursor moves when the server has acknowledged, so that nothing is lost; what was acknowledged
//! and not noted is published again, and JetStream drops it by its id when it comes within the stream's `duplicate_window`: an
//! hour, unless the operator made the stream otherwise. An event that is larger than the server or the stream takes is
//! published without its data and says where that is ([`cloud::stub`]), so that it does not hold up those behind it.

use std::{sync::Arc, time::Duration};

use async_nats::{
    HeaderMap,
    jetstream::{self, context::PublishAckFuture},
};

use bytes::Bytes;

use super::cloud;
use crate::{
    clock::Millis,
    error::{Code, Error, Result},
    event::outbox::Outbox,
    nats,
    store::Db,
    store::EventRow,
};

/// The stream, created when it is missing.
pub const STREAM: &str = "BERTH_EVENTS";
/// Before the type, in the subject.
pub const SUBJECTS: &str = "berth.events";
/// What the relay is called in the database.
pub(crate) const NAME: &str = "nats";
/// Events that are under way at the same time.
const BATCH: i64 = 256;
/// Seconds that a host may publish without saying so again; a batch takes less than half.
const LEASE: i64 = 30;
/// A batch that takes longer failed.
const BATCH_PATIENCE: Duration = Duration::from_secs(10);
/// So long JetStream knows what it has got.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(3600);
/// Bytes that are left for the headers of a message.
const HEADERS: usize = 1024;
/// Another host's events are published after so long at the latest; our own at once.
const PULSE: Duration = Duration::from_millis(500);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Publishes for ever, when a server is configured.
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
    let mut lease = None;
    loop {
        let told = outbox.db.next_events();
        let now = outbox.db.now();
        if lease.as_ref().is_none_or(|lease: &Lease| lease.is_old(now)) {
            lease = claim(&outbox.db, now).await?;
        }
        lease = match lease {
            Some(lease) => publish_on(outbox, &outlet, lease).await?,
            None => {
                tokio::time::sleep(PAUSE).await;
                None
            }
        };
        let _ = tokio::time::timeout(PULSE, told).await;
    }
}

/// The right to publish, and from where.
struct Lease {
    after: i64,
    until: Millis,
}

impl Lease {
    /// Whether it is time to renew it.
    fn is_old(&self, now: Millis) -> bool {
        now.plus_seconds(LEASE / 2) >= self.until
    }
}

#[tracing::instrument(name = "relay.claim", skip_all)]
async fn claim(db: &Db, now: Millis) -> Result<Option<Lease>> {
    let until = now.plus_seconds(LEASE);
    let mut tx = db.begin().await?;
    let cursor = tx.claim_relay(NAME, db.host(), now, until).await?;
    tx.commit().await?;
    Ok(cursor.map(|after| Lease { after, until }))
}

/// Publishes what there is; the lease is gone when another host has taken it. A batch begins only while the lease is not old,
/// and ends before it does.
#[tracing::instrument(name = "relay.publish", skip_all, fields(after = lease.after))]
async fn publish_on(outbox: &Outbox, outlet: &Outlet, mut lease: Lease) -> Result<Option<Lease>> {
    while !lease.is_old(outbox.db.now()) {
        let rows = outbox.db.read().await?.events_after(lease.after, BATCH).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        let published = tokio::time::timeout(BATCH_PATIENCE, outlet.publish(outbox, &rows)).await;
        published.map_err(unavailable)??;
        let mut tx = outbox.db.begin().await?;
        let held = tx.move_relay(NAME, outbox.db.host(), last).await?;
        tx.commit().await?;
        if !held {
            return Ok(None);
        }
        lease.after = last;
    }
    Ok(Some(lease))
}

/// Where events go.
struct Outlet {
    context: jetstream::Context,
    /// Bytes that an event may have.
    most: usize,
}

/// What both the server and the stream take.
fn most_bytes(context: &jetstream::Context, stream: &jetstream::stream::Config) -> usize {
    let of_stream = usize::try_from(stream.max_message_size).ok().filter(|size| *size > 0).unwrap_or(usize::MAX);
    context.client().max_payload().min(of_stream).saturating_sub(HEADERS)
}

impl Outlet {
    /// Publishes in order without waiting for each, then waits for all.
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

//! Publishes every event to NATS JetStream, in the order of the log: subject `berth.events.{type}`, a CloudEvent each, its id
//! as `Nats-Msg-Id`. The cursor moves when the server has acknowledged, so that nothing is lost; what was acknowledged
//! and not noted is published again, and JetStream drops it by its id.

use std::{sync::Arc, time::Duration};

use async_nats::{
    HeaderMap,
    jetstream::{self, context::PublishAckFuture},
};

use super::cloud;
use crate::{
    app::App,
    clock::Millis,
    error::{Code, Error, Result},
    nats,
    store::EventRow,
};

/// The stream, created when it is missing.
pub const STREAM: &str = "BERTH_EVENTS";
/// Before the type, in the subject.
pub const SUBJECTS: &str = "berth.events";
/// What the relay is called in the database.
const NAME: &str = "nats";
/// Events that are under way at the same time.
const BATCH: i64 = 256;
/// Seconds that a host may publish without saying so again; a batch takes less.
const LEASE: i64 = 30;
/// Another host's events are published after so long at the latest; our own at once.
const PULSE: Duration = Duration::from_millis(500);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Publishes for ever, when a server is configured.
pub async fn run(app: Arc<App>) {
    if app.config.nats.nats_url.is_none() {
        return;
    }
    loop {
        if let Err(error) = publish(&app).await {
            tracing::warn!(?error, "events cannot be published to NATS for now; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn publish(app: &App) -> Result<()> {
    let context = nats::connect(&app.config.nats).await?;
    let config = jetstream::stream::Config {
        name: STREAM.into(),
        subjects: vec![format!("{SUBJECTS}.>")],
        ..Default::default()
    };
    context.get_or_create_stream(config).await.map_err(unavailable)?;
    let mut lease = None;
    loop {
        let told = app.db.next_events();
        let now = app.clock.now();
        if lease.as_ref().is_none_or(|lease: &Lease| lease.is_old(now)) {
            lease = claim(app, now).await?;
        }
        lease = match lease {
            Some(lease) => publish_on(app, &context, lease).await?,
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

async fn claim(app: &App, now: Millis) -> Result<Option<Lease>> {
    let until = now.plus_seconds(LEASE);
    let mut tx = app.db.begin().await?;
    let cursor = tx.claim_relay(NAME, &app.host_id, now, until).await?;
    tx.commit().await?;
    Ok(cursor.map(|after| Lease { after, until }))
}

/// Publishes what there is; the lease is gone when another host has taken it. A batch takes ten seconds at the most, so one
/// begins only while the lease is not old.
async fn publish_on(app: &App, context: &jetstream::Context, mut lease: Lease) -> Result<Option<Lease>> {
    while !lease.is_old(app.clock.now()) {
        let rows = app.db.read().await?.events_after(lease.after, BATCH).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        publish_batch(app, context, &rows).await?;
        let mut tx = app.db.begin().await?;
        let held = tx.move_relay(NAME, &app.host_id, last).await?;
        tx.commit().await?;
        if !held {
            return Ok(None);
        }
        lease.after = last;
    }
    Ok(Some(lease))
}

/// Publishes in order without waiting for each, then waits for all.
async fn publish_batch(app: &App, context: &jetstream::Context, rows: &[EventRow]) -> Result<()> {
    let mut acks: Vec<PublishAckFuture> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", row.id.as_str());
        headers.insert("Content-Type", cloud::STRUCTURED);
        let body = cloud::envelope(row, app.config.public_url.as_deref()).to_string();
        let subject = format!("{SUBJECTS}.{}", row.kind);
        acks.push(context.publish_with_headers(subject, headers, body.into()).await.map_err(unavailable)?);
    }
    for ack in acks {
        ack.await.map_err(unavailable)?;
    }
    Ok(())
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Unavailable, "NATS JetStream did not take an event.").caused_by(error)
}

//! Deliveries to a webhook: trying the receiver, listing what failed, and sending again.

use berth_base::{
    error::{Code, Error, Result},
    ids::{EventId, WebhookId},
    page::{Page, PageQuery},
};
use berth_model::{
    access::{Action, Caller},
    event::{
        kind,
        webhook::{Attempt, AttemptQuery, Delivery, DeliveryQuery, Ping, Replay, WebhookPing, WebhookReplayed},
    },
};
use berth_store::Db;

use super::{authorise, hold, tell};
use crate::event::{
    cloud,
    deliver::{Message, keys_of},
    outbox::Outbox,
    require_kept,
};

/// The type of the message with which a receiver is tried.
const PING: &str = kind::WEBHOOK_PING.name();

/// Sends a message to the receiver at once, and returns what it answered.
#[tracing::instrument(name = "webhook.ping", skip_all, fields(webhook = %id))]
pub async fn ping(outbox: &Outbox, caller: &Caller, id: &WebhookId) -> Result<Ping> {
    let mut tx = outbox.db.read().await?;
    let (row, _) = authorise(&mut tx, caller, id, Action::Configure).await?;
    let secrets = tx.webhook_secrets(id).await?;
    drop(tx);
    let now = outbox.db.now();
    let message = EventId::generate(now, outbox.db.random());
    let data = WebhookPing { webhook: id.clone() };
    let envelope = cloud::message(message.as_str(), PING, id.as_str(), now, &data, outbox.public_url.as_deref());
    let message = Message { id: message.to_string(), body: envelope.document()? };
    let receipt = outbox.sender.send(&row.url, &keys_of(&outbox.db, &secrets)?, &message, now).await;
    Ok(Ping {
        delivered: receipt.is_delivered(),
        status: receipt.status,
        millis: receipt.took.as_millis() as u64,
        error: receipt.why,
        body: receipt.excerpt,
    })
}

/// One page of the deliveries of a webhook that failed or wait, ordered by the number of the event.
pub async fn deliveries(db: &Db, caller: &Caller, id: &WebhookId, query: &DeliveryQuery) -> Result<Page<Delivery>> {
    let after = query.cursor.as_deref().map(str::parse::<i64>).transpose();
    let after = after.map_err(|_| Error::new(Code::InvalidCursor, "The cursor is not one that this list gave."))?;
    let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let items = tx.webhook_deliveries(id, query.state, after.unwrap_or(0), page.limit() + 1).await?;
    Ok(Page::of(items, &page, |one| one.seq.to_string()))
}

/// One page of the attempts of a webhook that are kept, newest first. Of a busy webhook not all are.
pub async fn attempts(db: &Db, caller: &Caller, id: &WebhookId, query: &AttemptQuery) -> Result<Page<Attempt>> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let items = tx.webhook_attempts(id, query).await?;
    Ok(Page::of(items, &query.page(), |one| one.id.to_string()))
}

/// Delivers one event anew, whether its delivery is dead or waiting: at once, and with the whole schedule of tries
/// before it.
///
/// # Errors
/// `not-found` when the event has no failed or waiting delivery.
#[tracing::instrument(name = "webhook.replay_delivery", skip_all, fields(webhook = %id, seq))]
pub async fn replay_delivery(db: &Db, caller: &Caller, id: &WebhookId, seq: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, scope) = hold(&mut tx, caller, id).await?;
    if !tx.revive_delivery(id, seq, tx.now()).await? {
        return Err(Error::not_found("delivery", seq));
    }
    let data = WebhookReplayed { delivery: Some(seq), after: None };
    tell(&mut tx, kind::WEBHOOK_REPLAYED, &scope, id, caller.account.as_str(), &data);
    tx.commit().await
}

/// Delivers all events after a number again. It also serves to skip events that a webhook has missed.
///
/// # Errors
/// `invalid-field` for a number above that of the last event, `events-gone` when some events after it are not kept any
/// more.
#[tracing::instrument(name = "webhook.replay", skip_all, fields(webhook = %id))]
pub async fn replay(db: &Db, caller: &Caller, id: &WebhookId, how: Replay) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, scope) = hold(&mut tx, caller, id).await?;
    let last = tx.last_event().await?;
    if !(0..=last).contains(&how.after) {
        return Err(Error::field("after", format!("must be 0 to {last}, the number of the last event.")));
    }
    require_kept(&mut tx, how.after).await?;
    tx.ask_for_replay(id, how.after).await?;
    let data = WebhookReplayed { delivery: None, after: Some(how.after) };
    tell(&mut tx, kind::WEBHOOK_REPLAYED, &scope, id, caller.account.as_str(), &data);
    tx.commit().await
}

//! Deliveries to a webhook: trying the receiver, listing what failed, and sending again.

use serde::{Deserialize, Serialize};

use super::{authorise, hold, tell};
use crate::{
    access::{Action, Caller},
    clock::Millis,
    error::{Code, Error, Result},
    event::outbox::Outbox,
    event::{
        cloud,
        deliver::{Message, keys_of},
        kind, require_kept,
    },
    ids::{EventId, WebhookId},
    page::{Page, PageQuery},
    store::Db,
    text::text_enum,
};

/// The type of the message with which a receiver is tried.
const PING: &str = kind::WEBHOOK_PING.name();

text_enum! {
    /// The state of a delivery that failed or waits behind one that did.
    DeliveryState {
        /// It will be tried again, or waits behind an older one of its subject.
        Waiting = "waiting",
        /// It was given up and is not tried any more; it can be replayed.
        Dead = "dead",
    }
}

/// A delivery that failed, or waits behind one that failed.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Delivery {
    /// The number of the event.
    pub seq: i64,
    /// The id of the event, which is the `webhook-id` of every try.
    #[sqlx(rename = "event_id")]
    pub event: EventId,
    /// The type of the event.
    #[serde(rename = "type")]
    #[sqlx(rename = "type")]
    pub kind: String,
    /// The id of what the event is about.
    pub subject: String,
    /// Whether it will be tried again.
    pub state: DeliveryState,
    /// The number of tries so far.
    pub attempts: i64,
    /// When it is tried next, if it is the first of its subject.
    pub next_at: Millis,
    /// The receiver's last HTTP status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// Why the last try failed; empty when it was not tried yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// When this delivery last changed.
    pub updated_at: Millis,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<DeliveryState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// The event after which events are delivered again.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// All events after this number are delivered again; 0 for all that are kept.
    pub after: i64,
}

/// What a receiver answered to the message that tried it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Ping {
    /// Whether it accepted the message with a status of 200 to 299.
    pub delivered: bool,
    /// Its HTTP status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Why the message was not delivered; empty when it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The first 1,024 bytes of its answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// The `data` of the event about a replay. One of the two members is present.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WebhookReplayed {
    /// The number of the one event that is delivered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<i64>,
    /// The number after which all events are delivered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
}

/// The `data` of the message that tries a receiver. It is sent to one webhook and is not an event of the log.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WebhookPing {
    /// The webhook that is tried.
    pub webhook: WebhookId,
}

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

/// Delivers one event anew, whether its delivery is dead or waiting: at once, and with the whole schedule of tries
/// before it.
///
/// # Errors
/// `not-found` when the event has no failed or waiting delivery.
#[tracing::instrument(name = "webhook.replay_delivery", skip_all, fields(webhook = %id, seq))]
pub async fn replay_delivery(db: &Db, caller: &Caller, id: &WebhookId, seq: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, scope) = hold(&mut tx, caller, id).await?;
    if !tx.revive_delivery(id, seq, db.now()).await? {
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

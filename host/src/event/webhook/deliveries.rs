//! What is on its way to a webhook: trying a receiver, looking at what waits, sending again.

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

/// The type of the message that tries a receiver.
const PING: &str = kind::WEBHOOK_PING.name();

text_enum! {
    /// What becomes of a delivery that failed.
    DeliveryState {
        /// It is tried again, or waits behind one of its subject.
        Waiting = "waiting",
        /// It was given up; it can be replayed.
        Dead = "dead",
    }
}

/// A delivery that failed or waits behind one that failed.
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
    /// What the event is about.
    pub subject: String,
    /// Whether it is tried again.
    #[sqlx(try_from = "String")]
    pub state: DeliveryState,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried next, when it is the first of its subject.
    pub next_at: Millis,
    /// The receiver's last status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// Why it failed last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// When this changed last.
    pub updated_at: Millis,
}

/// Which deliveries are wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<DeliveryState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Items at the most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// From where to deliver again.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Everything after this event is delivered again; 0 for everything.
    pub after: i64,
}

/// What a receiver said to a message that tried it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Ping {
    /// Whether it took the message: a status of 200 to 299.
    pub delivered: bool,
    /// Its status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u64,
    /// Why it was not delivered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The first 1,024 bytes of its answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// What was asked for again.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WebhookReplayed {
    /// The delivery with this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<i64>,
    /// Everything after this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
}

/// The data of the message that tries a receiver. It is sent to one webhook and is no event of the log.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WebhookPing {
    /// The webhook that is tried.
    pub webhook: WebhookId,
}

/// Sends a message to the receiver at once and says what it answered.
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

/// The deliveries that failed, by number.
pub async fn deliveries(db: &Db, caller: &Caller, id: &WebhookId, query: &DeliveryQuery) -> Result<Page<Delivery>> {
    let after = query.cursor.as_deref().map(str::parse::<i64>).transpose();
    let after = after.map_err(|_| Error::new(Code::InvalidCursor, "The cursor is not one that this list gave."))?;
    let page = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let items = tx.webhook_deliveries(id, query.state, after.unwrap_or(0), page.limit() + 1).await?;
    Ok(Page::of(items, &page, |one| one.seq.to_string()))
}

/// Tries one delivery anew, dead or waiting: at once, and with the whole schedule before it.
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

/// Delivers everything after an event again; it is also how to skip what a webhook has missed.
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

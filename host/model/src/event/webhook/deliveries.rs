//! Deliveries to a webhook: trying the receiver, listing what failed, and sending again.

use berth_base::{
    clock::Millis,
    ids::{AttemptId, EventId, WebhookId},
    page::paged,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Delivery {
    /// The number of the event.
    pub seq: i64,
    /// The id of the event, which is the `webhook-id` of every try.
    #[cfg_attr(feature = "sql", sqlx(rename = "event_id"))]
    pub event: EventId,
    /// The type of the event.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "sql", sqlx(rename = "type"))]
    pub kind: String,
    /// The id of what the event is about.
    pub subject: String,
    /// Whether it will be tried again.
    pub state: DeliveryState,
    /// The number of tries so far.
    pub attempts: i64,
    /// When it is tried next; `null` when it was given up, and while it waits for an earlier one.
    #[serde(default)]
    pub next_at: Option<Millis>,
    /// The number of the first event of the same subject that waits: events of a subject are delivered in their order. Absent
    /// when it is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<i64>,
    /// The receiver's last HTTP status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// Why the last try failed; empty when it was not tried yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// When this delivery last changed.
    pub updated_at: Millis,
}

/// An attempt to deliver an event to a webhook.
///
/// Attempts are kept for a week, and of busy webhooks not all of them: of each at most the last 20 of a second, and fewer where
/// many are busy at once.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The number of the event.
    pub seq: i64,
    /// The type of the event; `null` when the event is not kept any more.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "sql", sqlx(rename = "type"))]
    pub kind: Option<String>,
    /// When it ended.
    pub at: Millis,
    /// Whether the receiver accepted the event.
    pub delivered: bool,
    /// The receiver's HTTP status, when it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i64>,
    /// How many milliseconds it took.
    pub millis: i64,
    /// Why the event was not delivered; absent when it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// Which attempts to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AttemptQuery {
    /// Only those for the event with this number.
    #[serde(default)]
    pub event: Option<i64>,
    /// Only those that the receiver accepted, or only the others.
    #[serde(default)]
    pub delivered: Option<bool>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}
paged!(AttemptQuery);

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
#[schema(as = ReplayDeliveries)]
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

//! The stored fulfilment messages, as they are shown.

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{MerchantId, MessageId},
    page::paged,
    text::text_enum,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Reason;

text_enum! {
    /// What became of a stored message.
    FulfilmentState {
        /// It was applied to its product instance.
        Applied = "applied",
        /// It is parked with a reason, and can be replayed.
        Parked = "parked",
        /// It was parked, and a correction with another id was applied in its place.
        Corrected = "corrected",
        /// It was parked, and somebody decided that it is not to be applied. It can still be replayed.
        Discarded = "discarded",
    }
}

/// A stored fulfilment message.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Fulfilment {
    /// The message's id. It is made of the content when the message has none, or when its own id stands for another
    /// message.
    pub id: MessageId,
    /// The merchant that it names; absent when none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// What became of it.
    pub state: FulfilmentState,
    /// Why it is parked; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why it is parked or was when it was discarded, or which message corrected it, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The message as it was sent.
    #[schema(value_type = serde_json::Value)]
    pub message: Value,
    /// How often it was tried.
    pub attempts: u64,
    /// When it was first received.
    pub received_at: Millis,
    /// When it was applied, corrected or discarded; absent while it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Millis>,
    /// Who discarded it; absent when it is not discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discarded_by: Option<String>,
    /// Why it was discarded; absent when it is not discarded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Which messages to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FulfilmentQuery {
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<FulfilmentState>,
    /// Only those that are parked for this reason.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Only those that name this merchant (BosID).
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(FulfilmentQuery);

/// The position of a message in the order of arrival, as a cursor has it.
pub struct Place(pub Millis, pub MessageId);

impl Place {
    /// As a cursor has it.
    pub fn text(&self) -> String {
        format!("{}~{}", self.0.0, self.1)
    }

    /// Reads what [`Place::text`] wrote.
    ///
    /// # Errors
    /// `invalid-cursor` for anything else.
    pub fn read(text: &str) -> Result<Self> {
        let parts = text.split_once('~').and_then(|(at, id)| Some(Self(Millis(at.parse().ok()?), id.parse().ok()?)));
        parts.ok_or_else(|| Error::new(Code::InvalidCursor, "Send the `next` of the page before as it was."))
    }
}

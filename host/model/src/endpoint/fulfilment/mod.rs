//! Fulfilment: the order system's messages may come in any order, any number of times and at any host, and lead to the
//! same result. A message that cannot be applied is parked with its reason and does not hold up others (E1, E4).

mod kind;
pub mod message;
mod receipt;
mod stored;

pub use kind::MessageKind;
pub use receipt::{Receipt, ReceiptOutcome, Receipts};
pub use stored::{Fulfilment, FulfilmentQuery, FulfilmentState, Place};

use berth_base::{
    error::{Error, Result},
    ids::MerchantId,
    text,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use message::{Message, Reason};

/// How many messages one request may have, and how many one replay looks at.
pub const MOST: usize = 1000;

/// The body of a delivery: one message, or several.
#[derive(utoipa::ToSchema)]
#[schema(as = FulfilmentDelivery)]
#[allow(dead_code, missing_docs, reason = "it only describes; what is sent is kept whatever it is")]
#[derive(Serialize)]
#[serde(untagged)]
pub enum Delivery {
    One(Message),
    Several {
        /// 1 to 1,000 messages.
        messages: Vec<Message>,
    },
}

/// Why a parked message is discarded.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Discard {
    /// Why it is not to be applied, 1 to 500 characters, for whoever asks later.
    pub note: String,
}

impl Discard {
    /// The note.
    ///
    /// # Errors
    /// `invalid-field` when it is empty or too long.
    pub fn reason(&self) -> Result<String> {
        let note = text::prose("note", self.note.trim(), 500)?;
        match note.is_empty() {
            true => Err(Error::field("note", "say why the message is not to be applied.")),
            false => Ok(note),
        }
    }
}

/// How a parked or discarded message is replayed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayFulfilment)]
pub struct Replay {
    /// The corrected message; when absent the message is tried again as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Message>)]
    pub message: Option<Value>,
}

/// Which parked messages to replay. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayAll {
    /// Only those parked for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Only those that name this merchant (BosID).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
}

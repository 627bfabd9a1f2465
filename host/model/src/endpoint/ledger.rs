//! Decides what becomes of messages, given what is known. Pure: a transaction loads what the messages touch, lets the
//! ledger take them, and writes what the ledger then holds.

use berth_base::{ids::MessageId, text::text_enum};
use serde::{Deserialize, Serialize};

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
    }
}

text_enum! {
    /// What became of a message that was sent.
    Outcome {
        /// It was applied to its product instance.
        Applied = "applied",
        /// The same message was applied before, so nothing changed.
        Repeated = "repeated",
        /// It was parked with a reason, and can be replayed.
        Parked = "parked",
    }
}

/// The answer to one message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The id of the message; one made of its content when it has none.
    pub id: MessageId,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was parked; absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

//! What became of messages that were sent.

use berth_base::{ids::MessageId, text::text_enum};
use serde::{Deserialize, Serialize};

use super::message::Reason;

text_enum! {
    /// What became of a message that was sent.
    ReceiptOutcome {
        /// It was applied to its product instance.
        Applied = "applied",
        /// The same message was applied before, so nothing changed.
        Repeated = "repeated",
        /// It was parked with a reason, and can be replayed or discarded.
        Parked = "parked",
        /// The same message was discarded before and stays so, until it is replayed.
        Discarded = "discarded",
    }
}

/// The answer to one message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The id of the message; one made of its content when it has none.
    pub id: MessageId,
    /// The id under which it is kept, shown, replayed and discarded; absent when that is `id`. It is another one when a
    /// different message with the same id was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_as: Option<MessageId>,
    /// What became of it.
    pub outcome: ReceiptOutcome,
    /// Why it was parked; absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why it was parked, or when and why it was discarded, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The newer message about the same product instance that came before this one, so that its state stays what that
    /// one says; absent when this one is the newest, or was not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overtaken_by: Option<MessageId>,
}

impl Receipt {
    /// A receipt that says nothing but what became of the message.
    pub fn new(id: MessageId, outcome: ReceiptOutcome) -> Self {
        Self { id, kept_as: None, outcome, reason: None, detail: None, overtaken_by: None }
    }

    /// The id under which the message is kept.
    pub fn kept(&self) -> &MessageId {
        self.kept_as.as_ref().unwrap_or(&self.id)
    }
}

/// What became of each message of a delivery.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Receipts {
    /// One receipt for each message, in the order of the messages.
    pub results: Vec<Receipt>,
}

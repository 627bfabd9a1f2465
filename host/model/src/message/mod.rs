//! Subscription messages: short messages of a MiniApp to users who have asked for them, in the form of a template (M1–M9).
//!
//! A MiniApp chooses templates from the public library. The host app asks its user for consent and tells it here; the
//! MiniApp's server sends; the host app shows the message and tells what became of it.

mod field;
mod library;
mod send;
mod subscription;
mod template;

pub use field::MessageFieldType;
pub use library::{
    BothLanguages, LibraryQuery, MessageCategory, MessageKeyword, PublicTemplate, SubscriptionKind, library, preview,
    public_template,
};
pub use send::{
    MessageField, MessageQuery, MessageReport, MessageState, MessageToShow, Reported, SendMessage, UserMessage, day_of,
};
pub use subscription::{
    AskSubscription, DroppedTemplate, MOST_ASKED, Subscribe, Subscription, SubscriptionAnswer, SubscriptionQuery,
    SubscriptionRequest, Withdraw, kept,
};
pub use template::{MessageTemplate, NewMessageTemplate};

/// How many messages of a long-term template a user gets in a day, at most (M3).
pub const MOST_A_DAY: i64 = 5;

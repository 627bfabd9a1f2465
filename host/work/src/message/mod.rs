//! Subscription messages (M1–M9).
//!
//! A consent is used up in the transaction that sends the message and tells the host app of it, so there is neither a message
//! without consent nor a consent that is lost. The host app learns of a message by the event `message.sent`, over whatever
//! brings it events: a webhook, the stream, NATS. That event names the user's account and goes to the host app alone, as the
//! MiniApp knows an OpenID only. What becomes of the message is told to the MiniApp's team, without the user.
//!
//! Consents are no events, like logins: the MiniApp learns the answer from the SDK, and the host app has it from the user.

mod report;
mod send;
mod subscription;
mod template;

pub use berth_model::message::*;
pub use report::{get, list, report, run_forgetter};
pub use send::send;
pub use subscription::{ask, subscribe, subscriptions, withdraw};
pub use template::{add, remove, search_library, templates};

//! Fulfilment messages: what the order system says about product instances.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MessageKind;
use crate::endpoint::register::{Register, Said};
use berth_base::{
    clock::Millis,
    ids::{Digest, InstanceId, MerchantId, MessageId, ProductCode},
    read,
    text::{self, text_enum},
};

/// How many bytes of JSON a message may have; a larger one is malformed.
const MOST_KEPT: usize = 16 << 10;
/// How deep lists and objects of a message may be nested; a deeper one is malformed. Its event contains the message,
/// and any JSON parser must be able to read that.
const DEEPEST: usize = 32;
/// How many characters a reason in words may have.
const MOST_WORDS: usize = 500;
/// How many seconds a message may be ahead of this host's clock. A message from a clock that is further off would
/// outweigh all later ones.
pub const MOST_AHEAD: i64 = 24 * 3600;

/// A fulfilment message. Members that are not named here are stored and otherwise ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Message {
    /// The id that the sender gave it; unique for ever.
    pub id: MessageId,
    /// The merchant (BosID) that has the product instance.
    pub merchant: MerchantId,
    /// The product instance that it is about.
    pub instance: InstanceId,
    /// The product of the instance.
    pub product: ProductCode,
    /// What happened to the instance.
    pub kind: MessageKind,
    /// When it happened, by the sender's clock.
    pub at: Millis,
    /// When the instance expires; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// The instance's name for people, 1 to 64 characters. When absent the name stays, and is at first the product's
    /// code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

text_enum! {
    /// Why a message was parked.
    #[schema(as = ParkedReason)]
    Reason {
        /// It is not a valid fulfilment message.
        Malformed = "malformed",
        /// The merchant does not exist yet. Creating it replays the message.
        MerchantUnknown = "merchant-unknown",
        /// Another message with the same id was applied.
        MessageContradicts = "message-contradicts",
        /// The product instance belongs to another merchant.
        MerchantDiffers = "merchant-differs",
        /// The product instance is of another product.
        ProductDiffers = "product-differs",
        /// Its time is more than a day ahead of this host's clock.
        FromTheFuture = "from-the-future",
    }
}

impl Reason {
    /// Whether the reason may pass, so that the same message can be applied later. For all others it must be corrected
    /// or discarded.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::MerchantUnknown | Self::FromTheFuture)
    }
}

/// Why a message was parked, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable reason.
    pub reason: Reason,
    /// The reason in words.
    pub detail: String,
}

impl Refusal {
    /// A refusal with its reason and the words for people.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The id under which it is stored: its own, or one made of its content when it has none.
    pub id: MessageId,
    /// The merchant that it names; `None` when none could be read.
    pub merchant: Option<MerchantId>,
    /// The JSON that is stored.
    pub body: String,
    /// The message, or what is wrong with it, in words.
    pub message: Result<Message, String>,
}

impl Message {
    /// Reads a message from JSON.
    ///
    /// # Errors
    /// What is wrong, in the words of the API, with the member as a JSON pointer.
    pub fn read(value: &Value) -> Result<Self, String> {
        let read = read::value::<Self>(value).map_err(|misfit| words(&misfit.in_words("The message")));
        let mut message = read?;
        let name = message.name.map(|name| text::name("/name", &name, 64)).transpose();
        message.name = name.map_err(|error| words(&error.detail))?;
        Ok(message)
    }

    /// What this message says about its product instance, to be joined with what other messages say.
    pub fn register(&self) -> Register {
        let said = Said { at: self.at, kind: self.kind, by: self.id.clone() };
        Register::of(said, self.expires_at, self.name.clone())
    }
}

/// The text cut to [`MOST_WORDS`] characters, with control characters replaced: databases and terminals may refuse
/// those.
fn words(text: &str) -> String {
    text.chars().take(MOST_WORDS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The value with NUL replaced, as PostgreSQL refuses it in texts; `None` when it is nested deeper than `levels`.
fn harmless(value: &Value, levels: usize) -> Option<Value> {
    let plain = |text: &str| text.replace('\0', "\u{fffd}");
    Some(match value {
        Value::String(text) => plain(text).into(),
        Value::Array(items) => {
            let levels = levels.checked_sub(1)?;
            items.iter().map(|item| harmless(item, levels)).collect::<Option<Vec<_>>>()?.into()
        }
        Value::Object(members) => {
            let levels = levels.checked_sub(1)?;
            let member = |(name, value): (&String, &Value)| Some((plain(name), harmless(value, levels)?));
            Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
        other => other.clone(),
    })
}

impl Arrival {
    /// Reads what was sent. Whatever it is, it can be stored, in a form that every database accepts.
    pub fn read(value: &Value) -> Self {
        let Some(value) = harmless(value, DEEPEST) else {
            let why = format!("The message is nested deeper than {DEEPEST} levels");
            return Self::beginning_of(&value.to_string(), &why);
        };
        let body = value.to_string();
        if body.len() > MOST_KEPT {
            return Self::beginning_of(&body, &format!("The message has more than {MOST_KEPT} characters"));
        }
        let id = value["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| id_of(&body));
        let merchant = value["merchant"].as_str().and_then(|id| id.parse().ok());
        Self { id, merchant, body, message: Message::read(&value) }
    }

    /// The arrival of a message that is too large or too deep: only its first characters are stored, as a JSON text.
    fn beginning_of(body: &str, why: &str) -> Self {
        let beginning: String = body.chars().take(MOST_KEPT / 8).collect();
        let body = Value::from(beginning).to_string();
        let why = format!("{why}; only its first {} characters are kept.", MOST_KEPT / 8);
        Self { id: id_of(&body), merchant: None, body, message: Err(why) }
    }

    /// Reads the stored body of a message once more.
    pub fn again(body: &str) -> Self {
        Self::read(&kept(body))
    }

    /// Whether the message says the same as the stored `body`.
    pub fn repeats(&self, body: &str) -> bool {
        self.body == body || self.message.is_ok() && self.message == Message::read(&kept(body))
    }

    /// The id under which it is stored when its own id stands for another message.
    pub fn other_id(&self) -> MessageId {
        id_of(&self.body)
    }
}

/// The JSON of a stored body. Of a message that was too large or too deep it is a text with the first characters.
pub fn kept(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
}

/// An id made of the content, so that the same message is stored once however often it comes.
#[expect(clippy::expect_used, reason = "hexadecimal characters after a word are an id")]
fn id_of(body: &str) -> MessageId {
    format!("parked-{}", &Digest::of(body.as_bytes()).as_str()[..32]).parse().expect("an id")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    fn purchase() -> Value {
        json!({"id": "m-1", "merchant": "bos-1", "instance": "i-1", "product": "mall", "kind": "purchase",
               "at": "2030-01-31T08:00:00Z"})
    }

    fn with(member: &str, value: Value) -> Value {
        let mut message = purchase();
        message[member] = value;
        message
    }

    #[test]
    fn e1_what_is_wrong_with_a_message_is_said_by_its_member() {
        let cases = [
            (with("kind", json!("rent")), "/kind must be one of purchase, renew, unsubscribe, and is \"rent\"."),
            (with("kind", json!(["renew"])), "/kind must be one of purchase, renew, unsubscribe, and is a list."),
            (with("at", json!("yesterday")), "/at: expected a time such as 2030-01-31T08:00:00Z."),
            (with("merchant", json!("No Merchant")), "/merchant: \"No Merchant\" is not a merchant id"),
            (with("merchant", Value::Null), "/merchant is missing."),
            (with("expires_at", json!(7)), "/expires_at must be a text, and is 7."),
            (with("name", json!("")), "/name: must have 1 to 64 characters"),
            (json!({"id": "m-1"}), "/merchant is missing."),
            (json!([]), "The message must be an object, and is a list of 0."),
            (json!(7), "The message must be an object, and is 7."),
        ];
        for (value, expected) in cases {
            let said = Message::read(&value).unwrap_err();
            assert!(said.starts_with(expected), "{said}");
        }
    }

    #[test]
    fn members_that_nobody_reads_do_no_harm() {
        assert!(Message::read(&with("channel", json!({"a": 1}))).is_ok());
        assert!(Arrival::read(&with("channel", json!(1))).repeats(&purchase().to_string()));
        assert!(!Arrival::read(&with("product", json!("crm"))).repeats(&purchase().to_string()));
    }

    #[test]
    fn e1_a_message_without_a_usable_id_gets_one_of_its_content() {
        let (one, other) = (Arrival::read(&with("id", json!(7))), Arrival::read(&with("id", json!(8))));
        assert!(one.id.as_str().starts_with("parked-"));
        assert_ne!(one.id, other.id);
        assert_eq!(one.id, Arrival::again(&one.body).id);
    }

    #[test]
    fn f28_a_huge_or_naughty_message_is_kept_in_a_small_and_harmless_form() {
        let huge = Arrival::read(&with("note", json!("灰".repeat(1 << 20))));
        assert!(huge.message.is_err() && huge.body.len() <= MOST_KEPT);
        assert!(huge.repeats(&huge.body));
        assert_eq!(Arrival::again(&huge.body).id, huge.id);
        let naughty = Arrival::read(&with("kind", json!("\u{0}\u{1b}[2J")));
        assert!(!naughty.body.contains("\\u0000") && !naughty.message.unwrap_err().contains('\u{0}'));
        let key = Arrival::read(&with("n\u{0}te", json!({"a\u{0}": ["\u{0}"]})));
        assert!(key.message.is_ok() && !key.body.contains("\\u0000") && key.repeats(&key.body), "{}", key.body);
    }

    #[test]
    fn f25_a_message_that_is_nested_too_deep_is_kept_as_a_text() {
        let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
        // The message itself is the first level.
        assert!(Arrival::read(&with("note", nested(DEEPEST - 1))).message.is_ok());
        let deep = Arrival::read(&with("note", nested(DEEPEST)));
        assert!(deep.message.unwrap_err().contains("deeper than 32 levels"));
        assert!(kept(&deep.body).is_string());
        assert_eq!(Arrival::again(&deep.body).id, deep.id);
    }
}

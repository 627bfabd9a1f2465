//! What becomes of messages, given what is known: pure. A transaction loads what the messages touch, lets the ledger take
//! them, and writes what the ledger then holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    ProductInstance,
    message::{Arrival, MOST_AHEAD, Message, Reason, Refusal},
    register::{Kind, Register},
};
use crate::{
    clock::Millis,
    ids::{InstanceId, MerchantId, MessageId},
    store::Count,
    text::text_enum,
};

text_enum! {
    /// What became of a message that is kept.
    FulfilmentState {
        /// Its product instance knows what it says.
        Applied = "applied",
        /// It waits, with a reason, and can be replayed.
        Parked = "parked",
        /// It was replayed with a correction that has another id.
        Corrected = "corrected",
    }
}

text_enum! {
    /// What became of a message that was sent.
    Outcome {
        /// Its product instance knows now what it says.
        Applied = "applied",
        /// The same message was applied before.
        Repeated = "repeated",
        /// It waits, with a reason, and can be replayed.
        Parked = "parked",
    }
}

/// What became of a message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The message; an id made of its content when it has none.
    pub id: MessageId,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A row of `fulfilment`.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Fulfilment")]
pub struct FulfilmentRow {
    pub id: MessageId,
    pub merchant_id: Option<MerchantId>,
    pub state: FulfilmentState,
    pub reason: String,
    pub detail: String,
    pub body: String,
    #[sqlx(try_from = "Count")]
    pub attempts: u64,
    pub received_at: Millis,
    pub settled_at: Option<Millis>,
}

/// Something that happened, to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A product instance is another one now.
    Changed {
        /// Nothing when it is new.
        before: Option<Box<ProductInstance>>,
        /// As it is now.
        after: Box<ProductInstance>,
    },
    /// A message waits that did not wait, or for another reason.
    Parked(MessageId),
    /// A message that waited was applied.
    Freed(MessageId),
    /// A message that waited was applied in the words of another one.
    Corrected(MessageId),
}

/// What is known of everything that some messages touch.
pub struct Ledger {
    now: Millis,
    merchants: BTreeSet<MerchantId>,
    rows: BTreeMap<MessageId, FulfilmentRow>,
    instances: BTreeMap<InstanceId, ProductInstance>,
    touched_rows: BTreeSet<MessageId>,
    touched_instances: BTreeSet<InstanceId>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// For whom a purchase or a renewal was applied: they have a default endpoint application (E1).
    pub buyers: BTreeSet<MerchantId>,
}

impl Ledger {
    /// With what is known so far: the merchants that are there, what is kept, what was bought.
    pub fn new(
        now: Millis,
        merchants: BTreeSet<MerchantId>,
        rows: Vec<FulfilmentRow>,
        instances: Vec<ProductInstance>,
    ) -> Self {
        Self {
            now,
            merchants,
            rows: rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
            instances: instances.into_iter().map(|one| (one.id.clone(), one)).collect(),
            touched_rows: BTreeSet::new(),
            touched_instances: BTreeSet::new(),
            steps: Vec::new(),
            buyers: BTreeSet::new(),
        }
    }

    /// The messages that are to be written, by id.
    pub fn touched_rows(&self) -> Vec<&FulfilmentRow> {
        self.touched_rows.iter().filter_map(|id| self.rows.get(id)).collect()
    }

    /// The product instances that are to be written, by id.
    pub fn touched_instances(&self) -> Vec<&ProductInstance> {
        self.touched_instances.iter().filter_map(|id| self.instances.get(id)).collect()
    }

    /// The merchants whose product instances changed, or who bought something.
    pub fn changed_merchants(&self) -> BTreeSet<MerchantId> {
        let changed = self.touched_instances.iter().filter_map(|id| self.instances.get(id));
        changed.map(|instance| &instance.merchant).chain(&self.buyers).cloned().collect()
    }

    /// A message that is kept.
    pub fn row(&self, id: &MessageId) -> Option<&FulfilmentRow> {
        self.rows.get(id)
    }

    /// Takes a message.
    pub fn take(&mut self, arrival: &Arrival) -> Receipt {
        let Some(body) = self.settled(&arrival.id) else { return self.settle(arrival) };
        if arrival.repeats(body) {
            return repeated(&arrival.id);
        }
        let other = Arrival { id: arrival.other_id(), ..arrival.clone() };
        if self.settled(&other.id).is_some() {
            return repeated(&arrival.id);
        }
        let text = format!("Another message with the id {} was applied. This one is kept as {}.", arrival.id, other.id);
        Receipt { id: arrival.id.clone(), ..self.park(&other, Refusal::new(Reason::MessageContradicts, text)) }
    }

    /// Whether a message is kept and waits.
    pub fn waits(&self, id: &MessageId) -> bool {
        self.rows.get(id).is_some_and(|row| row.state == FulfilmentState::Parked)
    }

    /// A message that waits was taken care of by another one.
    pub fn correct(&mut self, id: &MessageId, by: &MessageId) {
        let Some(row) = self.rows.get_mut(id) else { return };
        (row.state, row.settled_at) = (FulfilmentState::Corrected, Some(self.now));
        (row.reason, row.detail) = (String::new(), format!("Corrected by the message {by}."));
        self.touched_rows.insert(id.clone());
        self.steps.push(Step::Corrected(id.clone()));
    }

    /// The body of a kept message that does not wait.
    fn settled(&self, id: &MessageId) -> Option<&str> {
        self.rows.get(id).filter(|row| row.state != FulfilmentState::Parked).map(|row| row.body.as_str())
    }

    /// Applies or parks a message that is new, or waits: a waiting one has said nothing yet, so it may be corrected.
    fn settle(&mut self, arrival: &Arrival) -> Receipt {
        let message = match self.judge(arrival) {
            Ok(message) => message.clone(),
            Err(refusal) => return self.park(arrival, refusal),
        };
        self.apply(&message);
        if self.rows.contains_key(&arrival.id) {
            self.steps.push(Step::Freed(arrival.id.clone()));
        }
        self.keep(arrival, FulfilmentState::Applied, "", "");
        Receipt { id: arrival.id.clone(), outcome: Outcome::Applied, reason: None, detail: None }
    }

    /// What the message says, unless it cannot be applied.
    fn judge<'a>(&self, arrival: &'a Arrival) -> Result<&'a Message, Refusal> {
        let message = arrival.message.as_ref().map_err(|why| Refusal::new(Reason::Malformed, why))?;
        if !self.merchants.contains(&message.merchant) {
            let text = format!("There is no merchant {} yet. Creating it replays this message.", message.merchant);
            return Err(Refusal::new(Reason::MerchantUnknown, text));
        }
        if message.at > self.now.plus_seconds(MOST_AHEAD) {
            let text = format!("at: {} is more than a day ahead of this host's clock, {}.", message.at, self.now);
            return Err(Refusal::new(Reason::FromTheFuture, text));
        }
        match self.instances.get(&message.instance) {
            Some(known) => agrees(message, known),
            None => Ok(message),
        }
    }

    fn apply(&mut self, message: &Message) {
        if message.kind != Kind::Unsubscribe {
            self.buyers.insert(message.merchant.clone());
        }
        let before = self.instances.get(&message.instance).cloned();
        let known = before.as_ref().map(ProductInstance::register);
        let register = known.clone().map_or_else(|| message.register(), |known| known.join(message.register()));
        let same_state = before.as_ref().is_some_and(|before| before.state == register.state(self.now));
        if known.as_ref() == Some(&register) && same_state {
            return;
        }
        let after = self.changed(message, before.clone(), register);
        self.touched_instances.insert(after.id.clone());
        self.instances.insert(after.id.clone(), after.clone());
        self.steps.push(Step::Changed { before: before.map(Box::new), after: Box::new(after) });
    }

    fn changed(&self, message: &Message, before: Option<ProductInstance>, register: Register) -> ProductInstance {
        let before = before.unwrap_or_else(|| ProductInstance {
            id: message.instance.clone(),
            merchant: message.merchant.clone(),
            product: message.product.clone(),
            name: message.product.to_string(),
            state: register.state(self.now),
            expires_at: None,
            said_at: message.at,
            said_kind: message.kind,
            said_by: message.id.clone(),
            left_at: None,
            named: None,
            created_at: self.now,
            updated_at: self.now,
        });
        before.with(register, self.now)
    }

    fn park(&mut self, arrival: &Arrival, refusal: Refusal) -> Receipt {
        let Refusal { reason, detail } = refusal;
        let known = self.rows.get(&arrival.id);
        if known.is_none_or(|row| row.reason != reason.as_str() || row.body != arrival.body) {
            self.steps.push(Step::Parked(arrival.id.clone()));
        }
        self.keep(arrival, FulfilmentState::Parked, reason.as_str(), &detail);
        let (id, detail) = (arrival.id.clone(), Some(detail));
        Receipt { id, outcome: Outcome::Parked, reason: Some(reason), detail }
    }

    fn keep(&mut self, arrival: &Arrival, state: FulfilmentState, reason: &str, detail: &str) {
        let known = self.rows.get(&arrival.id);
        let row = FulfilmentRow {
            id: arrival.id.clone(),
            merchant_id: arrival.merchant.clone(),
            state,
            reason: reason.to_owned(),
            detail: detail.to_owned(),
            body: arrival.body.clone(),
            attempts: known.map_or(0, |row| row.attempts) + 1,
            received_at: known.map_or(self.now, |row| row.received_at),
            settled_at: (state != FulfilmentState::Parked).then_some(self.now),
        };
        self.touched_rows.insert(row.id.clone());
        self.rows.insert(row.id.clone(), row);
    }
}

fn repeated(id: &MessageId) -> Receipt {
    Receipt { id: id.clone(), outcome: Outcome::Repeated, reason: None, detail: None }
}

/// A product instance never changes hands, nor what it is.
fn agrees<'a>(message: &'a Message, known: &ProductInstance) -> Result<&'a Message, Refusal> {
    if known.merchant != message.merchant {
        let text = format!("The product instance {} is another merchant's, not {}'s.", known.id, message.merchant);
        return Err(Refusal::new(Reason::MerchantDiffers, text));
    }
    if known.product != message.product {
        let text = format!("The product instance {} is of {}, not of {}.", known.id, known.product, message.product);
        return Err(Refusal::new(Reason::ProductDiffers, text));
    }
    Ok(message)
}

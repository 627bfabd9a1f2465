//! Decides what becomes of messages, given what is known. Pure: a transaction loads what the messages touch, lets the
//! ledger take them, and writes what the ledger then holds.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    clock::Millis,
    ids::{InstanceId, MerchantId, MessageId},
};
use berth_model::endpoint::{
    ProductInstance,
    fulfilment::message::{Arrival, MOST_AHEAD, Message, Reason, Refusal},
    fulfilment::{FulfilmentState, MessageKind, Receipt, ReceiptOutcome},
    register::Register,
};
use berth_store::endpoint::fulfilment::FulfilmentRow;

/// Something that happened while messages were taken, to be told by events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// A product instance was created or changed.
    Changed {
        /// The instance as it was; `None` when it is new.
        before: Option<Box<ProductInstance>>,
        /// The instance as it is now.
        after: Box<ProductInstance>,
    },
    /// A message was parked, or is parked for another reason or with another body than before.
    Parked(MessageId),
    /// A parked message was applied.
    Freed(MessageId),
    /// A parked message was corrected by another one.
    Corrected(MessageId),
}

impl Effect {
    /// Whether a product instance becomes active by a change, or ceases to be.
    pub(crate) fn moves(before: Option<&ProductInstance>, after: &ProductInstance) -> bool {
        before.is_some_and(ProductInstance::is_active) != after.is_active()
    }
}

/// Everything that is known of what some messages touch, and what they change of it.
pub struct Ledger {
    now: Millis,
    merchants: BTreeSet<MerchantId>,
    rows: BTreeMap<MessageId, FulfilmentRow>,
    instances: BTreeMap<InstanceId, ProductInstance>,
    discarded: BTreeSet<MessageId>,
    touched_rows: BTreeSet<MessageId>,
    touched_instances: BTreeSet<InstanceId>,
    /// What happened, in order; the events tell it.
    pub effects: Vec<Effect>,
    /// The merchants for whom a purchase or a renewal was applied: they must have a default endpoint application (E1). Without
    /// those who had the product instance active before, as they have one since then.
    pub buyers: BTreeSet<MerchantId>,
}

impl Ledger {
    /// A ledger of the merchants that exist, the stored messages and the product instances that are known.
    pub fn new(
        now: Millis,
        merchants: BTreeSet<MerchantId>,
        rows: Vec<FulfilmentRow>,
        instances: Vec<ProductInstance>,
    ) -> Self {
        let discarded = rows.iter().filter(|row| row.state == FulfilmentState::Discarded);
        Self {
            now,
            merchants,
            discarded: discarded.map(|row| row.id.clone()).collect(),
            rows: rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
            instances: instances.into_iter().map(|one| (one.id.clone(), one)).collect(),
            touched_rows: BTreeSet::new(),
            touched_instances: BTreeSet::new(),
            effects: Vec::new(),
            buyers: BTreeSet::new(),
        }
    }

    /// The messages that are to be written, ordered by id.
    pub(crate) fn touched_rows(&self) -> Vec<&FulfilmentRow> {
        self.touched_rows.iter().filter_map(|id| self.rows.get(id)).collect()
    }

    /// The product instances that are to be written, ordered by id.
    pub(crate) fn touched_instances(&self) -> Vec<&ProductInstance> {
        self.touched_instances.iter().filter_map(|id| self.instances.get(id)).collect()
    }

    /// The merchants whose default endpoint application matters: a product instance comes into it or leaves it, or it has to be
    /// created.
    pub(crate) fn merchants_by_default(&self) -> BTreeSet<MerchantId> {
        let moved = self.effects.iter().filter_map(|effect| match effect {
            Effect::Changed { before, after } if Effect::moves(before.as_deref(), after) => Some(&after.merchant),
            _ => None,
        });
        moved.chain(&self.buyers).cloned().collect()
    }

    /// The stored message with this id, if it is known.
    pub fn row(&self, id: &MessageId) -> Option<&FulfilmentRow> {
        self.rows.get(id)
    }

    /// The messages that were discarded when they were read, and may be taken up again.
    pub(crate) fn discarded(&self) -> &BTreeSet<MessageId> {
        &self.discarded
    }

    /// Applies or parks a message, unless it was taken before. What was discarded stays so, and other content under
    /// its id is a message like any other.
    pub fn take(&mut self, arrival: &Arrival) -> Receipt {
        if let Some(receipt) = self.stays_discarded(&arrival.id, arrival) {
            return receipt;
        }
        let Some(body) = self.settled(&arrival.id) else { return self.settle(arrival) };
        if arrival.repeats(body) {
            return Receipt::new(arrival.id.clone(), ReceiptOutcome::Repeated);
        }
        let other = Arrival { id: arrival.other_id(), ..arrival.clone() };
        let kept_as = Some(other.id.clone());
        if let Some(receipt) = self.stays_discarded(&other.id, arrival) {
            return Receipt { kept_as, ..receipt };
        }
        if self.settled(&other.id).is_some() {
            return Receipt::new(arrival.id.clone(), ReceiptOutcome::Repeated);
        }
        let text = format!("Another message with the id {} was applied. This one is kept as {}.", arrival.id, other.id);
        Receipt { id: arrival.id.clone(), kept_as, ..self.park(&other, Refusal::new(Reason::MessageContradicts, text)) }
    }

    /// Lets a discarded message wait once more, so that it can be taken.
    pub fn take_up(&mut self, id: &MessageId) {
        if let Some(row) = self.rows.get_mut(id).filter(|row| row.state == FulfilmentState::Discarded) {
            row.state = FulfilmentState::Parked;
        }
    }

    /// The receipt of a message that is stored under `id`, with the same content, and discarded.
    fn stays_discarded(&self, id: &MessageId, arrival: &Arrival) -> Option<Receipt> {
        let row = self.rows.get(id).filter(|row| row.state == FulfilmentState::Discarded)?;
        arrival.repeats(&row.body).then(|| Receipt {
            detail: Some(format!("{} Replay it to try it again.", discarded_in_words(row))),
            ..Receipt::new(arrival.id.clone(), ReceiptOutcome::Discarded)
        })
    }

    /// Whether the message is stored and parked.
    pub fn waits(&self, id: &MessageId) -> bool {
        self.rows.get(id).is_some_and(|row| row.state == FulfilmentState::Parked)
    }

    /// Marks a parked message as corrected by the message `by`.
    pub fn correct(&mut self, id: &MessageId, by: &MessageId) {
        let Some(row) = self.rows.get_mut(id) else { return };
        (row.state, row.settled_at) = (FulfilmentState::Corrected, Some(self.now));
        (row.reason, row.detail) = (String::new(), format!("Corrected by the message {by}."));
        (row.discarded_by, row.note) = (None, String::new());
        self.touched_rows.insert(id.clone());
        self.effects.push(Effect::Corrected(id.clone()));
    }

    /// The body of a stored message that was applied or corrected.
    fn settled(&self, id: &MessageId) -> Option<&str> {
        let settled = |row: &&FulfilmentRow| matches!(row.state, FulfilmentState::Applied | FulfilmentState::Corrected);
        self.rows.get(id).filter(settled).map(|row| row.body.as_str())
    }

    /// Applies or parks a message that is new, parked or discarded. The latter have changed nothing yet, so they may be
    /// replaced.
    fn settle(&mut self, arrival: &Arrival) -> Receipt {
        let message = match self.judge(arrival) {
            Ok(message) => message.clone(),
            Err(refusal) => return self.park(arrival, refusal),
        };
        let overtaken_by = self.apply(&message);
        if self.rows.contains_key(&arrival.id) {
            self.effects.push(Effect::Freed(arrival.id.clone()));
        }
        self.keep(arrival, FulfilmentState::Applied, "", "");
        Receipt { overtaken_by, ..Receipt::new(arrival.id.clone(), ReceiptOutcome::Applied) }
    }

    /// The message, unless it cannot be applied; then why.
    fn judge<'a>(&self, arrival: &'a Arrival) -> Result<&'a Message, Refusal> {
        let message = arrival.message.as_ref().map_err(|why| Refusal::new(Reason::Malformed, why))?;
        if !self.merchants.contains(&message.merchant) {
            let text = format!("There is no merchant {} yet. Creating it replays this message.", message.merchant);
            return Err(Refusal::new(Reason::MerchantUnknown, text));
        }
        if message.at > self.now.plus_seconds(MOST_AHEAD) {
            let text = format!("/at: {} is more than a day ahead of this host's clock, {}.", message.at, self.now);
            return Err(Refusal::new(Reason::FromTheFuture, text));
        }
        match self.instances.get(&message.instance) {
            Some(known) => agrees(message, known),
            None => Ok(message),
        }
    }

    /// Joins what the message says with what is known. Returns the newer message that had overtaken it, if one had.
    fn apply(&mut self, message: &Message) -> Option<MessageId> {
        let before = self.instances.get(&message.instance).cloned();
        if message.kind != MessageKind::Unsubscribe && !before.as_ref().is_some_and(ProductInstance::is_active) {
            self.buyers.insert(message.merchant.clone());
        }
        let known = before.as_ref().map(ProductInstance::register);
        let register = known.clone().map_or_else(|| message.register(), |known| known.join(message.register()));
        let overtaken_by = Some(&register.newest.by).filter(|by| **by != message.id).cloned();
        let same_state = before.as_ref().is_some_and(|before| before.state == register.state(self.now));
        if known.as_ref() == Some(&register) && same_state {
            return overtaken_by;
        }
        let after = self.changed(message, before.clone(), register);
        self.touched_instances.insert(after.id.clone());
        self.instances.insert(after.id.clone(), after.clone());
        self.effects.push(Effect::Changed { before: before.map(Box::new), after: Box::new(after) });
        overtaken_by
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
        let same = |row: &FulfilmentRow| row.reason == reason.as_str() && row.body == arrival.body;
        if !known.is_some_and(same) {
            self.effects.push(Effect::Parked(arrival.id.clone()));
        }
        self.keep(arrival, FulfilmentState::Parked, reason.as_str(), &detail);
        let (reason, detail) = (Some(reason), Some(detail));
        Receipt { reason, detail, ..Receipt::new(arrival.id.clone(), ReceiptOutcome::Parked) }
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
            discarded_by: None,
            note: String::new(),
        };
        self.touched_rows.insert(row.id.clone());
        self.rows.insert(row.id.clone(), row);
    }
}

/// When and why a message was discarded. Who did it is a member of its own, as an account is an id here.
pub(super) fn discarded_in_words(row: &FulfilmentRow) -> String {
    let at = row.settled_at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!("It was discarded{at}: {}", sentence(&row.note))
}

/// The text with a full stop, unless it ends like a sentence.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Refuses a message that names another merchant or product than the product instance has: neither ever changes.
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

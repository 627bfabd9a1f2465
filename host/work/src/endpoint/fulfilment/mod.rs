//! Fulfilment: the order system's messages may come in any order, any number of times and at any host, and lead to the
//! same result. A message that cannot be applied is parked with its reason and does not hold up others (E1, E4).

pub mod intake;
mod ledger;
pub mod listen;
mod stored;

pub use berth_model::endpoint::fulfilment::*;
pub use stored::{get, list};

use std::collections::BTreeSet;

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{EndpointAppId, MerchantId, MessageId},
};
use berth_model::{
    access::{Action, Caller, Scope},
    endpoint::{
        ProductInstance,
        fulfilment::message::{Arrival, Reason},
    },
    event::{Kind, kind},
};
use berth_store::{Db, Tx, endpoint::fulfilment::FulfilmentRow};
use serde_json::Value;

use crate::{
    endpoint::{membership, org},
    event,
};
use intake::Intake;
use ledger::{Effect, Ledger};

/// How often a transaction is tried when another one writes messages with the same ids at the same time.
const TRIES: usize = 8;

/// The messages in the body of a request, which is `{"messages": […]}` or one message. The messages themselves are not
/// checked here.
///
/// # Errors
/// `invalid-field` when there are none or more than [`MOST`].
pub fn messages_of(body: Value) -> Result<Vec<Value>> {
    let messages = match body {
        Value::Object(mut members) if members.contains_key("messages") => members.remove("messages"),
        one => return Ok(vec![one]),
    };
    match messages {
        Some(Value::Array(messages)) if (1..=MOST).contains(&messages.len()) => Ok(messages),
        _ => Err(Error::field("messages", format!("must be a list of 1 to {MOST} messages."))),
    }
}

/// Takes messages that the order system sent in a request. The caller needs the `Fulfil` grant on the platform.
#[tracing::instrument(name = "fulfilment.deliver", skip_all, fields(messages = messages.len()))]
pub async fn deliver(intake: &Intake, caller: &Caller, messages: &[Value]) -> Result<Receipts> {
    caller.require(Action::Fulfil, &Scope::Platform)?;
    receive(intake, caller.account.as_str(), messages).await
}

/// Takes messages, and answers once what became of them is stored. When it fails half-way, sending all of them again is
/// safe and completes the rest.
pub async fn receive(intake: &Intake, actor: &str, messages: &[Value]) -> Result<Receipts> {
    let mut results = Vec::with_capacity(messages.len());
    for messages in messages.chunks(MOST) {
        let arrivals = messages.iter().map(Arrival::read).collect();
        results.extend(intake.take(actor, arrivals).await?);
    }
    Ok(Receipts { results })
}

/// Messages that are settled in one transaction.
pub(super) struct Batch<'a> {
    /// Who sent them, as the actor of the events.
    pub actor: &'a str,
    /// The messages, [`MOST`] at most.
    pub arrivals: Vec<&'a Arrival>,
    /// The stored message that is replayed by the only message in the batch.
    pub replays: Option<Replayed>,
}

/// A stored message that is replayed.
pub(super) struct Replayed {
    /// Its id. A discarded one waits again.
    pub id: MessageId,
    /// Whether another message corrects it. It must still wait then.
    pub corrected: bool,
}

impl Batch<'_> {
    /// Settles all messages, and answers what became of each, in their order.
    ///
    /// # Errors
    /// `unavailable` when other transactions kept writing the same ids.
    pub async fn settle(&self, db: &Db) -> Result<Vec<Receipt>> {
        for _ in 0..TRIES {
            let mut tx = db.begin().await?;
            if let Some(receipts) = self.settle_in(&mut tx).await? {
                tx.commit().await?;
                return Ok(receipts);
            }
        }
        Err(Error::new(Code::Unavailable, "The same messages are being sent in other requests. Send them again."))
    }

    /// Settles all messages in `tx`. `None` when another transaction has just written the same ids; then `tx` must not
    /// be committed.
    ///
    /// Merchants, product instances and messages are each taken in the order of their ids, so that no two transactions
    /// wait for each other.
    async fn settle_in(&self, tx: &mut Tx) -> Result<Option<Vec<Receipt>>> {
        let mut ledger = self.open(tx, tx.now()).await?;
        if let Some(replayed) = &self.replays {
            ledger.take_up(&replayed.id);
            replayed.require_waiting(&ledger)?;
        }
        let receipts: Vec<_> = self.arrivals.iter().map(|arrival| ledger.take(arrival)).collect();
        if let (Some(replayed), Some(receipt)) = (&self.replays, receipts.first())
            && replayed.corrected
            && matches!(receipt.outcome, ReceiptOutcome::Applied | ReceiptOutcome::Repeated)
            && receipt.id != replayed.id
        {
            ledger.correct(&replayed.id, &receipt.id);
        }
        let (instances, rows) = (ledger.touched_instances(), ledger.touched_rows());
        if !tx.write_instances(&instances).await? || !tx.write_fulfilments(&rows, ledger.discarded()).await? {
            return Ok(None);
        }
        self.tell(tx, ledger).await?;
        Ok(Some(receipts))
    }

    /// Loads everything that the messages touch, and holds their merchants.
    async fn open(&self, tx: &mut Tx, now: Millis) -> Result<Ledger> {
        let messages: Vec<_> = self.arrivals.iter().filter_map(|arrival| arrival.message.as_ref().ok()).collect();
        let named: BTreeSet<_> = messages.iter().map(|message| &message.merchant).collect();
        let merchants = tx.hold_merchants(&named).await?;
        let own = self.arrivals.iter().flat_map(|arrival| [arrival.id.clone(), arrival.other_id()]);
        let ids = own.chain(self.replays.as_ref().map(|replayed| replayed.id.clone())).collect();
        let rows = tx.fulfilments(&ids).await?;
        let instances = messages.iter().map(|message| message.instance.clone()).collect();
        Ok(Ledger::new(now, merchants, rows, tx.product_instances(&instances).await?))
    }

    /// Creates default endpoint applications, emits the events, and ends what was chosen and is unsubscribed now.
    async fn tell(&self, tx: &mut Tx, ledger: Ledger) -> Result<()> {
        let mut defaults = tx.default_endpoints(&ledger.merchants_by_default()).await?;
        for merchant in &ledger.buyers {
            if !defaults.contains_key(merchant) {
                let default = membership::create_default(tx, self.actor, merchant).await?;
                defaults.insert(merchant.clone(), default);
            }
        }
        let mut left = BTreeSet::new();
        for effect in &ledger.effects {
            match effect {
                Effect::Parked(id) => self.tell_of_message(tx, kind::FULFILMENT_PARKED, ledger.row(id)),
                Effect::Corrected(id) => self.tell_of_message(tx, kind::FULFILMENT_CORRECTED, ledger.row(id)),
                Effect::Freed(id) => self.tell_of_message(tx, kind::FULFILMENT_APPLIED, ledger.row(id)),
                Effect::Changed { before, after } => {
                    let default = defaults.get(&after.merchant);
                    if self.tell_of_change(tx, default, before.as_deref(), after).await? {
                        left.insert(&after.merchant);
                    }
                }
            }
        }
        for merchant in left {
            org::prune_assignments(tx, self.actor, merchant).await?;
        }
        Ok(())
    }

    fn tell_of_message(&self, tx: &mut Tx, kind: Kind<Fulfilment>, row: Option<&FulfilmentRow>) {
        let Some(row) = row else { return };
        let event = tx.tell(kind, &row.id, self.actor, &Fulfilment::from(row));
        if let Some(merchant) = &row.merchant_id {
            event.for_merchant(merchant);
        }
    }

    /// Emits the events of a changed product instance. True when it left an endpoint application or a node for which it
    /// had been chosen.
    async fn tell_of_change(
        &self,
        tx: &mut Tx,
        default: Option<&EndpointAppId>,
        before: Option<&ProductInstance>,
        after: &ProductInstance,
    ) -> Result<bool> {
        let kind = if before.is_some() { kind::PRODUCT_INSTANCE_CHANGED } else { kind::PRODUCT_INSTANCE_CREATED };
        tx.tell(kind, &after.id, self.actor, after).for_merchant(&after.merchant);
        if let Some(default) = default.filter(|_| Effect::moves(before, after)) {
            membership::follow_state(tx, self.actor, default, after);
        }
        match (before, after.left_at) {
            (Some(before), Some(at)) if before.left_at < Some(at) => membership::leave(tx, self.actor, after, at).await,
            _ => Ok(false),
        }
    }
}

impl Replayed {
    /// Refuses to correct a message that does not wait any more, as its correction would be applied a second time.
    fn require_waiting(&self, ledger: &Ledger) -> Result<()> {
        if !self.corrected || ledger.waits(&self.id) {
            return Ok(());
        }
        let detail = format!("The message {} does not wait any more. Look at what became of it.", self.id);
        Err(Error::new(Code::FulfilmentSettled, detail))
    }
}

/// Applies the messages that waited for a merchant which now exists, 1,000 at most. The rest, and messages that were
/// parked while it was being created, are applied by `ticker` within a second.
pub(super) async fn replay_for(tx: &mut Tx, merchant: &MerchantId) -> Result<()> {
    let waiting = ReplayAll { reason: Some(Reason::MerchantUnknown), merchant: Some(merchant.clone()) };
    let rows = tx.parked_fulfilments(&waiting, MOST).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let arrivals: Vec<_> = rows.iter().map(|row| Arrival::again(&row.body)).collect();
    let batch = Batch { actor: event::BERTH, arrivals: arrivals.iter().collect(), replays: None };
    let settled = batch.settle_in(tx).await?;
    settled
        .map(drop)
        .ok_or_else(|| Error::new(Code::Unavailable, "The merchant's messages are just being sent. Try again."))
}

/// Discards a parked message: it is not to be applied, and does not wait any more. The note says why.
///
/// # Errors
/// `not-found`, `invalid-field` for the note, and `fulfilment-settled` when the message does not wait.
#[tracing::instrument(name = "fulfilment.discard", skip_all, fields(message = %id))]
pub async fn discard(db: &Db, caller: &Caller, id: &MessageId, discard: Discard) -> Result<Fulfilment> {
    caller.require(Action::Fulfil, &Scope::Platform)?;
    let note = discard.reason()?;
    let (mut tx, actor) = (db.begin().await?, caller.account.as_str());
    let Some(row) = tx.discard_fulfilment(id, actor, &note).await? else {
        let row = tx.fulfilment(id).await?.ok_or_else(|| Error::not_found("fulfilment message", id))?;
        return Err(does_not_wait(&row));
    };
    let discarded = Fulfilment::from(&row);
    let event = tx.tell(kind::FULFILMENT_DISCARDED, id, actor, &discarded);
    if let Some(merchant) = &row.merchant_id {
        event.for_merchant(merchant);
    }
    tx.commit().await?;
    Ok(discarded)
}

/// The refusal of a message that is to be discarded and is not parked.
fn does_not_wait(row: &FulfilmentRow) -> Error {
    let detail = match row.state {
        FulfilmentState::Discarded => ledger::discarded_in_words(row),
        state => format!("The message {} is {state}, and does not wait any more.", row.id),
    };
    Error::new(Code::FulfilmentSettled, detail).with("state", row.state)
}

/// Tries a parked or discarded message again, corrected or as it was. One that was applied or corrected is answered
/// with `repeated`.
///
/// # Errors
/// `not-found`, `invalid-field` when the correction is not a message, and `fulfilment-settled` when the message was
/// corrected by somebody else in the meantime.
#[tracing::instrument(name = "fulfilment.replay", skip_all, fields(message = %id))]
pub async fn replay(db: &Db, caller: &Caller, id: &MessageId, replay: Replay) -> Result<Receipt> {
    caller.require(Action::Fulfil, &Scope::Platform)?;
    let row = db.read().await?.fulfilment(id).await?;
    let row = row.ok_or_else(|| Error::not_found("fulfilment message", id))?;
    if matches!(row.state, FulfilmentState::Applied | FulfilmentState::Corrected) {
        return Ok(Receipt::new(row.id, ReceiptOutcome::Repeated));
    }
    let arrival = match &replay.message {
        Some(corrected) => Arrival::read(corrected),
        None => Arrival::again(&row.body),
    };
    if let (Some(_), Err(why)) = (&replay.message, &arrival.message) {
        let text = format!("The corrected message is none: {why}");
        return Err(Error::new(Code::InvalidField, text).with("field", "message").with("pointer", "/message"));
    }
    let replays = Some(Replayed { id: row.id, corrected: replay.message.is_some() });
    let batch = Batch { actor: caller.account.as_str(), arrivals: vec![&arrival], replays };
    let receipts = batch.settle(db).await?;
    receipts.into_iter().next().ok_or_else(|| Error::internal(anyhow::anyhow!("a message without a receipt")))
}

/// Tries parked messages again: those with the fewest attempts first, 1,000 at most.
#[tracing::instrument(name = "fulfilment.replay_all", skip_all)]
pub async fn replay_all(db: &Db, intake: &Intake, caller: &Caller, which: &ReplayAll) -> Result<Receipts> {
    caller.require(Action::Fulfil, &Scope::Platform)?;
    let rows = db.read().await?.parked_fulfilments(which, MOST).await?;
    if rows.is_empty() {
        return Ok(Receipts { results: Vec::new() });
    }
    let arrivals = rows.iter().map(|row| Arrival::again(&row.body)).collect();
    Ok(Receipts { results: intake.take(caller.account.as_str(), arrivals).await? })
}

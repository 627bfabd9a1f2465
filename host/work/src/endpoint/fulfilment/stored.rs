//! The stored fulfilment messages, as they are shown.

use berth_base::{
    error::{Code, Error, Result},
    ids::{MerchantId, MessageId},
    page::Page,
};
use berth_model::access::{Action, Caller, Scope};
use berth_model::endpoint::fulfilment::{Fulfilment, FulfilmentQuery, Place};
use berth_store::Db;

/// One stored message.
///
/// # Errors
/// `missing-grant` unless the caller has the `Fulfil` grant on the platform, or reads what the merchant has that the
/// message names; it is the same for a message that is not there. Else `not-found`.
pub async fn get(db: &Db, caller: &Caller, id: &MessageId) -> Result<Fulfilment> {
    let row = db.read().await?.fulfilment(id).await?;
    require_reader(caller, row.as_ref().and_then(|row| row.merchant_id.as_ref()))?;
    row.as_ref().map(Fulfilment::from).ok_or_else(|| Error::not_found("fulfilment message", id))
}

/// One page of the stored messages, newest first.
///
/// # Errors
/// `missing-grant` unless the caller has the `Fulfil` grant on the platform, or reads what the merchant has that the
/// query names.
pub async fn list(db: &Db, caller: &Caller, query: &FulfilmentQuery) -> Result<Page<Fulfilment>> {
    require_reader(caller, query.merchant.as_ref())?;
    let before = query.cursor.as_deref().map(Place::read).transpose()?;
    let rows = db.read().await?.fulfilments_of(query, before.as_ref()).await?;
    let page = query.page();
    Ok(Page::of(rows.iter().map(Fulfilment::from).collect(), &page, |one| {
        Place(one.received_at, one.id.clone()).text()
    }))
}

/// Refuses whoever may not read messages that name `merchant`: those who look after all messages may, those who read the
/// whole platform, and members of the merchant.
fn require_reader(caller: &Caller, merchant: Option<&MerchantId>) -> Result<()> {
    if caller.can(Action::Read, &Scope::Platform) {
        return Ok(());
    }
    let Err(refusal) = caller.require(Action::Fulfil, &Scope::Platform) else { return Ok(()) };
    match merchant.map(|id| Scope::Merchant(id.clone())).filter(|scope| caller.knows(scope)) {
        Some(scope) => caller.require(Action::Read, &scope),
        None => Err(with_way_for_members(caller, refusal)),
    }
}

/// The refusal, with what members of a merchant may ask for.
fn with_way_for_members(caller: &Caller, mut refusal: Error) -> Error {
    refusal.detail += " Members of a merchant read the messages that name it: ask with merchant=BOS_ID.";
    let own = caller.grants.iter().find_map(|(scope, _)| match scope {
        Scope::Merchant(id) => Some(id),
        _ => None,
    });
    match own {
        Some(id) if refusal.code == Code::MissingGrant => {
            refusal.next(format!("berth fulfilment list --merchant {id}"))
        }
        _ => refusal,
    }
}

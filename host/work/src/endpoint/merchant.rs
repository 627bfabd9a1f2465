//! Merchants: the owners of product instances and endpoint applications. A merchant's id is its BosID.

pub use berth_model::endpoint::merchant::*;

use berth_base::{
    error::{Code, Error, Result},
    ids::MerchantId,
    page::{Page, PageQuery},
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller, Scope, TokenScope},
    event::kind,
};
use berth_store::{Db, Tx};

use crate::endpoint::fulfilment;

/// The merchant, when the caller may do `action` to what the merchant owns.
///
/// # Errors
/// `not-found` when the caller may not know of the merchant, `missing-grant` when the role or the token is not enough.
pub async fn authorise(tx: &mut Tx, caller: &Caller, id: &MerchantId, action: Action) -> Result<Merchant> {
    let scope = Scope::Merchant(id.clone());
    let merchant = tx.merchant(id).await?.filter(|_| caller.knows(&scope));
    let merchant = merchant.ok_or_else(|| Error::not_found("merchant", id))?;
    caller.require(action, &scope)?;
    Ok(merchant)
}

/// As [`authorise`], and holds the merchant until the transaction ends, so that changes to its endpoint applications
/// happen one after the other.
pub(crate) async fn authorise_change(
    tx: &mut Tx,
    caller: &Caller,
    id: &MerchantId,
    action: Action,
) -> Result<Merchant> {
    authorise(tx, caller, id, action).await?;
    tx.hold_merchant(id).await
}

/// Creates a merchant; only an admin of the platform may. The fulfilment messages that waited for the merchant are
/// applied.
///
/// # Errors
/// `merchant-exists` when the id is taken.
#[tracing::instrument(name = "merchant.create", skip_all)]
pub async fn create(db: &Db, caller: &Caller, new: NewMerchant) -> Result<Merchant> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = db.begin().await?;
    let merchant = Merchant {
        id: new.id.unwrap_or_else(|| MerchantId::generate(db.random())),
        name: text::name("name", &new.name, 64)?,
        unify_users: new.unify_users,
        created_at: tx.now(),
    };
    let inserted = tx.insert_merchant(&merchant).await;
    match inserted {
        Err(error) if is_unique_violation(&error) => {
            let detail = format!("The id {} is taken. Choose another one.", merchant.id);
            return Err(Error::new(Code::MerchantExists, detail));
        }
        inserted => inserted?,
    };
    tx.tell(kind::MERCHANT_CREATED, &merchant.id, caller.account.as_str(), &merchant).for_merchant(&merchant.id);
    fulfilment::replay_for(&mut tx, &merchant.id).await?;
    tx.commit().await?;
    Ok(merchant)
}

/// Edits a merchant. When nothing changes, nothing is written.
#[tracing::instrument(name = "merchant.edit", skip_all, fields(merchant = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &MerchantId, edit: EditMerchant) -> Result<Merchant> {
    let mut tx = db.begin().await?;
    let before = authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let mut merchant = before.clone();
    if let Some(name) = &edit.name {
        merchant.name = text::name("name", name, 64)?;
    }
    merchant.unify_users = edit.unify_users.unwrap_or(merchant.unify_users);
    if merchant == before {
        return Ok(merchant);
    }
    tx.update_merchant(&merchant).await?;
    let event = tx.tell(kind::MERCHANT_EDITED, &merchant.id, caller.account.as_str(), &merchant);
    event.for_merchant(id).was(Some(&before));
    tx.commit().await?;
    Ok(merchant)
}

/// One merchant.
///
/// # Errors
/// As [`authorise`].
pub async fn get(db: &Db, caller: &Caller, id: &MerchantId) -> Result<Merchant> {
    authorise(&mut db.read().await?, caller, id, Action::Read).await
}

/// One page of the merchants that the caller may know of, ordered by id.
pub async fn list(db: &Db, caller: &Caller, query: &PageQuery) -> Result<Page<Merchant>> {
    caller.require_scope(TokenScope::Read)?;
    let items = db.read().await?.merchants_known_to(caller, query).await?;
    Ok(Page::of(items, query, |merchant| merchant.id.to_string()))
}

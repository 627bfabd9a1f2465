//! Product instances: what a merchant bought, as the messages of the order system say.

pub use berth_model::endpoint::instance::*;

use berth_base::{
    error::{Code, Error, Result},
    ids::{InstanceId, MerchantId},
    page::Page,
};
use berth_model::access::{Action, Caller, Scope, TokenScope};
use berth_store::{Db, Tx};

use super::owned::Owned;
use crate::endpoint::{merchant, owned};

/// One page of the product instances that the caller may know of and that the query asks for, ordered by id.
pub async fn list(db: &Db, caller: &Caller, query: &InstanceQuery) -> Result<Page<ProductInstance>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    if let Some(id) = &query.merchant {
        merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    }
    let items = tx.product_instances_known_to(caller, query).await?;
    Ok(Page::of(items, &query.page(), |instance| instance.id.to_string()))
}

/// One product instance.
///
/// # Errors
/// `not-found`, also when the caller may not know of it.
pub async fn get(db: &Db, caller: &Caller, id: &InstanceId) -> Result<ProductInstance> {
    owned::authorise(&mut db.read().await?, caller, id, Action::Read).await
}

/// Refuses product instances that are another merchant's, with whose they are, as far as the caller may know that
/// merchant. All others are left to whoever takes them, for whom they do not exist.
///
/// # Errors
/// `not-found` with `merchant`.
pub(crate) async fn refuse_foreign(
    tx: &mut Tx,
    caller: &Caller,
    merchant: &MerchantId,
    ids: impl IntoIterator<Item = &InstanceId>,
) -> Result<()> {
    let found = tx.product_instances(&ids.into_iter().cloned().collect()).await?;
    let is_known = |one: &ProductInstance| caller.knows(&Scope::Merchant(one.merchant.clone()));
    match found.into_iter().find(|one| one.merchant != *merchant && is_known(one)) {
        None => Ok(()),
        Some(ProductInstance { id, merchant: owner, .. }) => {
            let text = format!("The product instance {id} is {owner}'s, not {merchant}'s.");
            let error = Error::new(Code::NotFound, text).with("what", ProductInstance::WHAT).with("merchant", owner);
            Err(error.next(format!("berth product list --merchant {merchant}")))
        }
    }
}

impl Owned for ProductInstance {
    const WHAT: &'static str = "product instance";
    type Id = InstanceId;

    async fn load(tx: &mut Tx, id: &InstanceId) -> Result<Option<Self>> {
        tx.product_instance(id).await
    }

    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

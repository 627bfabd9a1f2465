//! Access to what merchants own: who may see it, and who may change it.

use berth_base::{
    error::{Error, Result},
    ids::MerchantId,
};
use berth_model::access::{Action, Caller, Scope};
use berth_model::endpoint::Merchant;
use berth_store::Tx;

/// Something that belongs to one merchant for ever.
pub trait Owned: Sized + Send {
    /// What it is called in error messages, such as `channel`.
    const WHAT: &'static str;
    /// The type of its id.
    type Id: std::fmt::Display + Sync;

    /// Loads it; `None` when there is none with this id.
    fn load(tx: &mut Tx, id: &Self::Id) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// The merchant that owns it.
    fn merchant(&self) -> &MerchantId;
}

fn none<T: Owned>(id: &T::Id) -> Error {
    Error::not_found(T::WHAT, id)
}

/// Loads something that a merchant owns, when the caller may do `action` to it.
///
/// # Errors
/// `not-found` when the caller may not know of it, `missing-grant` when the role or the token is not enough.
pub async fn authorise<T: Owned>(tx: &mut Tx, caller: &Caller, id: &T::Id, action: Action) -> Result<T> {
    let known = T::load(tx, id).await?.filter(|it| caller.knows(&Scope::Merchant(it.merchant().clone())));
    let it = known.ok_or_else(|| none::<T>(id))?;
    caller.require(action, &Scope::Merchant(it.merchant().clone()))?;
    Ok(it)
}

/// As [`authorise`] with [`Action::Operate`], and holds the merchant. It is loaded after that, so nobody else changes
/// it until the transaction ends.
pub async fn hold<T: Owned>(tx: &mut Tx, caller: &Caller, id: &T::Id) -> Result<(Merchant, T)> {
    let it = authorise::<T>(tx, caller, id, Action::Operate).await?;
    let merchant = tx.hold_merchant(it.merchant()).await?;
    Ok((merchant, T::load(tx, id).await?.ok_or_else(|| none::<T>(id))?))
}

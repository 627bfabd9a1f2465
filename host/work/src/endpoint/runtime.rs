//! What a check tells a MiniApp that is a channel of an endpoint application (E11): the merchant, the products and the
//! organisation nodes. Assembled from rows by a pure function, serialised once, and shared.

pub use berth_model::endpoint::runtime::*;

use berth_base::{
    error::Result,
    ids::{EndpointAppId, MerchantId},
};
use berth_model::{
    access::{Action, Caller},
    endpoint::EndpointApp,
    runtime::Runtime,
};
use berth_store::{Db, Tx};

use crate::endpoint::owned;

/// What a check would carry for the MiniApps of an endpoint application.
///
/// # Errors
/// `not-found` when the caller may not know of the endpoint application.
pub async fn get(db: &Db, caller: &Caller, cid: &EndpointAppId) -> Result<Runtime> {
    let mut tx = db.read().await?;
    let endpoint = owned::authorise::<EndpointApp>(&mut tx, caller, cid, Action::Read).await?;
    of_endpoint_app(&mut tx, &endpoint.merchant, cid).await
}

/// As [`get`], without asking whether the caller may.
pub(crate) async fn of_endpoint_app(tx: &mut Tx, merchant: &MerchantId, cid: &EndpointAppId) -> Result<Runtime> {
    let holdings = tx.holdings_of(merchant).await?;
    Ok(Runtime { endpoint: Some(holdings.endpoint(merchant, cid)?), ..Runtime::default() })
}

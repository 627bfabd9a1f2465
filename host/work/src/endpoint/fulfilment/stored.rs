//! The stored fulfilment messages, as they are shown.

use berth_base::{
    error::{Error, Result},
    ids::MessageId,
    page::Page,
};
use berth_model::access::{Action, Caller, Scope};
use berth_model::endpoint::fulfilment::{Fulfilment, FulfilmentQuery, Place};
use berth_store::Db;

/// One stored message. The caller needs the `Fulfil` grant on the platform.
pub async fn get(db: &Db, caller: &Caller, id: &MessageId) -> Result<Fulfilment> {
    caller.require(Action::Fulfil, &Scope::Platform)?;
    let row = db.read().await?.fulfilment(id).await?;
    row.as_ref().map(Fulfilment::from).ok_or_else(|| Error::not_found("fulfilment message", id))
}

/// One page of the stored messages, newest first. The caller needs the `Fulfil` grant on the platform.
pub async fn list(db: &Db, caller: &Caller, query: &FulfilmentQuery) -> Result<Page<Fulfilment>> {
    caller.require(Action::Fulfil, &Scope::Platform)?;
    let before = query.cursor.as_deref().map(Place::read).transpose()?;
    let rows = db.read().await?.fulfilments_of(query, before.as_ref()).await?;
    let page = query.page();
    Ok(Page::of(rows.iter().map(Fulfilment::from).collect(), &page, |one| {
        Place(one.received_at, one.id.clone()).text()
    }))
}

//! Entry pages: where visitors of a merchant are sent on to.

use berth_base::{
    error::{Code, Error, Result},
    ids::{EntryPageName, MerchantId},
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    official_account::{EntryPage, PutEntryPage, address},
};
use berth_store::Db;

use crate::endpoint::merchant;

/// How many pages a merchant has, at most.
const MOST: usize = 100;

/// The entry pages of a merchant, by name.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn pages(db: &Db, caller: &Caller, id: &MerchantId) -> Result<Vec<EntryPage>> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.entry_pages(id).await
}

/// Registers an entry page, in place of the one that may have its name. When nothing changes, nothing is written.
///
/// # Errors
/// `invalid-field` for the address; `official-account-limit`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "entry_page.put", skip_all, fields(merchant = %id, page = %name))]
pub async fn put_page(
    db: &Db,
    caller: &Caller,
    id: &MerchantId,
    name: EntryPageName,
    put: PutEntryPage,
) -> Result<EntryPage> {
    let url = address("url", &put.url)?;
    let mut tx = db.begin().await?;
    merchant::authorise_change(&mut tx, caller, id, Action::Operate).await?;
    let there = tx.entry_pages(id).await?;
    let former = there.iter().find(|page| page.name == name);
    if let Some(former) = former.filter(|former| former.url == url) {
        return Ok(former.clone());
    }
    if former.is_none() && there.len() >= MOST {
        let detail = format!("{id} has {MOST} entry pages. Remove one that is not in use.");
        let refused = Error::new(Code::OfficialAccountLimit, detail).with("limit", MOST);
        return Err(refused.next(format!("berth official-account pages {id}")));
    }
    let changed_by = caller.account.to_string();
    let page = EntryPage { merchant: id.clone(), name, url, changed_by, changed_at: tx.now() };
    tx.put_entry_page(&page).await?;
    tx.tell(kind::ENTRY_PAGE_SET, id, caller.account.as_str(), &page).for_merchant(id);
    tx.commit().await?;
    Ok(page)
}

/// Removes an entry page: links that lead to it show that there is none.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "entry_page.remove", skip_all, fields(merchant = %id, page = %name))]
pub async fn remove_page(db: &Db, caller: &Caller, id: &MerchantId, name: &EntryPageName) -> Result<()> {
    let mut tx = db.begin().await?;
    merchant::authorise_change(&mut tx, caller, id, Action::Operate).await?;
    let gone = tx.entry_page(id, name).await?.ok_or_else(|| Error::not_found("entry page", name))?;
    tx.delete_entry_page(id, name).await?;
    tx.tell(kind::ENTRY_PAGE_REMOVED, id, caller.account.as_str(), &gone).for_merchant(id);
    tx.commit().await
}

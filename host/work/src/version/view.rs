//! Versions as their readers see them.

use berth_base::{
    error::Result,
    ids::MiniAppId,
    page::{Page, PageQuery},
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller},
    version::{Version, upload::VersionDetail},
};
use berth_store::Db;

use super::readable;
use crate::mini_app;

/// One version with its newest audit, for a caller who may read the MiniApp or was asked to decide on the version.
/// `not-found` when there is no such version.
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId, number: &VersionNumber) -> Result<VersionDetail> {
    let mut tx = db.read().await?;
    let row = readable(&mut tx, caller, id, number).await?;
    let audit = crate::audit::latest(&mut tx, &row.id).await?;
    Ok(VersionDetail { version: row.into(), audit })
}

/// A page of the versions of a MiniApp without their pages and warnings, newest upload first.
pub async fn list(db: &Db, caller: &Caller, id: &MiniAppId, page: &PageQuery) -> Result<Page<Version>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let rows = tx.versions(id, page).await?;
    let page = Page::of(rows, page, |row| row.id.to_string());
    Ok(Page { items: page.items.into_iter().map(|row| Version::from(row).brief()).collect(), next: page.next })
}

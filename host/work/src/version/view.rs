//! Versions as their readers see them.

use berth_base::{
    error::Result,
    ids::MiniAppId,
    page::{Page, PageQuery},
    version::VersionNumber,
};
use berth_model::{
    access::Caller,
    version::{Version, VersionDetail},
};
use berth_store::Db;

use super::readable;
use crate::mini_app::{self, Reader};

/// One version with its newest audit, for a caller who may read the MiniApp or was asked to decide on the version. Who may
/// read a host app that the MiniApp is bound to sees a published version, without an audit in which it had no part (A5).
/// `not-found` when there is no such version.
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId, number: &VersionNumber) -> Result<VersionDetail> {
    let mut tx = db.read().await?;
    match readable(&mut tx, caller, id, number).await {
        Ok(row) => {
            let audit = crate::audit::latest(&mut tx, &row.id).await?;
            Ok(VersionDetail { version: row.into(), audit })
        }
        Err(refusal) => {
            let (_, reader) = mini_app::readable(&mut tx, caller, id).await?;
            let row = tx.version(id, number).await?.filter(|row| reader != Reader::Team && row.state.was_published());
            row.map(|row| VersionDetail { version: row.into(), audit: None }).ok_or(refusal)
        }
    }
}

/// A page of the versions of a MiniApp without their pages and warnings, newest upload first. Who may read a host app that
/// it is bound to sees those that were published or submitted to that host app (A5).
pub async fn list(db: &Db, caller: &Caller, id: &MiniAppId, page: &PageQuery) -> Result<Page<Version>> {
    let mut tx = db.read().await?;
    let rows = match mini_app::readable(&mut tx, caller, id).await?.1 {
        Reader::Team => tx.versions(id, page).await?,
        Reader::HostApps(own) => tx.versions_shown_to(&own, id, page).await?,
    };
    let page = Page::of(rows, page, |row| row.id.to_string());
    Ok(Page { items: page.items.into_iter().map(|row| Version::from(row).brief()).collect(), next: page.next })
}

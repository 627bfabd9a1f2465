//! Audits: the judgement of a version, first by policies, then by one person for each bound host app (V4–V6).

mod ask;
mod decide;
mod desk;
mod replay;
mod summary;
mod supply;
mod worker;

pub use berth_model::audit::*;
pub use decide::{decide, submit, withdraw};
pub use desk::Audits;
pub use replay::replay;
pub use summary::summary;
pub use worker::run as run_worker;

use berth_base::{
    error::{Error, Result},
    ids::{AuditId, HostAppId, MiniAppId, VersionId},
    page::Page,
    version::VersionNumber,
};
use berth_model::access::{Action, Caller, Scope};
use berth_store::{Db, Tx, audit::AuditRow};

use crate::{host_app, version};

/// Adds the items and evaluations of an audit to its row.
pub async fn whole(tx: &mut Tx, row: AuditRow) -> Result<Audit> {
    let id = row.id.clone();
    all_whole(tx, vec![row]).await?.pop().ok_or_else(|| Error::not_found("audit", id))
}

/// As [`whole`], for a list: two statements are enough, however long it is.
async fn all_whole(tx: &mut Tx, rows: Vec<AuditRow>) -> Result<Vec<Audit>> {
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let mut items = tx.audit_items(&ids).await?;
    let mut evaluations = tx.evaluations(&ids).await?;
    let mut of = |row: AuditRow| {
        let (items, evaluations) = (items.remove(&row.id), evaluations.remove(&row.id));
        put_together(row, items.unwrap_or_default(), evaluations.unwrap_or_default())
    };
    Ok(rows.into_iter().map(&mut of).collect())
}

fn put_together(row: AuditRow, items: Vec<AuditItem>, evaluations: Vec<Evaluation>) -> Audit {
    Audit {
        id: row.id,
        mini_app: row.mini_app_id,
        version: row.number,
        state: row.state,
        reason: row.reason,
        sha256: row.sha256,
        submitted_by: row.submitted_by,
        created_at: row.created_at,
        closed_at: row.closed_at,
        items,
        failed_open: failed_open(&evaluations),
        evaluations,
    }
}

/// One audit, for members of the MiniApp's team and of the host apps that decide in it; for all others `not-found`.
pub async fn get(db: &Db, caller: &Caller, id: &AuditId) -> Result<Audit> {
    caller.require_scope(berth_model::access::TokenScope::Read)?;
    let mut tx = db.read().await?;
    let row = tx.audit(id).await?.ok_or_else(|| Error::not_found("audit", id))?;
    let audit = whole(&mut tx, row).await?;
    if readable(&mut tx, caller, &audit).await? {
        return Ok(audit);
    }
    Err(Error::not_found("audit", id))
}

/// Whether the caller has a role in the MiniApp's team, or one that reads in a host app that decides in the audit.
async fn readable(tx: &mut Tx, caller: &Caller, audit: &Audit) -> Result<bool> {
    if audit.items.iter().any(|item| caller.reads(&Scope::HostApp(item.host_app.clone()))) {
        return Ok(true);
    }
    let team = tx.mini_app(&audit.mini_app).await?.map(|mini_app| mini_app.scope());
    Ok(team.is_some_and(|team| caller.knows(&team)))
}

/// All audits of a version, newest first (V6), for a caller who may read the MiniApp or was asked to decide on the
/// version.
pub async fn of_version(db: &Db, caller: &Caller, mini_app: &MiniAppId, number: &VersionNumber) -> Result<Vec<Audit>> {
    let mut tx = db.read().await?;
    let version = version::readable(&mut tx, caller, mini_app, number).await?;
    let rows = tx.audits_of(&version.id).await?;
    all_whole(&mut tx, rows).await
}

/// The newest audit of a version; `None` when it was never submitted.
pub async fn latest(tx: &mut Tx, version: &VersionId) -> Result<Option<Audit>> {
    match tx.audits_of(version).await?.into_iter().next() {
        Some(row) => Ok(Some(whole(tx, row).await?)),
        None => Ok(None),
    }
}

/// A page of the audits of a host app for a caller who may read it: those in a state, newest first, or those that wait for
/// its decision, oldest first.
pub async fn of_host_app(db: &Db, caller: &Caller, host_app: &HostAppId, query: &AuditQuery) -> Result<Page<Audit>> {
    let mut tx = db.read().await?;
    host_app::authorise(&mut tx, caller, host_app, Action::Read).await?;
    let page = query.page();
    let rows = match query.state {
        Some(state) => tx.audits_of_host_app(host_app, state, &page).await?,
        None => tx.audits_waiting_for(host_app, &page).await?,
    };
    let rows = Page::of(rows, &page, |row| row.id.to_string());
    Ok(Page { items: all_whole(&mut tx, rows.items).await?, next: rows.next })
}

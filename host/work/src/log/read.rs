//! Lists entries for those who may read them: the team of the MiniApp, or members of the host app.

use berth_base::error::Result;
use berth_model::{
    access::{Action, Caller},
    log::{Filter, LogPage, LogQuery},
};
use berth_store::Db;

use super::Logs;
use crate::{host_app, mini_app};

/// Refuses a caller who may not read what the filter asks for. What came from a host app is for its members, whatever
/// MiniApps wrote it; what a MiniApp wrote is for its team, wherever it ran, but for who was logged in.
pub(super) async fn may_read(db: &Db, caller: &Caller, filter: &Filter) -> Result<()> {
    authorise(db, caller, filter).await?;
    filter.require_accounts(caller)
}

async fn authorise(db: &Db, caller: &Caller, filter: &Filter) -> Result<()> {
    let mut tx = db.read().await?;
    match (&filter.host_app, &filter.mini_app) {
        (Some(host_app), None) => host_app::authorise(&mut tx, caller, host_app, Action::Read).await.map(drop),
        (Some(host_app), Some(mini_app)) => {
            let member = host_app::authorise(&mut tx, caller, host_app, Action::Read).await;
            match member {
                Ok(_) => Ok(()),
                Err(_) => mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await.map(drop),
            }
        }
        (None, Some(mini_app)) => mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await.map(drop),
        (None, None) => Ok(()), // no filter is without both
    }
}

/// A page of entries, newest first.
///
/// # Errors
/// `invalid-field` for a query that names neither; `invalid-cursor`; `not-found` and `missing-grant` when the caller may
/// not read them, or not ask by account; `unavailable` when the store does not answer.
#[tracing::instrument(name = "log.list", skip_all)]
pub async fn list(db: &Db, logs: &Logs, caller: &Caller, query: &LogQuery) -> Result<LogPage> {
    let (filter, span, most) = (query.filter()?, query.span()?, query.most());
    may_read(db, caller, &filter).await?;
    let found = logs.store.search(&filter, span, most + 1, logs.config.log_search).await?;
    let mut items: Vec<_> = found.entries.into_iter().map(|entry| entry.seen_by(caller)).collect();
    let stopped_at = found.stopped_at;
    if items.len() > most {
        items.truncate(most);
        let next = items.last().map(|last| last.id.to_string());
        return Ok(LogPage { items, next, searched_to: None });
    }
    let next = stopped_at.map(|id| id.to_string());
    Ok(LogPage { items, next, searched_to: stopped_at.map(|id| id.received_at()) })
}

//! Gray tasks as the API shows them (G8).

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{GrayTaskId, MiniAppId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    rollout::{GrayTask, GrayTaskQuery, State},
};
use berth_store::{Db, Tx, gray_task::TaskRow};

use crate::mini_app;

/// Reads the task.
///
/// # Errors
/// `not-found` when there is no such task, or the caller has no grant on its MiniApp's team; `missing-grant` when the
/// caller may not do `action` there.
pub(super) async fn authorise(tx: &mut Tx, caller: &Caller, id: &GrayTaskId, action: Action) -> Result<TaskRow> {
    let unknown = || Error::not_found("grayscale task", id);
    let task = tx.gray_task(id).await?.ok_or_else(unknown)?;
    let mini_app = tx.mini_app(&task.mini_app_id).await?.filter(|mini_app| caller.knows(&mini_app.scope()));
    caller.require(action, &mini_app.ok_or_else(unknown)?.scope())?;
    Ok(task)
}

/// One gray task, for a caller who may read its MiniApp.
pub async fn get(db: &Db, caller: &Caller, id: &GrayTaskId) -> Result<GrayTask> {
    let mut tx = db.read().await?;
    let task = authorise(&mut tx, caller, id, Action::Read).await?;
    tx.gray_task_view(task, tx.now()).await
}

/// A page of the gray tasks of a MiniApp, for a caller who may read it, or of all MiniApps whose team the caller
/// knows, newest first (G8).
pub async fn list(
    db: &Db,
    caller: &Caller,
    mini_app: Option<&MiniAppId>,
    query: &GrayTaskQuery,
) -> Result<Page<GrayTask>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    if let Some(mini_app) = mini_app {
        mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    }
    let rows = tx.gray_tasks(caller, mini_app, query).await?;
    let page = Page::of(rows, &query.page(), |row| row.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(tx.gray_task_view(row, tx.now()).await?);
    }
    Ok(Page { items, next: page.next })
}

/// The gray tasks of a MiniApp that have not ended by `now`, newest first, for the overview of the MiniApp (V3).
pub async fn not_ended(tx: &mut Tx, mini_app: &MiniAppId, now: Millis) -> Result<Vec<GrayTask>> {
    let mut tasks = Vec::new();
    for id in tx.live_gray_task_ids(mini_app).await? {
        if let Some(row) = tx.gray_task(&id).await? {
            tasks.push(tx.gray_task_view(row, now).await?);
        }
    }
    tasks.retain(|task| task.state != State::Ended);
    tasks.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(tasks)
}

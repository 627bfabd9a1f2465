//! Gray tasks as the API shows them (G8).

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{GrayTaskId, MiniAppId},
    page::{Page, PageQuery},
};
use berth_model::{
    access::{Action, Caller},
    rollout::{GrayTask, State},
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

/// A page of the gray tasks of a MiniApp, newest first (G8), for a caller who may read the MiniApp.
pub async fn list(db: &Db, caller: &Caller, mini_app: &MiniAppId, query: &PageQuery) -> Result<Page<GrayTask>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    // Above every id in the collation of any database.
    let before = query.cursor.clone().unwrap_or_else(|| "z".into());
    let rows = tx.gray_tasks(mini_app, &before, query.limit() + 1).await?;
    let page = Page::of(rows, query, |row| row.id.to_string());
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

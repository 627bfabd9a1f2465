//! Moves of a gray task by hand: suspend, resume, end (G5).

use berth_base::{error::Result, ids::GrayTaskId, text};
use berth_model::{
    access::{Action, Caller},
    rollout::{Cause, GrayTask, Move, Note, PlannedMove, State},
};
use berth_store::Db;

use crate::rollout::view;

/// Suspends a task: it does not start, it admits no new devices (G10), and devices already admitted keep the version.
///
/// # Errors
/// `gray-state` when the task is suspended or has ended; `invalid-field` for the note; `not-found` and `missing-grant`.
pub async fn suspend(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::Suspend, note).await
}

/// Lets a suspended task deliver again, or wait for its start again.
///
/// # Errors
/// `mini-app-off-shelf` while the MiniApp is off the shelf; `gray-state` when the task is not suspended; otherwise as
/// [`suspend`].
pub async fn resume(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::Resume, note).await
}

/// Ends a task. All its devices return to the online version (G6). May also be called for a task that its cap has
/// ended, to take the version back from the devices that kept it.
///
/// # Errors
/// `gray-state` when the task has ended otherwise; otherwise as [`suspend`].
pub async fn end(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::End, note).await
}

#[tracing::instrument(name = "gray_task.move", skip_all, fields(gray_task = %id, step = ?step))]
async fn by_hand(db: &Db, caller: &Caller, id: &GrayTaskId, step: Move, note: &Note) -> Result<GrayTask> {
    let note = text::prose("note", &note.note, 500)?;
    let mut tx = db.begin().await?;
    let known = view::authorise(&mut tx, caller, id, Action::Release).await?;
    let mini_app = tx.hold_mini_app(&known.mini_app_id).await?;
    if step == Move::Resume {
        mini_app.shelf().require_for_release()?;
    }
    let mut task = tx.hold_gray_task(id).await?;
    let step = PlannedMove { what: step, cause: Cause::Hand, actor: caller.account.as_str(), note: &note };
    match step.what {
        Move::End if task.state == State::Ended && task.honoured => tx.recall_gray_task(&mut task, &step).await?,
        _ => tx.move_gray_task(&mut task, &step).await?,
    }
    let view = tx.gray_task_view(task, tx.now()).await?;
    tx.commit().await?;
    Ok(view)
}

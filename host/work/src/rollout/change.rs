//! Moves of a gray task that people or publications cause: suspend, resume, end (G5, V8, A2).

use berth_base::{
    error::Result,
    ids::{GrayTaskId, MiniAppId},
    text,
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller},
    rollout::{Cause, GrayTask, Move, Note, PlannedMove, State},
};
use berth_store::{Db, Tx, gray_task::TaskRow};

use crate::rollout::view;

/// Suspends a delivering task: it admits no new devices (G10), and devices already admitted keep the version.
///
/// # Errors
/// `gray-state` when the task is not delivering; `invalid-field` for the note; `not-found` and `missing-grant`.
pub async fn suspend(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::Suspend, note).await
}

/// Lets a suspended task deliver again.
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
    tx.catch_up_gray_task(&mut task).await?;
    let step = PlannedMove { what: step, cause: Cause::Hand, actor: caller.account.as_str(), note: &note };
    match step.what {
        Move::End if task.state == State::Ended && task.honoured => tx.recall_gray_task(&mut task, &step).await?,
        _ => tx.move_gray_task(&mut task, &step).await?,
    }
    let view = tx.gray_task_view(task, db.now()).await?;
    tx.commit().await?;
    Ok(view)
}

/// Suspends the delivering tasks of a MiniApp that goes off the shelf (A2). Pending tasks stay pending until it is
/// back.
pub async fn suspend_running(tx: &mut Tx, caller: &Caller, mini_app: &MiniAppId) -> Result<()> {
    for mut task in hold_live(tx, mini_app).await? {
        tx.catch_up_gray_task(&mut task).await?;
        if task.state == State::Delivering {
            let (cause, actor) = (Cause::OffShelf, caller.account.as_str());
            tx.move_gray_task(&mut task, &PlannedMove { what: Move::Suspend, cause, actor, note: "" }).await?;
        }
    }
    Ok(())
}

/// Ends every task of the MiniApp whose version is `published` or smaller. The devices of such tasks, those that its
/// cap has ended included, get the published version (V8).
pub async fn end_superseded(tx: &mut Tx, actor: &str, mini_app: &MiniAppId, published: &VersionNumber) -> Result<()> {
    let note = format!("{published} was published");
    for mut task in hold_live(tx, mini_app).await?.into_iter().filter(|task| task.version <= *published) {
        let step = PlannedMove { what: Move::End, cause: Cause::Superseded, actor, note: &note };
        match task.state {
            State::Ended => tx.recall_gray_task(&mut task, &step).await?,
            _ => tx.move_gray_task(&mut task, &step).await?,
        }
    }
    Ok(())
}

/// The tasks that still have an effect on devices, locked for this transaction in the order of their ids.
async fn hold_live(tx: &mut Tx, mini_app: &MiniAppId) -> Result<Vec<TaskRow>> {
    let mut held = Vec::new();
    for id in tx.live_gray_task_ids(mini_app).await? {
        held.push(tx.hold_gray_task(&id).await?);
    }
    held.retain(|task| task.state != State::Ended || task.honoured);
    Ok(held)
}

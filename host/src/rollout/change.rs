//! What people and publications do to tasks (G5, V8, A2).

use serde::{Deserialize, Serialize};

use super::{Cause, GrayTask, Move, State, Step, TaskRow, view};
use crate::{
    access::{Action, Caller},
    error::{Code, Error, Result},
    ids::{GrayTaskId, MiniAppId},
    store::{Db, Tx},
    text,
    version::VersionNumber,
};

/// Why somebody moves a task.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// At most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Admits nobody new (G10). Devices already admitted keep the version.
pub async fn suspend(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::Suspend, note).await
}

/// Goes on after a suspension.
pub async fn resume(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::Resume, note).await
}

/// Ends the task; all its devices return to the online version (G6), also those that kept it after the cap had ended
/// the task.
pub async fn end(db: &Db, caller: &Caller, id: &GrayTaskId, note: &Note) -> Result<GrayTask> {
    by_hand(db, caller, id, Move::End, note).await
}

#[tracing::instrument(name = "gray_task.move", skip_all, fields(gray_task = %id, step = ?step))]
async fn by_hand(db: &Db, caller: &Caller, id: &GrayTaskId, step: Move, note: &Note) -> Result<GrayTask> {
    let note = text::prose("note", &note.note, 500)?;
    let mut tx = db.begin().await?;
    let known = view::authorise(&mut tx, caller, id, Action::Release).await?;
    let mini_app = tx.hold_mini_app(&known.mini_app_id).await?;
    if step == Move::Resume && !mini_app.on_shelf {
        return Err(Error::new(Code::MiniAppOffShelf, "The MiniApp is off the shelf. Put it back first."));
    }
    let mut task = tx.hold_gray_task(id).await?;
    tx.catch_up_gray_task(&mut task).await?;
    let step = Step { step, cause: Cause::Hand, actor: caller.account.as_str(), note: &note };
    match step.step {
        Move::End if task.state == State::Ended && task.honoured => tx.recall_gray_task(&mut task, &step).await?,
        _ => tx.move_gray_task(&mut task, &step).await?,
    }
    let view = tx.gray_task_view(task, db.now()).await?;
    tx.commit().await?;
    Ok(view)
}

/// Suspends what runs, because the MiniApp goes off the shelf (A2). Tasks that wait for their start do not start until
/// it is back.
pub async fn suspend_running(tx: &mut Tx, caller: &Caller, mini_app: &MiniAppId) -> Result<()> {
    for mut task in hold_live(tx, mini_app).await? {
        tx.catch_up_gray_task(&mut task).await?;
        if task.state == State::Delivering {
            let (cause, actor) = (Cause::OffShelf, caller.account.as_str());
            tx.move_gray_task(&mut task, &Step { step: Move::Suspend, cause, actor, note: "" }).await?;
        }
    }
    Ok(())
}

/// Ends every task with `published` or a smaller version, and takes back what ended tasks had left with their devices:
/// they get the published version (V8).
pub async fn end_superseded(tx: &mut Tx, actor: &str, mini_app: &MiniAppId, published: &VersionNumber) -> Result<()> {
    let note = format!("{published} was published");
    for mut task in hold_live(tx, mini_app).await?.into_iter().filter(|task| task.version <= *published) {
        let step = Step { step: Move::End, cause: Cause::Superseded, actor, note: &note };
        match task.state {
            State::Ended => tx.recall_gray_task(&mut task, &step).await?,
            _ => tx.move_gray_task(&mut task, &step).await?,
        }
    }
    Ok(())
}

/// Holds, in the order of their ids, the tasks that still mean something.
async fn hold_live(tx: &mut Tx, mini_app: &MiniAppId) -> Result<Vec<TaskRow>> {
    let mut held = Vec::new();
    for id in tx.live_gray_task_ids(mini_app).await? {
        held.push(tx.hold_gray_task(&id).await?);
    }
    held.retain(|task| task.state != State::Ended || task.honoured);
    Ok(held)
}

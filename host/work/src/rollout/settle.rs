//! Moves of all gray tasks of a MiniApp at once, which a recall or a release causes (A2, A3, V8).
//!
//! Each begins with [`settle`]: what the clock has done by then is stored first. So a task that has just started is
//! suspended by a recall, too, and one whose time is over has ended by time, whatever comes a moment later.

use berth_base::{
    error::{Code, Error, Result},
    ids::{GrayTaskId, MiniAppId},
    version::VersionNumber,
};
use berth_model::{
    rollout::{Cause, Move, PlannedMove, State, stopped_by_guard},
    shelf::ShelvedTask,
};
use berth_store::{Tx, gray_task::TaskRow, version::VersionRow};

/// The gray tasks of a MiniApp that mean something to devices, as they are now. The transaction holds them.
pub struct Settled(Vec<TaskRow>);

/// Holds the gray tasks of a MiniApp that mean something to devices, in the order of their ids, and stores what the
/// clock has done to them. The transaction holds the MiniApp.
pub async fn settle(tx: &mut Tx, mini_app: &MiniAppId) -> Result<Settled> {
    let mut held = Vec::new();
    for id in tx.live_gray_task_ids(mini_app).await? {
        held.push(tx.hold_gray_task(&id).await?);
    }
    held.retain(|task| task.state != State::Ended || task.honoured);
    Ok(Settled(held))
}

impl Settled {
    /// Suspends the tasks that deliver or wait for their start, as their MiniApp goes off the shelf (A2).
    pub async fn recall(&mut self, tx: &mut Tx, actor: &str, note: &str) -> Result<()> {
        for task in self.0.iter_mut().filter(|task| matches!(task.state, State::Pending | State::Delivering)) {
            tx.move_gray_task(task, &PlannedMove { what: Move::Suspend, cause: Cause::OffShelf, actor, note }).await?;
        }
        Ok(())
    }

    /// Lets the tasks go on that a recall suspended, and nobody has moved to another state since (A3). Returns them,
    /// newest first.
    pub(crate) async fn resume_recalled(&mut self, tx: &mut Tx, actor: &str) -> Result<Vec<ShelvedTask>> {
        let mut resumed = Vec::new();
        for task in self.0.iter_mut().rev() {
            if was_recalled(tx, task).await? {
                let step = PlannedMove { what: Move::Resume, cause: Cause::Hand, actor, note: "back on the shelf" };
                tx.move_gray_task(task, &step).await?;
                resumed.push(shelved(task, true));
            }
        }
        Ok(resumed)
    }

    /// The tasks that are suspended, newest first.
    pub async fn suspended(&self, tx: &mut Tx) -> Result<Vec<ShelvedTask>> {
        let mut suspended = Vec::new();
        for task in self.0.iter().rev().filter(|task| task.state == State::Suspended) {
            suspended.push(shelved(task, was_recalled(tx, task).await?));
        }
        Ok(suspended)
    }

    /// Ends every task whose version is `online`, which everybody gets from now on, or smaller. The devices of such tasks, those
    /// that its cap has ended included, get the online version (V8). Returns the tasks.
    pub(crate) async fn end_superseded(
        self,
        tx: &mut Tx,
        actor: &str,
        online: &VersionNumber,
    ) -> Result<Vec<GrayTaskId>> {
        let note = format!("{online} went online");
        let mut ended = Vec::new();
        for mut task in self.0.into_iter().filter(|task| task.version <= *online) {
            let step = PlannedMove { what: Move::End, cause: Cause::Superseded, actor, note: &note };
            match task.state {
                State::Ended => tx.recall_gray_task(&mut task, &step).await?,
                _ => tx.move_gray_task(&mut task, &step).await?,
            }
            ended.push(task.id);
        }
        Ok(ended)
    }
}

/// Refuses with `guard-suspended` when a guard has suspended or ended a gray task of this version, and nobody has resumed it
/// (V14).
pub(crate) async fn require_no_guard(tx: &mut Tx, version: &VersionRow) -> Result<()> {
    let (app, number) = (&version.mini_app_id, &version.number);
    for (task, name) in tx.gray_tasks_of_version(&version.id).await? {
        let moves = tx.gray_moves(&task).await?;
        let Some(why) = stopped_by_guard(&moves) else { continue };
        let command = format!("berth version publish {app} {number} --despite-guard");
        let detail = format!(
            "The gray task {name:?} of {number} was stopped: its guard {why}. A publish brings {number} to everybody. If that is \
             meant: `{command}`."
        );
        let error = Error::new(Code::GuardSuspended, detail);
        return Err(error.with("gray_task", &task).with("guard", why).next(command));
    }
    Ok(())
}

/// Why a guard has suspended a task; `None` when the task goes on, or somebody else has suspended it.
pub(crate) async fn why_guard_suspended(tx: &mut Tx, task: &TaskRow) -> Result<Option<String>> {
    if task.state != State::Suspended {
        return Ok(None);
    }
    let moves = tx.gray_moves(&task.id).await?;
    Ok(stopped_by_guard(&moves).map(str::to_owned))
}

/// Whether the task is suspended, and a recall did it. Edits are moves, too, and change nothing of that.
async fn was_recalled(tx: &mut Tx, task: &TaskRow) -> Result<bool> {
    if task.state != State::Suspended {
        return Ok(false);
    }
    let moves = tx.gray_moves(&task.id).await?;
    Ok(moves.iter().rev().find(|one| one.from != one.to).is_some_and(|last| last.cause == Cause::OffShelf))
}

fn shelved(task: &TaskRow, by_recall: bool) -> ShelvedTask {
    let TaskRow { id, name, version, state, .. } = task.clone();
    ShelvedTask { id, name, version, state, by_recall }
}

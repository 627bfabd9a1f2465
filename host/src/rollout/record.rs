//! Gray tasks, their moves and their admissions as the database holds them.

use sqlx::types::Json;

use super::{Cause, Conditions, Life, Move, MoveView, State};
use crate::{
    clock::Millis,
    error::Result,
    event::{self, GrayMoved, Kind, kind},
    ids::{Digest, GrayTaskId, MiniAppId, VersionId},
    store::{Count, Tx},
    version::VersionNumber,
};

/// A row of `gray_task`, joined with its version.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in GrayTask")]
pub struct TaskRow {
    pub id: GrayTaskId,
    pub mini_app_id: MiniAppId,
    pub version_id: VersionId,
    #[sqlx(rename = "number")]
    pub version: VersionNumber,
    pub sha256: Digest,
    #[sqlx(try_from = "Count")]
    pub size: u64,
    pub name: String,
    pub state: State,
    /// Its moves say it, too. It is stored because the release index asks for tasks that still mean something without their
    /// moves. `write_gray_move` writes it with the state, and nobody else does.
    pub honoured: bool,
    pub start_at: Millis,
    pub end_at: Millis,
    pub max_users: Option<Count>,
    #[sqlx(try_from = "Count")]
    pub admitted: u64,
    pub conditions: Json<Conditions>,
    pub created_by: String,
    pub created_at: Millis,
}

/// A move that is about to be made, with its reason.
pub struct Step<'a> {
    /// The move.
    pub step: Move,
    /// Why the task moves.
    pub cause: Cause,
    /// The account that moves it, or [`event::BERTH`].
    pub actor: &'a str,
    /// The note that comes with the move; may be empty.
    pub note: &'a str,
}

impl<'a> Step<'a> {
    /// A move that the clock causes.
    pub fn by_time(step: Move) -> Self {
        Self { step, cause: Cause::Time, actor: event::BERTH, note: "" }
    }
}

impl TaskRow {
    /// The part of the row that decides what the task means at a moment.
    pub fn life(&self) -> Life {
        Life { state: self.state, honoured: self.honoured, start: self.start_at, end: self.end_at }
    }
}

impl Tx {
    /// Moves a task that this transaction has locked: stores the new state, records the move and emits the event.
    ///
    /// # Errors
    /// `gray-state` when the state of the task does not allow the move.
    pub async fn move_gray_task(&mut self, task: &mut TaskRow, step: &Step<'_>) -> Result<()> {
        let from = task.state;
        task.state = from.after(step.step)?;
        if task.state == State::Ended {
            task.honoured = step.cause == Cause::Cap;
        }
        self.write_gray_move(task, from, step, step.step.event()).await
    }

    /// Takes the version back from the devices that kept it after the cap had ended the task; records that and emits
    /// the event.
    pub async fn recall_gray_task(&mut self, task: &mut TaskRow, step: &Step<'_>) -> Result<()> {
        task.honoured = false;
        self.write_gray_move(task, State::Ended, step, kind::GRAY_TASK_RECALLED).await
    }

    async fn write_gray_move(
        &mut self,
        task: &TaskRow,
        from: State,
        step: &Step<'_>,
        event: Kind<GrayMoved>,
    ) -> Result<()> {
        self.save_gray_state(task).await?;
        let row = MoveView {
            from,
            to: task.state,
            cause: step.cause,
            note: step.note.to_owned(),
            by: step.actor.to_owned(),
            at: self.now(),
        };
        self.insert_gray_move(&task.id, &row).await?;
        let data = GrayMoved {
            id: task.id.clone(),
            version: task.version.clone(),
            from,
            to: task.state,
            cause: step.cause,
            note: step.note.to_owned(),
            admitted: task.admitted,
        };
        self.tell(event, &task.id, step.actor, &data).for_mini_app(&task.mini_app_id);
        Ok(())
    }

    /// Stores the move that the clock has made due, if any, for a task that this transaction has locked. A task does
    /// not start while its MiniApp is off the shelf. Returns whether the task moved.
    pub async fn catch_up_gray_task(&mut self, task: &mut TaskRow) -> Result<bool> {
        let Some(step) = self.due_move(task, self.now()).await? else { return Ok(false) };
        self.move_gray_task(task, &Step::by_time(step)).await?;
        Ok(true)
    }

    /// What the clock does to a task, if anything: a task of a MiniApp off the shelf does not start (A2).
    pub(super) async fn due_move(&mut self, task: &TaskRow, now: Millis) -> Result<Option<Move>> {
        let due = task.life().due(now);
        if due != Some(Move::Start) {
            return Ok(due);
        }
        let on_shelf = self.mini_app(&task.mini_app_id).await?.is_some_and(|mini_app| mini_app.shelf().is());
        Ok(due.filter(|_| on_shelf))
    }
}

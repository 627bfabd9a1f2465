//! Gray tasks, their moves and their admissions as the database holds them.

use sqlx::types::Json;

use super::{Cause, Conditions, Life, Move, State};
use crate::{
    clock::Millis,
    error::Result,
    event::{self, GrayMoved, Kind, kind},
    ids::{Digest, GrayTaskId, MiniAppId, VersionId},
    store::Tx,
    version::VersionNumber,
};

/// A row of `gray_task`, joined with its version.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in GrayTask")]
pub struct TaskRow {
    pub id: GrayTaskId,
    pub mini_app_id: MiniAppId,
    pub version_id: VersionId,
    #[sqlx(rename = "number", try_from = "String")]
    pub version: VersionNumber,
    pub sha256: Digest,
    pub size: i64,
    pub name: String,
    #[sqlx(try_from = "String")]
    pub state: State,
    pub ended_by: Option<String>,
    pub honoured: bool,
    pub start_at: Millis,
    pub end_at: Millis,
    pub max_users: Option<i64>,
    pub admitted: i64,
    pub conditions: Json<Conditions>,
    pub created_by: String,
    pub created_at: Millis,
}

/// A row of `gray_move`.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in MoveView")]
pub struct MoveRow {
    #[sqlx(try_from = "String")]
    pub from_state: State,
    #[sqlx(try_from = "String")]
    pub to_state: State,
    #[sqlx(try_from = "String")]
    pub cause: Cause,
    pub note: String,
    pub moved_by: String,
    pub moved_at: Millis,
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
            task.ended_by = Some(step.cause.as_str().to_owned());
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
        let row = MoveRow {
            from_state: from,
            to_state: task.state,
            cause: step.cause,
            note: step.note.to_owned(),
            moved_by: step.actor.to_owned(),
            moved_at: self.now(),
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
        let Some(step) = task.life().due(self.now()) else { return Ok(false) };
        if step == Move::Start && !self.is_on_shelf(&task.mini_app_id).await? {
            return Ok(false);
        }
        self.move_gray_task(task, &Step::by_time(step)).await?;
        Ok(true)
    }

    pub(super) async fn is_on_shelf(&mut self, mini_app: &MiniAppId) -> Result<bool> {
        Ok(self.mini_app(mini_app).await?.is_some_and(|mini_app| mini_app.on_shelf))
    }
}

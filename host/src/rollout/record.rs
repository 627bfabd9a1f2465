//! Tasks, their moves and their admissions as they are stored.

use sqlx::types::Json;

use super::{Cause, Conditions, Life, Move, State};
use crate::{
    app::App,
    clock::Millis,
    error::{Error, Result},
    event::{self, GrayMoved},
    ids::{CohortId, Digest, GrayTaskId, HostAppId, MiniAppId, VersionId},
    store::{Tx, execute, fetch},
    version::VersionNumber,
};

/// A row of `gray_task` with its version.
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

/// A move with who or what made it.
pub struct Step<'a> {
    /// Which.
    pub step: Move,
    /// Why.
    pub cause: Cause,
    /// An account, or Berth itself.
    pub actor: &'a str,
    /// For people.
    pub note: &'a str,
}

impl<'a> Step<'a> {
    /// What the clock does.
    pub fn by_time(step: Move) -> Self {
        Self { step, cause: Cause::Time, actor: event::BERTH, note: "" }
    }
}

impl TaskRow {
    /// Its state and period.
    pub fn life(&self) -> Life {
        Life { state: self.state, honoured: self.honoured, start: self.start_at, end: self.end_at }
    }
}

impl Tx {
    /// One task.
    pub async fn gray_task(&mut self, id: &GrayTaskId) -> Result<Option<TaskRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            TaskRow,
            "SELECT t.*, v.number, v.sha256, v.size FROM gray_task t JOIN version v ON v.id = t.version_id WHERE t.id = $1",
            id
        )?)
    }

    /// Holds a task until the transaction ends: its moves and its admissions come one after the other. Who holds
    /// several takes them in the order of their ids.
    pub async fn hold_gray_task(&mut self, id: &GrayTaskId) -> Result<TaskRow> {
        execute!(self, "UPDATE gray_task SET admitted = admitted WHERE id = $1", id)?;
        self.gray_task(id).await?.ok_or_else(|| Error::not_found("grayscale task", id))
    }

    /// The tasks of a MiniApp, newest first, older than `before`.
    pub async fn gray_tasks(&mut self, mini_app: &MiniAppId, before: &str, limit: i64) -> Result<Vec<TaskRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            TaskRow,
            "SELECT t.*, v.number, v.sha256, v.size FROM gray_task t JOIN version v ON v.id = t.version_id
             WHERE t.mini_app_id = $1 AND t.id < $2 ORDER BY t.id DESC LIMIT $3",
            mini_app,
            before,
            limit
        )?)
    }

    /// The tasks of the MiniApps from one id to another that still mean something to some device. Their versions are
    /// approved: nothing else is ever offered (I4).
    pub async fn live_gray_tasks(&mut self, from: &str, to: &str) -> Result<Vec<TaskRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            TaskRow,
            "SELECT t.*, v.number, v.sha256, v.size FROM gray_task t JOIN version v ON v.id = t.version_id
             WHERE t.mini_app_id BETWEEN $1 AND $2 AND (t.state <> 'ended' OR t.honoured) AND v.state = 'approved'
             ORDER BY t.id",
            from,
            to
        )?)
    }

    /// The ids of a MiniApp's tasks that still mean something, in the order in which they are to be held. Publishing
    /// one of their versions has changed its state already, so that this does not ask for it.
    pub async fn live_gray_task_ids(&mut self, mini_app: &MiniAppId) -> Result<Vec<GrayTaskId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (GrayTaskId,),
            "SELECT id FROM gray_task WHERE mini_app_id = $1 AND (state <> 'ended' OR honoured) ORDER BY id",
            mini_app
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The tasks that the clock has something to do with. A task of a MiniApp off the shelf does not start (A2).
    pub async fn due_gray_tasks(&mut self, now: Millis) -> Result<Vec<GrayTaskId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (GrayTaskId,),
            "SELECT t.id FROM gray_task t JOIN mini_app m ON m.id = t.mini_app_id
             WHERE t.state <> 'ended' AND (t.end_at <= $1 OR (t.state = 'pending' AND t.start_at <= $1 AND m.on_shelf))
             ORDER BY t.id",
            now
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The moves of a task, oldest first.
    pub async fn gray_moves(&mut self, task: &GrayTaskId) -> Result<Vec<MoveRow>> {
        Ok(fetch!(self, fetch_all, MoveRow, "SELECT * FROM gray_move WHERE task_id = $1 ORDER BY position", task)?)
    }

    /// Moves a task that this transaction holds: the state, who did it, and the event.
    pub async fn move_gray_task(&mut self, app: &App, task: &mut TaskRow, step: &Step<'_>) -> Result<()> {
        let from = task.state;
        task.state = from.after(step.step)?;
        if task.state == State::Ended {
            task.ended_by = Some(step.cause.as_str().to_owned());
            task.honoured = step.cause == Cause::Cap;
        }
        self.write_gray_move(app, task, from, step, step.step.event()).await
    }

    /// Takes the version back from those who kept it after the cap had ended the task.
    pub async fn recall_gray_task(&mut self, app: &App, task: &mut TaskRow, step: &Step<'_>) -> Result<()> {
        task.honoured = false;
        self.write_gray_move(app, task, State::Ended, step, "gray_task.recalled").await
    }

    async fn write_gray_move(
        &mut self,
        app: &App,
        task: &TaskRow,
        from: State,
        step: &Step<'_>,
        event: &'static str,
    ) -> Result<()> {
        let now = app.clock.now();
        execute!(
            self,
            "UPDATE gray_task SET state = $2, ended_by = $3, honoured = $4 WHERE id = $1",
            &task.id,
            task.state.as_str(),
            task.ended_by.clone(),
            task.honoured
        )?;
        execute!(
            self,
            "INSERT INTO gray_move (task_id, position, from_state, to_state, cause, note, moved_by, moved_at)
             SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6, $7 FROM gray_move WHERE task_id = $1",
            &task.id,
            from.as_str(),
            task.state.as_str(),
            step.cause.as_str(),
            step.note,
            step.actor,
            now
        )?;
        let data = GrayMoved {
            id: task.id.clone(),
            version: task.version.clone(),
            from,
            to: task.state,
            cause: step.cause,
            note: step.note.to_owned(),
            admitted: task.admitted,
        };
        self.emit(event::new(app, event, &task.id, step.actor, &data).for_mini_app(&task.mini_app_id));
        Ok(())
    }

    /// Does what the clock has decided about a task that this transaction holds.
    pub async fn catch_up_gray_task(&mut self, app: &App, task: &mut TaskRow) -> Result<bool> {
        let Some(step) = task.life().due(app.clock.now()) else { return Ok(false) };
        if step == Move::Start && !self.is_on_shelf(&task.mini_app_id).await? {
            return Ok(false);
        }
        self.move_gray_task(app, task, &Step::by_time(step)).await?;
        Ok(true)
    }

    pub(super) async fn is_on_shelf(&mut self, mini_app: &MiniAppId) -> Result<bool> {
        Ok(self.mini_app(mini_app).await?.is_some_and(|mini_app| mini_app.on_shelf))
    }

    /// How many each delivering task has admitted, which is also the last ordinal.
    pub async fn admission_counts(&mut self) -> Result<Vec<(GrayTaskId, i64)>> {
        Ok(fetch!(self, fetch_all, (GrayTaskId, i64), "SELECT id, admitted FROM gray_task WHERE state = 'delivering'")?)
    }

    /// The admissions of a task after an ordinal, in their order.
    pub async fn admissions_after(&mut self, task: &str, ordinal: i64, limit: i64) -> Result<Vec<(String, i64)>> {
        Ok(fetch!(
            self,
            fetch_all,
            (String, i64),
            "SELECT guid, ordinal FROM admission WHERE task_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3",
            task,
            ordinal,
            limit
        )?)
    }

    /// The list with this id, when it is the MiniApp's.
    pub async fn cohort_digest(&mut self, mini_app: &MiniAppId, id: &CohortId) -> Result<Option<Digest>> {
        let row = fetch!(
            self,
            fetch_optional,
            (Digest,),
            "SELECT sha256 FROM cohort WHERE id = $1 AND mini_app_id = $2",
            id,
            mini_app
        )?;
        Ok(row.map(|(digest,)| digest))
    }

    /// The MiniApps that the events after one and up to another name.
    pub async fn touched_mini_apps(&mut self, after: i64, up_to: i64) -> Result<Vec<MiniAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (MiniAppId,),
            "SELECT DISTINCT mini_app_id FROM event WHERE seq > $1 AND seq <= $2 AND mini_app_id IS NOT NULL",
            after,
            up_to
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The host apps that the events after one and up to another name.
    pub async fn touched_host_apps(&mut self, after: i64, up_to: i64) -> Result<Vec<HostAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (HostAppId,),
            "SELECT DISTINCT host_app_id FROM event WHERE seq > $1 AND seq <= $2 AND host_app_id IS NOT NULL",
            after,
            up_to
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

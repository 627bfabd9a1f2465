//! Grayscale tasks and their moves.

use super::{Tx, execute, fetch};
use crate::{
    clock::Millis,
    error::{Error, Result},
    ids::{GrayTaskId, MiniAppId},
    rollout::{MoveRow, TaskRow},
};

impl Tx {
    /// How many tasks of a MiniApp have not ended.
    pub(crate) async fn unended_gray_tasks(&mut self, mini_app: &MiniAppId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM gray_task WHERE mini_app_id = $1 AND state <> 'ended'";
        let (count,) = fetch!(self, fetch_one, (i64,), SQL, mini_app)?;
        Ok(count)
    }

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

    /// Whose task it is.
    pub async fn mini_app_of_task(&mut self, id: &GrayTaskId) -> Result<Option<MiniAppId>> {
        let row = fetch!(self, fetch_optional, (MiniAppId,), "SELECT mini_app_id FROM gray_task WHERE id = $1", id)?;
        Ok(row.map(|(id,)| id))
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

    /// Adds a task. Nobody else sees it before the transaction ends, so that this holds it too.
    pub async fn insert_gray_task(&mut self, task: &TaskRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO gray_task (id, mini_app_id, version_id, name, state, honoured, start_at, end_at, max_users,
                                    admitted, conditions, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            &task.id,
            &task.mini_app_id,
            &task.version_id,
            &task.name,
            task.state.as_str(),
            task.honoured,
            task.start_at,
            task.end_at,
            task.max_users,
            task.admitted,
            &task.conditions,
            &task.created_by,
            task.created_at
        )?;
        Ok(())
    }

    /// Writes the state of a task that this transaction holds.
    pub async fn save_gray_state(&mut self, task: &TaskRow) -> Result<()> {
        execute!(
            self,
            "UPDATE gray_task SET state = $2, ended_by = $3, honoured = $4 WHERE id = $1",
            &task.id,
            task.state.as_str(),
            task.ended_by.as_deref(),
            task.honoured
        )?;
        Ok(())
    }

    /// The moves of a task, oldest first.
    pub async fn gray_moves(&mut self, task: &GrayTaskId) -> Result<Vec<MoveRow>> {
        Ok(fetch!(self, fetch_all, MoveRow, "SELECT * FROM gray_move WHERE task_id = $1 ORDER BY position", task)?)
    }

    /// Adds a move of a task that this transaction holds.
    pub async fn insert_gray_move(&mut self, task: &GrayTaskId, row: &MoveRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO gray_move (task_id, position, from_state, to_state, cause, note, moved_by, moved_at)
             SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6, $7 FROM gray_move WHERE task_id = $1",
            task,
            row.from_state.as_str(),
            row.to_state.as_str(),
            row.cause.as_str(),
            &row.note,
            &row.moved_by,
            row.moved_at
        )?;
        Ok(())
    }
}

//! Gray tasks and their moves.

use super::{Count, Tx, execute, fetch};
use crate::{
    clock::Millis,
    error::{Error, Result},
    ids::{GrayTaskId, MiniAppId},
    rollout::{MoveView, TaskRow},
};

impl Tx {
    /// How many gray tasks of a MiniApp have not ended, as stored.
    pub(crate) async fn unended_gray_tasks(&mut self, mini_app: &MiniAppId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM gray_task WHERE mini_app_id = $1 AND state <> 'ended'";
        let (count,) = fetch!(self, fetch_one, (i64,), SQL, mini_app)?;
        Ok(count)
    }

    /// The gray task with this id.
    pub async fn gray_task(&mut self, id: &GrayTaskId) -> Result<Option<TaskRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            TaskRow,
            "SELECT t.*, v.number, v.sha256, v.size FROM gray_task t JOIN version v ON v.id = t.version_id WHERE t.id = $1",
            id
        )?)
    }

    /// The MiniApp of the gray task with this id.
    pub async fn mini_app_of_task(&mut self, id: &GrayTaskId) -> Result<Option<MiniAppId>> {
        let row = fetch!(self, fetch_optional, (MiniAppId,), "SELECT mini_app_id FROM gray_task WHERE id = $1", id)?;
        Ok(row.map(|(id,)| id))
    }

    /// Locks a gray task until the transaction ends, so that its moves and admissions come one after the other. Whoever
    /// locks several must do so in the order of their ids. `not-found` when there is none.
    pub async fn hold_gray_task(&mut self, id: &GrayTaskId) -> Result<TaskRow> {
        execute!(self, "UPDATE gray_task SET admitted = admitted WHERE id = $1", id)?;
        self.gray_task(id).await?.ok_or_else(|| Error::not_found("grayscale task", id))
    }

    /// Up to `limit` gray tasks of a MiniApp with ids below `before`, newest first.
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

    /// The gray tasks of a MiniApp that still have an effect on devices, in the order in which they must be locked. The
    /// state of their versions is not considered: one of them may just be going online.
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

    /// The gray tasks that must start or end by now. A task of a MiniApp that is off the shelf does not start (A2).
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

    /// Adds a gray task. As nobody else sees it before the transaction ends, it counts as locked.
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
            task.state,
            task.honoured,
            task.start_at,
            task.end_at,
            task.max_users,
            Count(task.admitted),
            &task.conditions,
            &task.created_by,
            task.created_at
        )?;
        Ok(())
    }

    /// Stores the state of a gray task that this transaction has locked.
    pub async fn save_gray_state(&mut self, task: &TaskRow) -> Result<()> {
        execute!(
            self,
            "UPDATE gray_task SET state = $2, honoured = $3 WHERE id = $1",
            &task.id,
            task.state,
            task.honoured
        )?;
        Ok(())
    }

    /// The moves of a task, oldest first.
    pub async fn gray_moves(&mut self, task: &GrayTaskId) -> Result<Vec<MoveView>> {
        Ok(fetch!(self, fetch_all, MoveView, "SELECT * FROM gray_move WHERE task_id = $1 ORDER BY position", task)?)
    }

    /// Adds a move of a task that this transaction holds.
    pub async fn insert_gray_move(&mut self, task: &GrayTaskId, row: &MoveView) -> Result<()> {
        execute!(
            self,
            "INSERT INTO gray_move (task_id, position, from_state, to_state, cause, note, moved_by, moved_at)
             SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6, $7 FROM gray_move WHERE task_id = $1",
            task,
            row.from,
            row.to,
            row.cause,
            &row.note,
            &row.by,
            row.at
        )?;
        Ok(())
    }
}

//! Gray tasks and their moves.

use berth_base::sql::Count;

use super::{Tx, access::push_team_members, execute, fetch, fetch_built, push_if};
use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{GrayTaskId, MiniAppId},
};
use berth_base::{
    ids::{Digest, VersionId},
    version::VersionNumber,
};
use berth_model::rollout::MoveView;
use berth_model::{
    access::Caller,
    event::{GrayEdited, GrayMoved, Kind, kind},
    policy::registry::ScopeKind,
    rollout::{
        Admits, Cause, Change, Conditions, GrayTask, GrayTaskQuery, Life, Move, PlannedMove, State, TaskPolicy, Terms,
        admits::CONDITIONS, conditions, in_words,
    },
};
use sqlx::types::Json;

use crate::policy::PolicyBindingRow;

impl Tx {
    /// How many gray tasks of a MiniApp have not ended, as stored.
    pub async fn unended_gray_tasks(&mut self, mini_app: &MiniAppId) -> Result<i64> {
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

    /// Locks a gray task until the transaction ends, so that its moves and admissions come one after the other, and
    /// stores what the clock has done to it, so that whatever follows finds it as it is now. Whoever locks several must
    /// do so in the order of their ids. `not-found` when there is none.
    pub async fn hold_gray_task(&mut self, id: &GrayTaskId) -> Result<TaskRow> {
        Ok(self.settle_gray_task(id).await?.0)
    }

    /// Does what [`Tx::hold_gray_task`] does, and says whether the clock had done anything.
    pub async fn settle_gray_task(&mut self, id: &GrayTaskId) -> Result<(TaskRow, bool)> {
        const SQL: &str = "UPDATE gray_task SET admitted = admitted WHERE id = $1 RETURNING *,
                (SELECT v.number FROM version v WHERE v.id = gray_task.version_id) AS number,
                (SELECT v.sha256 FROM version v WHERE v.id = gray_task.version_id) AS sha256,
                (SELECT v.size FROM version v WHERE v.id = gray_task.version_id) AS size";
        let task = fetch!(self, fetch_optional, TaskRow, SQL, id)?;
        let mut task = task.ok_or_else(|| Error::not_found("grayscale task", id))?;
        let moved = self.catch_up_gray_task(&mut task).await?;
        Ok((task, moved))
    }

    /// A page of the gray tasks of a MiniApp, or of all whose team the caller knows, newest first, and one more than it holds.
    pub async fn gray_tasks(
        &mut self,
        caller: &Caller,
        mini_app: Option<&MiniAppId>,
        query: &GrayTaskQuery,
    ) -> Result<Vec<TaskRow>> {
        let page = query.page();
        Ok(fetch_built!(self, TaskRow, |q| {
            q.push("SELECT t.*, v.number, v.sha256, v.size FROM gray_task t JOIN version v ON v.id = t.version_id");
            q.push(" JOIN mini_app m ON m.id = t.mini_app_id WHERE t.id < ").push_bind(page.before());
            push_if!(q, mini_app, " AND t.mini_app_id = ", "");
            push_if!(q, query.state, " AND t.state = ", "");
            push_team_members!(q, caller);
            q.push(" ORDER BY t.id DESC LIMIT ").push_bind(page.limit() + 1);
        })?)
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

    /// The gray tasks of a version, those that have ended included, with their names.
    pub async fn gray_tasks_of_version(&mut self, version: &VersionId) -> Result<Vec<(GrayTaskId, String)>> {
        const SQL: &str = "SELECT id, name FROM gray_task WHERE version_id = $1 ORDER BY id";
        Ok(fetch!(self, fetch_all, (GrayTaskId, String), SQL, version)?)
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
                                    admitted, conditions, created_by, created_at, admits)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
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
            task.created_at,
            &task.admits
        )?;
        Ok(())
    }

    /// Stores the state of a gray task that this transaction has locked.
    pub(crate) async fn save_gray_state(&mut self, task: &TaskRow) -> Result<()> {
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
    pub(crate) async fn insert_gray_move(&mut self, task: &GrayTaskId, row: &MoveView) -> Result<()> {
        execute!(
            self,
            "INSERT INTO gray_move (task_id, position, from_state, to_state, cause, note, moved_by, moved_at, changes)
             SELECT $1, COUNT(*) + 1, $2, $3, $4, $5, $6, $7, $8 FROM gray_move WHERE task_id = $1",
            task,
            row.from,
            row.to,
            row.cause,
            &row.note,
            &row.by,
            row.at,
            Json(&row.changes)
        )?;
        Ok(())
    }

    /// Stores what edits change of a gray task that this transaction has locked.
    async fn save_gray_terms(&mut self, task: &TaskRow) -> Result<()> {
        execute!(
            self,
            "UPDATE gray_task SET name = $2, start_at = $3, end_at = $4, max_users = $5, conditions = $6, admits = $7
             WHERE id = $1",
            &task.id,
            &task.name,
            task.start_at,
            task.end_at,
            task.max_users,
            &task.conditions,
            &task.admits
        )?;
        Ok(())
    }
}

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
    pub admits: Option<Json<Admits>>,
    pub created_by: String,
    pub created_at: Millis,
}

impl TaskRow {
    /// The part of the row that decides what the task means at a moment.
    pub fn life(&self) -> Life {
        Life { state: self.state, honoured: self.honoured, start: self.start_at, end: self.end_at }
    }

    /// What edits change of the task, which has these policies.
    pub fn terms(&self, policies: &[PolicyBindingRow]) -> Terms {
        Terms {
            name: self.name.clone(),
            start: self.start_at,
            end: self.end_at,
            max_users: self.max_users.map(u64::from),
            conditions: self.conditions.0.clone(),
            policies: self.policies(policies.to_vec()),
            admits: self.admits.as_ref().map(|admits| admits.0.clone()),
        }
    }

    /// The policies of the task, by the names that they have in it. The first one that judges its conditions is `conditions`.
    pub fn policies(&self, rows: Vec<PolicyBindingRow>) -> Vec<TaskPolicy> {
        let conditions = &self.conditions.0;
        let is_standard = |row: &PolicyBindingRow| {
            row.name == conditions::POLICY && row.own_name.is_none() && row.config.0 == conditions.config()
        };
        let standard = rows.iter().position(is_standard).filter(|_| !conditions.is_empty());
        let mut policies: Vec<_> = rows.into_iter().map(TaskPolicy::from).collect();
        if let Some(at) = standard {
            policies[at].name = CONDITIONS.into();
        }
        policies
    }
}

impl Tx {
    /// Moves a task that this transaction has locked: stores the new state, records the move and emits the event.
    ///
    /// # Errors
    /// `gray-state` when the state of the task does not allow the move.
    pub async fn move_gray_task(&mut self, task: &mut TaskRow, step: &PlannedMove<'_>) -> Result<()> {
        let from = task.state;
        task.state = task.life().after(step.what, self.now())?;
        if task.state == State::Ended {
            task.honoured = step.cause == Cause::Cap;
        }
        self.write_gray_move(task, from, step, step.what.event()).await
    }

    /// Takes the version back from the devices that kept it after the cap had ended the task; records that and emits
    /// the event.
    pub async fn recall_gray_task(&mut self, task: &mut TaskRow, step: &PlannedMove<'_>) -> Result<()> {
        task.honoured = false;
        self.write_gray_move(task, State::Ended, step, kind::GRAY_TASK_RECALLED).await
    }

    async fn write_gray_move(
        &mut self,
        task: &TaskRow,
        from: State,
        step: &PlannedMove<'_>,
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
            changes: Vec::new(),
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

    /// Edits a task that this transaction has locked: stores the new terms but for its policies, records the edit as a
    /// move with who and why, and emits the event (G16).
    pub async fn edit_gray_task(
        &mut self,
        task: &mut TaskRow,
        new: &Terms,
        changes: Vec<Change>,
        actor: &str,
        note: &str,
    ) -> Result<()> {
        task.name.clone_from(&new.name);
        (task.start_at, task.end_at) = (new.start, new.end);
        task.max_users = new.max_users.map(Count);
        task.conditions = Json(new.conditions.clone());
        task.admits = new.admits.clone().map(Json);
        self.save_gray_terms(task).await?;
        let (state, at) = (task.state, self.now());
        let data = GrayEdited {
            id: task.id.clone(),
            version: task.version.clone(),
            state,
            changes: changes.clone(),
            note: note.to_owned(),
        };
        let (note, by) = (note.to_owned(), actor.to_owned());
        let row = MoveView { from: state, to: state, cause: Cause::Hand, note, by, at, changes };
        self.insert_gray_move(&task.id, &row).await?;
        self.tell(kind::GRAY_TASK_EDITED, &task.id, actor, &data).for_mini_app(&task.mini_app_id);
        Ok(())
    }

    /// Stores the move that the clock has made due, if any, for a task that this transaction has locked. A task does
    /// not start while its MiniApp is off the shelf. Returns whether the task moved.
    pub async fn catch_up_gray_task(&mut self, task: &mut TaskRow) -> Result<bool> {
        let Some(step) = self.due_move(task, self.now()).await? else { return Ok(false) };
        self.move_gray_task(task, &PlannedMove::by_time(step)).await?;
        Ok(true)
    }

    /// The state of a task at `now`, even where the clock's move is not stored yet.
    pub async fn state_by_clock(&mut self, task: &TaskRow, now: Millis) -> Result<State> {
        match self.due_move(task, now).await? {
            Some(step) => task.state.after(step),
            None => Ok(task.state),
        }
    }

    /// What the clock does to a task, if anything: a task of a MiniApp off the shelf does not start (A2).
    async fn due_move(&mut self, task: &TaskRow, now: Millis) -> Result<Option<Move>> {
        let due = task.life().due(now);
        if due != Some(Move::Start) {
            return Ok(due);
        }
        let on_shelf = self.mini_app(&task.mini_app_id).await?.is_some_and(|mini_app| mini_app.shelf().is());
        Ok(due.filter(|_| on_shelf))
    }
}

impl From<PolicyBindingRow> for TaskPolicy {
    fn from(row: PolicyBindingRow) -> Self {
        Self {
            watch: row.watch(),
            binding: row.id,
            name: row.own_name.unwrap_or_else(|| row.name.clone()),
            kind: row.kind,
            policy: row.name,
            digest: row.digest,
            config: row.config.0,
            mode: row.mode,
            on_error: row.on_error,
            limits: row.limits.0,
        }
    }
}

impl Tx {
    /// Builds the API's view of a task, with its policies and moves and its state at `now`.
    pub async fn gray_task_view(&mut self, row: TaskRow, now: Millis) -> Result<GrayTask> {
        let policies = self.policy_bindings(ScopeKind::GrayTask, row.id.as_str()).await?;
        let moves = self.gray_moves(&row.id).await?;
        let state = self.state_by_clock(&row, now).await?;
        let overdue = (state == State::Ended).then_some(Cause::Time);
        let ended = moves.iter().find(|one| one.to == State::Ended);
        let ended_by = ended.map(|one| one.cause).or(overdue);
        let policies = row.policies(policies);
        let admits = row.admits.map(|admits| admits.0);
        let max_users = row.max_users.map(u64::from);
        Ok(GrayTask {
            id: row.id,
            mini_app: row.mini_app_id,
            name: row.name,
            version: row.version,
            state,
            ended_by,
            honoured: row.honoured,
            start: row.start_at,
            end: row.end_at,
            max_users,
            admitted: row.admitted,
            in_words: in_words(&row.conditions.0, &policies, admits.as_ref(), max_users),
            conditions: row.conditions.0,
            policies,
            admits,
            created_by: row.created_by,
            created_at: row.created_at,
            moves,
        })
    }
}

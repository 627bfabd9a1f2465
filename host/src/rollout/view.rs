//! Gray tasks as the API shows them (G8).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cause, Conditions, State, TaskRow};
use crate::{
    access::{Action, Caller},
    clock::Millis,
    error::{Error, Result},
    ids::{Digest, GrayTaskId, MiniAppId, PolicyBindingId},
    mini_app,
    page::{Page, PageQuery},
    policy::registry::{Mode, OnError, PolicyBindingRow, ScopeKind},
    store::{Db, Tx},
    version::VersionNumber,
};

/// A gray task: a grayscale release of one version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct GrayTask {
    /// Id of the task.
    pub id: GrayTaskId,
    /// The MiniApp whose version it delivers.
    pub mini_app: MiniAppId,
    /// Display name, 1 to 20 characters.
    pub name: String,
    /// The version in grayscale.
    pub version: VersionNumber,
    /// State by the clock, even where the move is not stored yet.
    pub state: State,
    /// Why it ended; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Cause>,
    /// `true` when its cap has ended it and the devices that it had admitted keep the version.
    pub honoured: bool,
    /// When it begins to deliver.
    pub start: Millis,
    /// When it ends.
    pub end: Millis,
    /// The cap: how many distinct devices it admits at most; absent for no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// How many devices it has admitted.
    pub admitted: u64,
    /// The standard conditions that restrict whom it admits.
    pub conditions: Conditions,
    /// The conditions and the cap in words, a phrase for each.
    pub in_words: Vec<String>,
    /// Its policies, in the order in which they judge.
    pub policies: Vec<TaskPolicy>,
    /// The account that created it.
    pub created_by: String,
    /// When it was created.
    pub created_at: Millis,
    /// Everything that has moved it, oldest first.
    pub moves: Vec<MoveView>,
}

/// A policy that is bound to a task.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the words are those of PolicyBinding")]
pub struct TaskPolicy {
    pub binding: PolicyBindingId,
    pub policy: String,
    pub digest: Digest,
    pub config: Value,
    pub mode: Mode,
    pub on_error: OnError,
}

/// One move of a task: who or what caused it, and when (G5).
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct MoveView {
    /// The state before the move.
    #[sqlx(rename = "from_state")]
    pub from: State,
    /// The state after the move. Equal to `from` when devices lost a version that they had kept after the end of the
    /// task.
    #[sqlx(rename = "to_state")]
    pub to: State,
    /// Why the task moved.
    pub cause: Cause,
    /// The note that came with the move; absent when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account that moved the task, or `berth` for the host itself.
    #[sqlx(rename = "moved_by")]
    pub by: String,
    /// When it moved.
    #[sqlx(rename = "moved_at")]
    pub at: Millis,
}

impl From<PolicyBindingRow> for TaskPolicy {
    fn from(row: PolicyBindingRow) -> Self {
        Self {
            binding: row.id,
            policy: row.name,
            digest: row.digest,
            config: row.config.0,
            mode: row.mode,
            on_error: row.on_error,
        }
    }
}

impl Tx {
    /// Builds the API's view of a task, with its policies and moves and its state at `now`.
    pub async fn gray_task_view(&mut self, row: TaskRow, now: Millis) -> Result<GrayTask> {
        let policies = self.policy_bindings(ScopeKind::GrayTask, row.id.as_str()).await?;
        let moves = self.gray_moves(&row.id).await?;
        let state = match self.due_move(&row, now).await? {
            Some(step) => row.state.after(step)?,
            None => row.state,
        };
        let overdue = (state == State::Ended).then_some(Cause::Time);
        let ended = moves.iter().find(|one| one.to == State::Ended);
        let ended_by = ended.map(|one| one.cause).or(overdue);
        let mut in_words = row.conditions.0.in_words();
        in_words.extend(row.max_users.map(|max| format!("At most {} devices", max.0)));
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
            max_users: row.max_users.map(u64::from),
            admitted: row.admitted,
            conditions: row.conditions.0,
            in_words,
            policies: policies.into_iter().map(TaskPolicy::from).collect(),
            created_by: row.created_by,
            created_at: row.created_at,
            moves,
        })
    }
}

/// Reads the task.
///
/// # Errors
/// `not-found` when there is no such task, or the caller has no grant on its MiniApp's team; `missing-grant` when the
/// caller may not do `action` there.
pub(super) async fn authorise(tx: &mut Tx, caller: &Caller, id: &GrayTaskId, action: Action) -> Result<TaskRow> {
    let unknown = || Error::not_found("grayscale task", id);
    let task = tx.gray_task(id).await?.ok_or_else(unknown)?;
    let mini_app = tx.mini_app(&task.mini_app_id).await?.filter(|mini_app| caller.knows(&mini_app.scope()));
    caller.require(action, &mini_app.ok_or_else(unknown)?.scope())?;
    Ok(task)
}

/// One gray task, for a caller who may read its MiniApp.
pub async fn get(db: &Db, caller: &Caller, id: &GrayTaskId) -> Result<GrayTask> {
    let mut tx = db.read().await?;
    let task = authorise(&mut tx, caller, id, Action::Read).await?;
    tx.gray_task_view(task, db.now()).await
}

/// A page of the gray tasks of a MiniApp, newest first (G8), for a caller who may read the MiniApp.
pub async fn list(db: &Db, caller: &Caller, mini_app: &MiniAppId, query: &PageQuery) -> Result<Page<GrayTask>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    // Above every id in the collation of any database.
    let before = query.cursor.clone().unwrap_or_else(|| "z".into());
    let rows = tx.gray_tasks(mini_app, &before, query.limit() + 1).await?;
    let page = Page::of(rows, query, |row| row.id.to_string());
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(tx.gray_task_view(row, db.now()).await?);
    }
    Ok(Page { items, next: page.next })
}

/// The gray tasks of a MiniApp that have not ended by `now`, newest first, for the overview of the MiniApp (V3).
pub async fn not_ended(tx: &mut Tx, mini_app: &MiniAppId, now: Millis) -> Result<Vec<GrayTask>> {
    let mut tasks = Vec::new();
    for id in tx.live_gray_task_ids(mini_app).await? {
        if let Some(row) = tx.gray_task(&id).await? {
            tasks.push(tx.gray_task_view(row, now).await?);
        }
    }
    tasks.retain(|task| task.state != State::Ended);
    tasks.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(tasks)
}

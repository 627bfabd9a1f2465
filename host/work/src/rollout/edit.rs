//! Edits gray tasks (G16): name, period, cap, conditions and policies.

use berth_base::{error::Result, ids::GrayTaskId, text};
use berth_check::judge::Judges;
use berth_model::{
    access::{Action, Caller},
    policy::{
        PolicyKind,
        registry::{InstalledPolicy, Level, NewPolicyBinding, PolicyScope, ScopeKind},
    },
    rollout::{EditGrayTask, GrayTask, State, TaskPolicy, Terms},
};
use berth_store::{Db, Tx, gray_task::TaskRow, policy::PolicyBindingRow};

use super::{create, view};
use crate::policy::registry;

/// Edits a task for a caller who may release versions of its MiniApp. A task that has not started may be edited in every
/// way, one that has started only be widened. The edit is recorded as a move, with the caller and the note.
///
/// # Errors
/// `gray-narrows`, naming all that would be lost, when the task has started; `gray-state` when it has ended;
/// `policy-config` when a policy does not take its config; `gray-period` and `invalid-field` as for new tasks;
/// `not-found` and `missing-grant`. The task stays as it was then.
#[tracing::instrument(name = "gray_task.edit", skip_all, fields(gray_task = %id))]
pub async fn edit(
    db: &Db,
    judges: &dyn Judges,
    caller: &Caller,
    id: &GrayTaskId,
    edit: &EditGrayTask,
) -> Result<GrayTask> {
    let note = text::prose("note", &edit.note, 500)?;
    loop {
        let seen = Seen::read(db, caller, id).await?;
        let new = seen.terms.edited(id, seen.state, db.now(), edit)?;
        let accepted = seen.accept(db, judges, &new).await?;
        let mut tx = db.begin().await?;
        let known = view::authorise(&mut tx, caller, id, Action::Release).await?;
        tx.hold_mini_app(&known.mini_app_id).await?;
        let mut task = tx.hold_gray_task(id).await?;
        // The policies ran outside of the transaction: if somebody was faster, they have accepted what is past.
        if !seen.is_still(&mut tx, &task).await? {
            continue;
        }
        let new = seen.terms.edited(id, task.state, tx.now(), edit)?;
        store(&mut tx, caller.account.as_str(), &mut task, (&seen.terms, &new), accepted, &note).await?;
        let view = tx.gray_task_view(task, tx.now()).await?;
        tx.commit().await?;
        return Ok(view);
    }
}

/// A policy of the task, with what it has accepted. Without a row it is to be bound.
struct Accepted {
    row: Option<PolicyBindingRow>,
    /// Whether it judged conditions that restrict nobody any more, and so need no policy.
    is_over: bool,
    new: NewPolicyBinding,
    policy: InstalledPolicy,
}

/// The task as it was read before the edit.
struct Seen {
    /// Its state by the clock.
    state: State,
    terms: Terms,
    rows: Vec<PolicyBindingRow>,
}

impl Seen {
    async fn read(db: &Db, caller: &Caller, id: &GrayTaskId) -> Result<Self> {
        let mut tx = db.read().await?;
        let task = view::authorise(&mut tx, caller, id, Action::Release).await?;
        let state = tx.state_by_clock(&task, tx.now()).await?;
        let rows = tx.policy_bindings(ScopeKind::GrayTask, id.as_str()).await?;
        Ok(Self { state, terms: task.terms(&rows), rows })
    }

    /// Whether the terms, and the versions of the policies that have accepted them, are those of the task.
    async fn is_still(&self, tx: &mut Tx, task: &TaskRow) -> Result<bool> {
        let rows = tx.policy_bindings(ScopeKind::GrayTask, task.id.as_str()).await?;
        Ok(task.terms(&rows) == self.terms)
    }

    /// Has every policy that changes accept its new config and limits, by the rule of all bindings. The standard
    /// conditions of a task that had none become a policy.
    async fn accept(&self, db: &Db, judges: &dyn Judges, new: &Terms) -> Result<Vec<Accepted>> {
        let mut accepted = Vec::new();
        for (row, (old, terms)) in self.rows.iter().zip(self.terms.policies.iter().zip(&new.policies)) {
            if old != terms {
                let is_over = old.is_standard() && new.conditions.is_empty();
                let new = binding(row.digest.to_string(), terms);
                let policy = registry::check(db, judges, &new, &[row.kind]).await?;
                accepted.push(Accepted { row: Some(row.clone()), is_over, new, policy });
            }
        }
        if self.terms.conditions.is_empty() && !new.conditions.is_empty() {
            let new = create::standard(&new.conditions);
            let policy = registry::check(db, judges, &new, &[PolicyKind::Grayscale]).await?;
            accepted.push(Accepted { row: None, is_over: false, new, policy });
        }
        Ok(accepted)
    }
}

fn binding(policy: String, terms: &TaskPolicy) -> NewPolicyBinding {
    let TaskPolicy { config, mode, on_error, limits, watch, .. } = terms.clone();
    NewPolicyBinding { policy, config, mode, on_error, limits, watch, name: None }
}

/// Stores the new terms of a task that this transaction holds; nothing when they are the old ones.
async fn store(
    tx: &mut Tx,
    actor: &str,
    task: &mut TaskRow,
    (old, new): (&Terms, &Terms),
    accepted: Vec<Accepted>,
    note: &str,
) -> Result<()> {
    let changes = old.changes(new);
    if changes.is_empty() {
        return Ok(());
    }
    let mini_app = task.mini_app_id.clone();
    create::check_references(tx, &mini_app, &new.conditions, &old.conditions).await?;
    for Accepted { row, is_over, new: terms, policy } in accepted {
        registry::lists::require(tx, &mini_app, &policy, &terms.config).await?;
        match row {
            Some(row) if is_over => registry::take_away(tx, actor, row, Some(&mini_app)).await?,
            Some(row) => drop(registry::store(tx, actor, row, terms, policy, Some(&mini_app)).await?),
            None => {
                drop(registry::attach(tx, actor, Level::Team, PolicyScope::gray_task(&task.id), terms, policy).await?)
            }
        }
    }
    tx.edit_gray_task(task, new, changes, actor, note).await?;
    // A start that was moved to now or before is a start.
    tx.catch_up_gray_task(task).await?;
    Ok(())
}

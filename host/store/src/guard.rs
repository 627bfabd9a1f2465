//! Guards of gray tasks (G13): the devices beside a task, the firsts that make its health, and what guards have said.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{GrayTaskId, PolicyBindingId},
    sql::Count,
};
use berth_model::{
    policy::PolicyKind,
    rollout::{
        GuardCounts, GuardLook, GuardSaid, Mark,
        health::{Beside, First, Firsts},
    },
};
use sqlx::types::Json;

use super::{
    Lease, Tx, execute, execute_built, fetch, fetch_built,
    lease::{free, given_back, taken},
    push_ids,
};
use crate::{gray_task::TaskRow, policy::PolicyBindingRow};

/// The looks of a guard that are kept.
const KEPT_LOOKS: i64 = 500;

/// What became of devices that got the online version while a task delivered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BystanderMarks {
    /// The devices that were not known yet, in the order in which they asked.
    pub new: Vec<String>,
    /// The devices that got each mark.
    pub marked: BTreeMap<Mark, BTreeSet<String>>,
}

impl Tx {
    /// Adds bystanders to a task that this transaction holds, as long as it takes more of them, and marks those that it has.
    pub async fn note_bystanders(&mut self, task: &TaskRow, marks: &BystanderMarks, now: Millis) -> Result<()> {
        const SQL: &str = "SELECT bystanders FROM gray_task WHERE id = $1";
        let (Count(last),) = fetch!(self, fetch_one, (Count,), SQL, &task.id)?;
        let known = self.known_bystanders(&task.id, &marks.new).await?;
        let room = berth_model::rollout::health::bystanders_for(task.admitted).saturating_sub(last);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let new: Vec<_> = marks.new.iter().filter(|guid| !known.contains(*guid)).take(room).collect();
        self.insert_bystanders(&task.id, last, &new, now).await?;
        for (mark, guids) in &marks.marked {
            self.mark_bystanders(&task.id, *mark, guids, now).await?;
        }
        Ok(())
    }

    /// Those of `guids` that are bystanders of the task.
    pub(crate) async fn known_bystanders(&mut self, task: &GrayTaskId, guids: &[String]) -> Result<BTreeSet<String>> {
        if guids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let rows = fetch_built!(self, (String,), |query| {
            query.push("SELECT guid FROM bystander WHERE task_id = ").push_bind(task).push(" AND guid IN ");
            push_ids!(query, guids);
        })?;
        Ok(rows.into_iter().map(|(guid,)| guid).collect())
    }

    /// Adds bystanders with the ordinals after `last`, and counts them in the task.
    pub(crate) async fn insert_bystanders(
        &mut self,
        task: &GrayTaskId,
        last: u64,
        new: &[&String],
        now: Millis,
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        execute_built!(self, |query| {
            query.push("INSERT INTO bystander (task_id, guid, ordinal, asked_at) ");
            query.push_values((last + 1..).zip(new), |mut row, (ordinal, guid)| {
                row.push_bind(task).push_bind(*guid).push_bind(Count(ordinal)).push_bind(now);
            });
        })?;
        execute!(self, "UPDATE gray_task SET bystanders = $2 WHERE id = $1", task, Count(last + new.len() as u64))?;
        Ok(())
    }

    /// Gives the mark to those of `guids` that are bystanders of the task and do not have it yet.
    pub(crate) async fn mark_bystanders(
        &mut self,
        task: &GrayTaskId,
        mark: Mark,
        guids: &BTreeSet<String>,
        at: Millis,
    ) -> Result<()> {
        let column = mark.column();
        execute_built!(self, |query| {
            query.push("UPDATE bystander SET ").push(column).push(" = ").push_bind(at);
            query.push(" WHERE task_id = ").push_bind(task);
            query.push(" AND ").push(column).push(" IS NULL AND guid IN ");
            push_ids!(query, guids);
        })?;
        Ok(())
    }

    /// The bystanders of a task after an ordinal, in their order.
    pub async fn bystanders_after(&mut self, task: &str, ordinal: u64, limit: i64) -> Result<Vec<(String, u64)>> {
        const SQL: &str =
            "SELECT guid, ordinal FROM bystander WHERE task_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3";
        let rows = fetch!(self, fetch_all, (String, Count), SQL, task, Count(ordinal), limit)?;
        Ok(rows.into_iter().map(|(guid, Count(ordinal))| (guid, ordinal)).collect())
    }
}

/// When a device was first seen to run a version, or that it failed, as an expression.
macro_rules! seen {
    () => {
        "CASE WHEN failed_at IS NULL OR running_at < failed_at THEN running_at ELSE failed_at END"
    };
}

/// When a device first tried a version, as an expression. Of a version that does well there may be no sign but its download until
/// the device asks again, while a failure is told at once: devices that run it must not be counted later than those that fail.
macro_rules! tried {
    () => {
        concat!(
            "CASE WHEN downloaded_at IS NULL THEN ",
            seen!(),
            " WHEN ",
            seen!(),
            " < downloaded_at THEN ",
            seen!(),
            " ELSE downloaded_at END"
        )
    };
}

/// How many devices of a table did what first, by the number of the window after `$2`, each `$3` milliseconds long. Who had
/// tried the version before has no part in it, nor who is none `of` those that are compared.
macro_rules! firsts {
    ($table:literal, $asked:literal, $of:literal) => {
        concat!(
            "SELECT CAST(0 AS BIGINT), (",
            $asked,
            " - $2) / $3 AS number, COUNT(*) FROM ",
            $table,
            " WHERE task_id = $1 ",
            $of,
            " AND ",
            $asked,
            " >= $2 GROUP BY number
             UNION ALL SELECT CAST(1 AS BIGINT), (downloaded_at - $2) / $3 AS number, COUNT(*) FROM ",
            $table,
            " WHERE task_id = $1 ",
            $of,
            " AND downloaded_at >= $2 GROUP BY number
             UNION ALL SELECT CAST(2 AS BIGINT), (",
            tried!(),
            " - $2) / $3 AS number, COUNT(*) FROM ",
            $table,
            " WHERE task_id = $1 ",
            $of,
            " AND ",
            tried!(),
            " >= $2 GROUP BY number
             UNION ALL SELECT CAST(3 AS BIGINT), (failed_at - $2) / $3 AS number, COUNT(*) FROM ",
            $table,
            " WHERE task_id = $1 ",
            $of,
            " AND ",
            tried!(),
            " >= $2 AND failed_at IS NOT NULL GROUP BY number"
        )
    };
}

type FirstsRow = (i64, i64, Count);

fn first((which, number, Count(count)): FirstsRow) -> Firsts {
    let what = match which {
        0 => First::Asked,
        1 => First::Downloaded,
        2 => First::Tried,
        _ => First::Failed,
    };
    (what, number, count)
}

impl Tx {
    /// What the devices that the task has admitted did first since a moment, by windows of `width` milliseconds.
    pub async fn firsts_of_admitted(&mut self, task: &GrayTaskId, since: Millis, width: i64) -> Result<Vec<Firsts>> {
        const SQL: &str = firsts!("admission", "admitted_at", "");
        let rows = fetch!(self, fetch_all, FirstsRow, SQL, task, since, width)?;
        Ok(rows.into_iter().map(first).collect())
    }

    /// The same of the task's bystanders, without those whom the task has admitted since.
    pub async fn firsts_of_bystanders(&mut self, task: &GrayTaskId, since: Millis, width: i64) -> Result<Vec<Firsts>> {
        const SQL: &str = firsts!(
            "bystander",
            "asked_at",
            "AND NOT EXISTS (SELECT 1 FROM admission a WHERE a.task_id = bystander.task_id AND a.guid = bystander.guid)"
        );
        let rows = fetch!(self, fetch_all, FirstsRow, SQL, task, since, width)?;
        Ok(rows.into_iter().map(first).collect())
    }

    /// Since when the task delivers without a break; `None` when it has never begun.
    pub async fn delivers_since(&mut self, task: &GrayTaskId) -> Result<Option<Millis>> {
        const SQL: &str = "SELECT MAX(moved_at) FROM gray_move
             WHERE task_id = $1 AND to_state = 'delivering' AND from_state <> 'delivering'";
        let (since,) = fetch!(self, fetch_one, (Option<Millis>,), SQL, task)?;
        Ok(since)
    }
}

/// A row of `guard_watch`: how far a guard is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct GuardWatch {
    /// The binding of the guard.
    pub binding_id: PolicyBindingId,
    /// The task that it watches.
    pub task_id: GrayTaskId,
    /// Since when its windows are counted; 0 before the first look.
    pub since: Millis,
    /// When the present window is over.
    pub due_at: Millis,
    /// How often it has said what.
    pub counts: Json<GuardCounts>,
}

/// A row of `guard_look`.
#[derive(sqlx::FromRow)]
struct LookRow {
    looked_at: Millis,
    said: GuardSaid,
    words: String,
    moved: bool,
    in_window: Json<Beside>,
    in_all: Json<Beside>,
}

impl From<LookRow> for GuardLook {
    fn from(row: LookRow) -> Self {
        Self {
            at: row.looked_at,
            said: row.said,
            words: row.words,
            moved: row.moved,
            window: row.in_window.0,
            total: row.in_all.0,
        }
    }
}

impl Tx {
    /// Lets a guard that was just bound to a task watch it: its first look is due at once.
    pub async fn insert_guard_watch(&mut self, binding: &PolicyBindingRow) -> Result<()> {
        debug_assert_eq!(binding.kind, PolicyKind::Guard);
        execute!(
            self,
            "INSERT INTO guard_watch (binding_id, task_id, since, due_at, counts, lease_until)
             VALUES ($1, $2, 0, 0, $3, 0)",
            &binding.id,
            &binding.scope_id,
            Json(GuardCounts::default())
        )?;
        Ok(())
    }

    /// How far the guards of a task are.
    pub async fn guard_watches(&mut self, task: &GrayTaskId) -> Result<Vec<GuardWatch>> {
        Ok(fetch!(self, fetch_all, GuardWatch, "SELECT * FROM guard_watch WHERE task_id = $1", task)?)
    }

    /// Whether the window of a guard of a task that delivers is over. One that would be over in more than a day, which is the
    /// longest, was begun by a clock that was wrong.
    pub async fn has_due_guard(&mut self, now: Millis) -> Result<bool> {
        const SQL: &str = concat!(
            "SELECT w.due_at FROM guard_watch w JOIN gray_task t ON t.id = w.task_id
             WHERE t.state = 'delivering' AND (w.due_at <= $1 OR w.due_at > $1 + 86400000) AND ",
            free!("$1"),
            " LIMIT 1"
        );
        Ok(fetch!(self, fetch_optional, (Millis,), SQL, now)?.is_some())
    }

    /// Takes a guard whose window is over and that no living host has: the one that waits for longest. A team for which a
    /// worker of the same owner is at a guard already has no turn, so that guards that take long hold up those of their own
    /// team only (F77).
    pub async fn claim_guard(&mut self, lease: &Lease) -> Result<Option<GuardWatch>> {
        const NEXT: &str = concat!(
            "SELECT w.* FROM guard_watch w JOIN gray_task t ON t.id = w.task_id JOIN mini_app m ON m.id = t.mini_app_id
             WHERE t.state = 'delivering' AND (w.due_at <= $1 OR w.due_at > $1 + 86400000) AND ",
            free!("$1"),
            " AND NOT EXISTS (SELECT 1 FROM guard_watch other JOIN gray_task its ON its.id = other.task_id
                              JOIN mini_app app ON app.id = its.mini_app_id
                              WHERE app.team_id = m.team_id AND other.lease_owner = $2 AND other.lease_until > $1)
             ORDER BY w.due_at, w.binding_id LIMIT 1"
        );
        loop {
            let next = fetch!(self, fetch_optional, GuardWatch, NEXT, lease.from(), lease.owner())?;
            let Some(watch) = next else { return Ok(None) };
            if self.take_guard(&watch, lease).await? {
                return Ok(Some(watch));
            }
            // Another host was faster with this one; there may be more.
        }
    }

    async fn take_guard(&mut self, watch: &GuardWatch, lease: &Lease) -> Result<bool> {
        const TAKE: &str = concat!(
            "UPDATE guard_watch SET ",
            taken!("$2", "$3"),
            " WHERE binding_id = $1 AND due_at = $5 AND ",
            free!("$4")
        );
        let (owner, until, from) = (lease.owner(), lease.until(), lease.from());
        Ok(execute!(self, TAKE, &watch.binding_id, owner, until, from, watch.due_at)? > 0)
    }

    /// Notes how far a guard is, and gives it back until its next window is over. False, and nothing changes, when another
    /// host has it.
    pub async fn give_guard_back(&mut self, watch: &GuardWatch, owner: &str) -> Result<bool> {
        const SQL: &str = concat!(
            "UPDATE guard_watch SET since = $3, due_at = $4, counts = $5, ",
            given_back!(),
            " WHERE binding_id = $1 AND lease_owner = $2"
        );
        let GuardWatch { binding_id, since, due_at, counts, .. } = watch;
        Ok(execute!(self, SQL, binding_id, owner, since, due_at, counts)? > 0)
    }

    /// Gives back the guards of a host that stops.
    pub async fn release_guards(&mut self, owner: &str) -> Result<()> {
        const SQL: &str = concat!("UPDATE guard_watch SET ", given_back!(), " WHERE lease_owner = $1");
        execute!(self, SQL, owner)?;
        Ok(())
    }

    /// Adds a look, and forgets all but the last ones.
    pub async fn insert_guard_look(&mut self, binding: &PolicyBindingId, look: &GuardLook) -> Result<()> {
        execute!(
            self,
            "INSERT INTO guard_look (binding_id, looked_at, said, words, moved, in_window, in_all)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            binding,
            look.at,
            look.said,
            &look.words,
            look.moved,
            Json(look.window),
            Json(look.total)
        )?;
        execute!(
            self,
            "DELETE FROM guard_look WHERE binding_id = $1 AND looked_at < (SELECT MIN(looked_at) FROM
                 (SELECT looked_at FROM guard_look WHERE binding_id = $1 ORDER BY looked_at DESC LIMIT $2) AS kept)",
            binding,
            KEPT_LOOKS
        )?;
        Ok(())
    }

    /// The last looks of a guard, newest first.
    pub async fn guard_looks(&mut self, binding: &PolicyBindingId, limit: i64) -> Result<Vec<GuardLook>> {
        const SQL: &str = "SELECT * FROM guard_look WHERE binding_id = $1 ORDER BY looked_at DESC LIMIT $2";
        Ok(fetch!(self, fetch_all, LookRow, SQL, binding, limit)?.into_iter().map(GuardLook::from).collect())
    }
}

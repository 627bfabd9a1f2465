//! Guards of gray tasks (G13): the devices beside a task, the firsts that make its health, and what guards have said.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{GrayTaskId, PolicyBindingId, TeamId},
    sql::Count,
};
use berth_model::{
    policy::PolicyKind,
    rollout::{
        GuardCounts, GuardLook, GuardSaid, Mark, Side,
        health::{Beside, First, Firsts},
    },
};
use sqlx::types::Json;

use super::{
    Lease, Tx, execute, fetch,
    lease::{free, given_back, taken, turn_taken},
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
        let new: Vec<_> = marks.new.iter().map(String::as_str).collect();
        let known: BTreeSet<_> = self.devices_of(Side::Beside, &task.id, &new).await?.into_iter().collect();
        let room = berth_model::rollout::health::bystanders_for(task.admitted).saturating_sub(last);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let new: Vec<_> = new.into_iter().filter(|guid| !known.contains(*guid)).take(room).collect();
        self.insert_devices(Side::Beside, &task.id, last, &new, now).await?;
        for (mark, guids) in &marks.marked {
            self.mark_devices(Side::Beside, &task.id, *mark, guids, now).await?;
        }
        Ok(())
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

/// A guard that was claimed.
#[derive(sqlx::FromRow)]
struct Claimed {
    team_id: TeamId,
    #[sqlx(flatten)]
    watch: GuardWatch,
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

    /// Takes a guard whose window is over and that no living host has: that of the team whose last turn is the longest ago, and of
    /// one team the one that waits for longest. A team for which a worker of the same owner is at a guard already has no turn, so
    /// that guards that take long hold up those of their own team only (F77).
    pub async fn claim_guard(&mut self, lease: &Lease) -> Result<Option<GuardWatch>> {
        const NEXT: &str = concat!(
            "SELECT w.*, m.team_id FROM guard_watch w JOIN gray_task t ON t.id = w.task_id
             JOIN mini_app m ON m.id = t.mini_app_id LEFT JOIN guard_turn u ON u.team_id = m.team_id
             WHERE t.state = 'delivering' AND (w.due_at <= $1 OR w.due_at > $1 + 86400000) AND ",
            free!("$1"),
            " AND NOT EXISTS (SELECT 1 FROM guard_watch other JOIN gray_task its ON its.id = other.task_id
                              JOIN mini_app app ON app.id = its.mini_app_id
                              WHERE app.team_id = m.team_id AND other.lease_owner = $2 AND other.lease_until > $1)
             ORDER BY COALESCE(u.turn, 0), w.due_at, w.binding_id LIMIT 1"
        );
        loop {
            let next = fetch!(self, fetch_optional, Claimed, NEXT, lease.from(), lease.owner())?;
            let Some(Claimed { team_id, watch }) = next else { return Ok(None) };
            if self.take_guard(&watch, lease).await? {
                execute!(self, turn_taken!("guard_turn"), &team_id)?;
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

    /// Notes how far a guard is, and gives it back until it is due. False, and nothing changes, when this is not its lease any
    /// more: after its end another worker may have the guard, also one of the same host.
    pub async fn give_guard_back(&mut self, watch: &GuardWatch, lease: &Lease) -> Result<bool> {
        const SQL: &str = concat!(
            "UPDATE guard_watch SET since = $3, due_at = $4, counts = $5, ",
            given_back!(),
            " WHERE binding_id = $1 AND lease_owner = $2 AND lease_until = $6"
        );
        let GuardWatch { binding_id, since, due_at, counts, .. } = watch;
        Ok(execute!(self, SQL, binding_id, lease.owner(), since, due_at, counts, lease.until())? > 0)
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

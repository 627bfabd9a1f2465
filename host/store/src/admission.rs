//! The devices that gray tasks have admitted, with their marks.

use std::collections::BTreeSet;

use berth_base::sql::Count;

use super::{Tx, execute, execute_built, fetch, fetch_built};
use berth_base::{clock::Millis, error::Result, ids::GrayTaskId};
use berth_model::rollout::Mark;
use std::collections::HashSet;

use berth_model::{
    event,
    rollout::{Cause, Move, PlannedMove, Standing},
};

impl Tx {
    /// Those of `guids` that the task has admitted.
    pub async fn admitted_of(&mut self, task: &GrayTaskId, guids: &[&str]) -> Result<Vec<String>> {
        let rows = fetch_built!(self, (String,), |query| {
            query.push("SELECT guid FROM admission WHERE task_id = ").push_bind(task).push(" AND guid IN (");
            let mut list = query.separated(", ");
            for guid in guids {
                list.push_bind(*guid);
            }
            query.push(")");
        })?;
        Ok(rows.into_iter().map(|(guid,)| guid).collect())
    }

    /// Adds admissions with the ordinals after `last`, and counts them in the task, which this transaction holds.
    pub async fn insert_admissions(&mut self, task: &GrayTaskId, last: u64, guids: &[&str], now: Millis) -> Result<()> {
        if guids.is_empty() {
            return Ok(());
        }
        execute_built!(self, |query| {
            query.push("INSERT INTO admission (task_id, guid, ordinal, admitted_at) ");
            query.push_values((last + 1..).zip(guids), |mut row, (ordinal, guid)| {
                row.push_bind(task).push_bind(*guid).push_bind(Count(ordinal)).push_bind(now);
            });
        })?;
        execute!(self, "UPDATE gray_task SET admitted = $2 WHERE id = $1", task, Count(last + guids.len() as u64))?;
        Ok(())
    }

    /// Gives the mark to those of `guids` that the task has admitted and that do not have it yet.
    pub async fn mark_admissions(
        &mut self,
        task: &GrayTaskId,
        mark: Mark,
        guids: &BTreeSet<String>,
        at: Millis,
    ) -> Result<()> {
        execute_built!(self, |query| {
            query.push("UPDATE admission SET ").push(column(mark)).push(" = ").push_bind(at);
            query.push(" WHERE task_id = ").push_bind(task);
            query.push(" AND ").push(column(mark)).push(" IS NULL AND guid IN (");
            let mut list = query.separated(", ");
            for guid in guids {
                list.push_bind(guid);
            }
            query.push(")");
        })?;
        Ok(())
    }

    /// How many each delivering task has admitted, which is also the last ordinal.
    pub async fn admission_counts(&mut self) -> Result<Vec<(GrayTaskId, u64)>> {
        const SQL: &str = "SELECT id, admitted FROM gray_task WHERE state = 'delivering'";
        let rows = fetch!(self, fetch_all, (GrayTaskId, Count), SQL)?;
        Ok(rows.into_iter().map(|(id, Count(admitted))| (id, admitted)).collect())
    }

    /// The admissions of a task after an ordinal, in their order.
    pub async fn admissions_after(&mut self, task: &str, ordinal: u64, limit: i64) -> Result<Vec<(String, u64)>> {
        const SQL: &str =
            "SELECT guid, ordinal FROM admission WHERE task_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3";
        let rows = fetch!(self, fetch_all, (String, Count), SQL, task, Count(ordinal), limit)?;
        Ok(rows.into_iter().map(|(guid, Count(ordinal))| (guid, ordinal)).collect())
    }

    /// When the task admitted its first device; `None` when it has admitted none.
    pub async fn first_admission(&mut self, task: &GrayTaskId) -> Result<Option<Millis>> {
        let row = fetch!(
            self,
            fetch_optional,
            (Millis,),
            "SELECT admitted_at FROM admission WHERE task_id = $1 AND ordinal = 1",
            task
        )?;
        Ok(row.map(|(first,)| first))
    }

    /// How many devices were admitted, and how many got each mark, in each stretch of `width` milliseconds after
    /// `first`: the mark (`None` for the admission itself), the number of the stretch from 0, and the number of
    /// devices.
    pub async fn admissions_over_time(
        &mut self,
        task: &GrayTaskId,
        first: Millis,
        width: i64,
    ) -> Result<Vec<(Option<Mark>, i64, u64)>> {
        let rows = fetch!(
            self,
            fetch_all,
            (i64, i64, Count),
            "SELECT CAST(0 AS BIGINT), (admitted_at - $2) / $3 AS bucket, COUNT(*) FROM admission
             WHERE task_id = $1 GROUP BY bucket
             UNION ALL SELECT CAST(1 AS BIGINT), (downloaded_at - $2) / $3 AS bucket, COUNT(*) FROM admission
             WHERE task_id = $1 AND downloaded_at IS NOT NULL GROUP BY bucket
             UNION ALL SELECT CAST(2 AS BIGINT), (running_at - $2) / $3 AS bucket, COUNT(*) FROM admission
             WHERE task_id = $1 AND running_at IS NOT NULL GROUP BY bucket
             UNION ALL SELECT CAST(3 AS BIGINT), (failed_at - $2) / $3 AS bucket, COUNT(*) FROM admission
             WHERE task_id = $1 AND failed_at IS NOT NULL GROUP BY bucket",
            task,
            first,
            width
        )?;
        let mark = |which| match which {
            1 => Some(Mark::Downloaded),
            2 => Some(Mark::Running),
            3 => Some(Mark::Failed),
            _ => None,
        };
        Ok(rows.into_iter().map(|(which, number, Count(count))| (mark(which), number, count)).collect())
    }
}

fn column(mark: Mark) -> &'static str {
    match mark {
        Mark::Downloaded => "downloaded_at",
        Mark::Running => "running_at",
        Mark::Failed => "failed_at",
    }
}

impl Tx {
    /// Admits as many of `guids` as fit under the cap, and ends the task when the cap is reached. Returns those of
    /// `guids` that are admitted, by this call or earlier.
    pub async fn admit_to_task(&mut self, id: &GrayTaskId, guids: &[&str]) -> Result<Vec<String>> {
        let now = self.now();
        let mut task = self.hold_gray_task(id).await?;
        let mut is_in = match task.life().standing(now) {
            Standing::Waiting | Standing::Over => return Ok(Vec::new()),
            Standing::Open | Standing::AdmittedOnly => self.admitted_of(id, guids).await?,
        };
        self.catch_up_gray_task(&mut task).await?;
        // A task that is due but may not start, because its MiniApp is off the shelf, is still pending.
        if task.state != berth_model::rollout::State::Delivering {
            return Ok(is_in);
        }
        let known: HashSet<_> = is_in.iter().map(String::as_str).collect();
        let room = task.max_users.map_or(u64::MAX, |max| max.0.saturating_sub(task.admitted));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let new: Vec<&str> = guids.iter().copied().filter(|guid| !known.contains(guid)).take(room).collect();
        self.insert_admissions(id, task.admitted, &new, now).await?;
        task.admitted += new.len() as u64;
        if task.max_users.is_some_and(|max| task.admitted >= max.0) {
            let step = PlannedMove { what: Move::End, cause: Cause::Cap, actor: event::BERTH, note: "" };
            self.move_gray_task(&mut task, &step).await?;
        }
        is_in.extend(new.into_iter().map(str::to_owned));
        Ok(is_in)
    }
}

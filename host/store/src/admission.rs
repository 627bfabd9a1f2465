//! The devices that gray tasks have admitted, with their marks.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use berth_base::sql::Count;

use super::{Tx, execute, execute_built, fetch, fetch_built, gray_task::TaskRow, push_ids};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{GrayTaskId, MiniAppId},
};
use berth_model::rollout::Mark;

use berth_model::{
    event,
    rollout::{Cause, FailureReason, Life, Move, PlannedMove, Side, State},
};

/// How many failures of one device are kept for a task; later ones only say that the version still fails there.
pub const MOST_FAILURES: u8 = 20;

/// How much there is of what one task gathers; also the last ordinals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// The admitted devices.
    pub admitted: u64,
    /// The failures of the version on them.
    pub failures: u64,
    /// The devices that got the online version meanwhile; only a task with a guard has any (G13).
    pub bystanders: u64,
}

/// How many of the devices that a task has admitted are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States {
    /// All of them.
    pub offered: u64,
    /// Those that run the version.
    pub running: u64,
    /// Those on which the version failed.
    pub failed: u64,
}

impl Tx {
    /// Notes of admitted devices whether they run the version or it failed on them; the last note counts.
    pub async fn set_running(&mut self, task: &GrayTaskId, runs: bool, guids: &BTreeSet<String>) -> Result<()> {
        execute_built!(self, |query| {
            query.push("UPDATE admission SET runs = ").push_bind(runs).push(" WHERE task_id = ").push_bind(task);
            query.push(" AND (runs IS NULL OR runs <> ").push_bind(runs).push(") AND guid IN ");
            push_ids!(query, guids);
        })?;
        Ok(())
    }

    /// Adds failures of the version, each a guid and a reason, to a task that this transaction holds. Of one device at
    /// most [`MOST_FAILURES`] are kept. Returns how often the version has failed by then on each of these devices that the
    /// task has admitted.
    pub async fn add_failures(
        &mut self,
        task: &GrayTaskId,
        failures: &[(String, String)],
        now: Millis,
    ) -> Result<HashMap<String, u64>> {
        let guids: BTreeSet<_> = failures.iter().map(|(guid, _)| guid.as_str()).collect();
        if guids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut kept = self.failures_of(task, &guids).await?;
        let mut new = Vec::with_capacity(failures.len());
        for (guid, reason) in failures {
            let count = kept.entry(guid.clone()).or_default();
            *count += 1;
            if *count <= u64::from(MOST_FAILURES) {
                new.push((guid, reason));
            }
        }
        let (Count(last),) = fetch!(self, fetch_one, (Count,), "SELECT failures FROM gray_task WHERE id = $1", task)?;
        self.insert_failures(task, last, &new, now).await?;
        Ok(kept)
    }

    /// Notes that devices fell back (G15): those of `guids` on which the version failed last, and of which it is not noted
    /// yet. The transaction holds the task. Returns how many such devices the task had before, and how many it has now.
    pub async fn note_fallen_back(
        &mut self,
        task: &GrayTaskId,
        guids: &BTreeSet<&str>,
        now: Millis,
    ) -> Result<(u64, u64)> {
        let new = self.insert_fallen_back(task, guids, now).await?;
        const SQL: &str = "UPDATE gray_task SET fell_back = fell_back + $2 WHERE id = $1 RETURNING fell_back";
        let (Count(all),) = fetch!(self, fetch_one, (Count,), SQL, task, Count(new))?;
        Ok((all - new, all))
    }

    /// Notes the time on the devices, and says on how many.
    pub(crate) async fn insert_fallen_back(
        &mut self,
        task: &GrayTaskId,
        guids: &BTreeSet<&str>,
        now: Millis,
    ) -> Result<u64> {
        Ok(execute_built!(self, |query| {
            query.push("UPDATE admission SET fell_back_at = ").push_bind(now).push(" WHERE task_id = ").push_bind(task);
            query.push(" AND fell_back_at IS NULL AND NOT runs AND guid IN ");
            push_ids!(query, guids);
        })?)
    }

    /// How many failures are kept of each of `guids` that has any.
    pub(crate) async fn failures_of(
        &mut self,
        task: &GrayTaskId,
        guids: &BTreeSet<&str>,
    ) -> Result<HashMap<String, u64>> {
        let rows = fetch_built!(self, (String, Count), |query| {
            query.push("SELECT guid, COUNT(*) FROM gray_failure WHERE task_id = ").push_bind(task);
            query.push(" AND guid IN ");
            push_ids!(query, guids);
            query.push(" GROUP BY guid");
        })?;
        Ok(rows.into_iter().map(|(guid, Count(count))| (guid, count)).collect())
    }

    /// Adds failures with the ordinals after `last`, and counts them in the task.
    pub(crate) async fn insert_failures(
        &mut self,
        task: &GrayTaskId,
        last: u64,
        new: &[(&String, &String)],
        now: Millis,
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        execute_built!(self, |query| {
            query.push("INSERT INTO gray_failure (task_id, ordinal, guid, reason, failed_at) ");
            query.push_values((last + 1..).zip(new), |mut row, (ordinal, (guid, reason))| {
                row.push_bind(task).push_bind(Count(ordinal)).push_bind(*guid).push_bind(*reason).push_bind(now);
            });
        })?;
        execute!(self, "UPDATE gray_task SET failures = $2 WHERE id = $1", task, Count(last + new.len() as u64))?;
        Ok(())
    }

    /// How much each task that still has an effect on devices has gathered.
    pub async fn gathered(&mut self) -> Result<HashMap<GrayTaskId, Gathered>> {
        const SQL: &str = "SELECT id, admitted, failures, bystanders FROM gray_task WHERE state <> 'ended' OR honoured";
        let rows = fetch!(self, fetch_all, (GrayTaskId, Count, Count, Count), SQL)?;
        let gathered = |(id, Count(admitted), Count(failures), Count(bystanders))| {
            (id, Gathered { admitted, failures, bystanders })
        };
        Ok(rows.into_iter().map(gathered).collect())
    }

    /// The devices of the failures of a task after an ordinal, in their order.
    pub async fn failures_after(&mut self, task: &str, ordinal: u64, limit: i64) -> Result<Vec<(String, u64)>> {
        const SQL: &str =
            "SELECT guid, ordinal FROM gray_failure WHERE task_id = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3";
        let rows = fetch!(self, fetch_all, (String, Count), SQL, task, Count(ordinal), limit)?;
        Ok(rows.into_iter().map(|(guid, Count(ordinal))| (guid, ordinal)).collect())
    }

    /// The reasons of the failures of a task, those of most devices first, at most `limit`; and how many there are.
    pub async fn failure_reasons(&mut self, task: &GrayTaskId, limit: i64) -> Result<(Vec<FailureReason>, u64)> {
        let first = fetch!(
            self,
            fetch_all,
            FailureReason,
            "SELECT reason, COUNT(DISTINCT guid) AS devices, COUNT(*) AS failures, MAX(failed_at) AS last_at
             FROM gray_failure WHERE task_id = $1 GROUP BY reason
             ORDER BY COUNT(DISTINCT guid) DESC, COUNT(*) DESC, reason LIMIT $2",
            task,
            limit
        )?;
        const SQL: &str = "SELECT COUNT(DISTINCT reason) FROM gray_failure WHERE task_id = $1";
        let (Count(all),) = fetch!(self, fetch_one, (Count,), SQL, task)?;
        Ok((first, all))
    }

    /// How many of the admitted devices are in each state.
    pub async fn device_states(&mut self, task: &GrayTaskId) -> Result<States> {
        let (Count(offered), Count(running), Count(failed)) = fetch!(
            self,
            fetch_one,
            (Count, Count, Count),
            "SELECT COUNT(*), COUNT(CASE WHEN runs THEN 1 END), COUNT(CASE WHEN NOT runs THEN 1 END)
             FROM admission WHERE task_id = $1",
            task
        )?;
        Ok(States { offered, running, failed })
    }

    /// On how many of the devices that do not run the version it failed at least `times` times (G15).
    pub async fn devices_that_fell_back(&mut self, task: &GrayTaskId, times: u8) -> Result<u64> {
        let (Count(count),) = fetch!(
            self,
            fetch_one,
            (Count,),
            "SELECT COUNT(*) FROM (SELECT f.guid FROM gray_failure f
                 JOIN admission a ON a.task_id = f.task_id AND a.guid = f.guid
             WHERE f.task_id = $1 AND NOT a.runs GROUP BY f.guid HAVING COUNT(*) >= $2) fallen",
            task,
            i64::from(times)
        )?;
        Ok(count)
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

/// What became of devices that asked to be admitted to a task. Those in neither list are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admissions {
    /// The devices that the task has admitted, by this call or earlier.
    pub admitted: HashSet<String>,
    /// The devices that another task of the MiniApp has, with that task (G9).
    pub kept: HashMap<String, GrayTaskId>,
}

impl Tx {
    /// Locks these gray tasks, and all others of their MiniApps that have not ended, in the order of their ids. Until
    /// the transaction ends no device is admitted to any of them by anybody else. Returns all of them.
    pub async fn hold_rivals(&mut self, tasks: &[&GrayTaskId]) -> Result<BTreeMap<GrayTaskId, TaskRow>> {
        let mut held = BTreeMap::new();
        if tasks.is_empty() {
            return Ok(held);
        }
        let rows = fetch_built!(self, (GrayTaskId,), |query| {
            query.push(
                "SELECT DISTINCT t.id FROM gray_task t JOIN gray_task wanted ON wanted.mini_app_id = t.mini_app_id",
            );
            query.push(" WHERE (t.state <> 'ended' OR t.id = wanted.id) AND wanted.id IN ");
            push_ids!(query, tasks);
            query.push(" ORDER BY t.id");
        })?;
        for (id,) in rows {
            let task = self.hold_gray_task(&id).await?;
            held.insert(id, task);
        }
        Ok(held)
    }

    /// Those of `guids` that the task has admitted, and those that another task of the MiniApp has admitted and honours at
    /// `now`, with the newest such task. Devices on which the version of another task failed are free to fall back (G15).
    pub(crate) async fn standing_of(
        &mut self,
        mini_app: &MiniAppId,
        task: &GrayTaskId,
        guids: &[&str],
        now: Millis,
    ) -> Result<Admissions> {
        type Row = (String, GrayTaskId, State, bool, Millis, Millis);
        let rows = fetch_built!(self, Row, |query| {
            query.push(
                "SELECT a.guid, t.id, t.state, t.honoured, t.start_at, t.end_at FROM gray_task t
                 JOIN version v ON v.id = t.version_id JOIN admission a ON a.task_id = t.id WHERE t.mini_app_id = ",
            );
            query.push_bind(mini_app).push(" AND (t.id = ").push_bind(task);
            query.push(
                " OR (t.state <> 'ended' OR t.honoured) AND v.state = 'approved' AND a.failed_at IS NULL) AND a.guid IN ",
            );
            push_ids!(query, guids);
            query.push(" ORDER BY t.id");
        })?;
        let mut found = Admissions::default();
        for (guid, id, state, honoured, start, end) in rows {
            if id == *task {
                found.admitted.insert(guid);
            } else if (Life { state, honoured, start, end }).standing(now).honours() {
                found.kept.insert(guid, id);
            }
        }
        found.kept.retain(|guid, _| !found.admitted.contains(guid));
        Ok(found)
    }

    /// Admits as many of `guids` as fit under the cap and are free (G9), and ends the task when the cap is reached.
    /// The task is one of [`Tx::hold_rivals`].
    pub async fn admit_to_task(&mut self, task: &mut TaskRow, guids: &[&str]) -> Result<Admissions> {
        let now = self.now();
        if !task.life().standing(now).honours() {
            return Ok(Admissions::default());
        }
        let Admissions { mut admitted, kept } = self.standing_of(&task.mini_app_id, &task.id, guids, now).await?;
        // A task that is due but may not start, because its MiniApp is off the shelf, is still pending.
        if task.state != State::Delivering {
            return Ok(Admissions { admitted, kept });
        }
        let room = task.max_users.map_or(u64::MAX, |max| max.0.saturating_sub(task.admitted));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let free = |guid: &&str| !admitted.contains(*guid) && !kept.contains_key(*guid);
        let new: Vec<&str> = guids.iter().copied().filter(free).take(room).collect();
        self.insert_devices(Side::Gray, &task.id, task.admitted, &new, now).await?;
        task.admitted += new.len() as u64;
        if task.max_users.is_some_and(|max| task.admitted >= max.0) {
            let step = PlannedMove { what: Move::End, cause: Cause::Cap, actor: event::BERTH, note: "" };
            self.move_gray_task(task, &step).await?;
        }
        admitted.extend(new.into_iter().map(str::to_owned));
        Ok(Admissions { admitted, kept })
    }
}

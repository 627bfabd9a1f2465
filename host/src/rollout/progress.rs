//! How a task goes: distinct devices that were offered the version, fetched it, run it, failed with it (G8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::view;
use crate::{
    access::{Action, Caller},
    app::App,
    clock::Millis,
    error::Result,
    ids::GrayTaskId,
    store::{Tx, fetch},
};

/// Stretches of time at the most.
const BUCKETS: i64 = 60;
const MINUTE: i64 = 60_000;

/// How a task goes.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Devices that were offered the version: those that count against the cap.
    pub offered: u64,
    /// Of these, those that fetched the package.
    pub downloaded: u64,
    /// Of these, those that were seen to run it.
    pub running: u64,
    /// Of these, those on which it failed.
    pub failed: u64,
    /// The cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// The same over time, at most 60 stretches of equal length, oldest first; stretches without news are left out.
    pub over_time: Vec<Bucket>,
}

/// What happened in one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names are those of Progress")]
pub struct Bucket {
    /// When the stretch begins.
    pub from: Millis,
    pub offered: u64,
    pub downloaded: u64,
    pub running: u64,
    pub failed: u64,
}

impl Bucket {
    fn at(from: Millis) -> Self {
        Self { from, offered: 0, downloaded: 0, running: 0, failed: 0 }
    }
}

/// How a task goes.
pub async fn progress(app: &App, caller: &Caller, id: &GrayTaskId) -> Result<Progress> {
    let mut tx = app.db.read().await?;
    let task = view::authorise(&mut tx, caller, id, Action::Read).await?;
    let over_time = tx.over_time(id, app.clock.now()).await?;
    let sum = |count: fn(&Bucket) -> u64| over_time.iter().map(count).sum();
    Ok(Progress {
        offered: sum(|bucket| bucket.offered),
        downloaded: sum(|bucket| bucket.downloaded),
        running: sum(|bucket| bucket.running),
        failed: sum(|bucket| bucket.failed),
        max_users: task.max_users.map(|max| max as u64),
        over_time,
    })
}

/// Whole minutes, so that at most [`BUCKETS`] of them reach from `first` to `last`, both included.
fn width(first: Millis, last: Millis) -> i64 {
    let shortest = (last.0 - first.0).max(0) / BUCKETS + 1;
    (shortest + MINUTE - 1) / MINUTE * MINUTE
}

impl Tx {
    async fn over_time(&mut self, task: &GrayTaskId, now: Millis) -> Result<Vec<Bucket>> {
        let (first,) = fetch!(
            self,
            fetch_one,
            (Option<Millis>,),
            "SELECT admitted_at FROM gray_task t LEFT JOIN admission a ON a.task_id = t.id AND a.ordinal = 1 WHERE t.id = $1",
            task
        )?;
        let Some(first) = first else { return Ok(Vec::new()) };
        let width = width(first, now);
        let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
        for (what, number, count) in self.counts_over_time(task, first, width).await? {
            let bucket = buckets.entry(number).or_insert_with(|| Bucket::at(Millis(first.0 + number * width)));
            let column = match what {
                0 => &mut bucket.offered,
                1 => &mut bucket.downloaded,
                2 => &mut bucket.running,
                _ => &mut bucket.failed,
            };
            *column = count as u64;
        }
        Ok(buckets.into_values().collect())
    }

    async fn counts_over_time(&mut self, task: &GrayTaskId, first: Millis, width: i64) -> Result<Vec<(i64, i64, i64)>> {
        Ok(fetch!(
            self,
            fetch_all,
            (i64, i64, i64),
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
        )?)
    }
}

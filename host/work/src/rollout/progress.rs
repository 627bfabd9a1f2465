//! The progress of a gray task: how many distinct devices were offered the version, downloaded it, run it and failed
//! with it, in total and over time (G8).

use std::collections::BTreeMap;

use berth_base::{clock::Millis, error::Result, ids::GrayTaskId};
use berth_model::{
    access::{Action, Caller},
    rollout::{Bucket, Mark, Progress},
};
use berth_store::{Db, Tx, admission::States};

use crate::rollout::{GrayConfig, guard, view};

/// Buckets that a progress has at most.
const BUCKETS: i64 = 60;

const MINUTE: i64 = 60_000;

/// Reasons of failures that a progress has at most.
const REASONS: i64 = 20;

/// The progress of a gray task, for a caller who may read its MiniApp.
pub async fn progress(db: &Db, config: &GrayConfig, caller: &Caller, id: &GrayTaskId) -> Result<Progress> {
    let mut tx = db.read().await?;
    let task = view::authorise(&mut tx, caller, id, Action::Read).await?;
    let now = tx.now();
    let over_time = over_time(&mut tx, id, now).await?;
    let States { offered, running, failed } = tx.device_states(id).await?;
    let (reasons, all_reasons) = tx.failure_reasons(id, REASONS).await?;
    let max_failures = config.gray_max_failures;
    let fell_back = match max_failures {
        0 => 0,
        most => tx.devices_that_fell_back(id, most).await?,
    };
    let guards = guard::progress(&mut tx, &task).await?;
    Ok(Progress {
        offered,
        downloaded: over_time.iter().map(|bucket| bucket.downloaded).sum(),
        waiting: offered - running - failed,
        running,
        failed,
        fell_back,
        max_failures,
        max_users: task.max_users.map(u64::from),
        other_reasons: all_reasons - reasons.len() as u64,
        reasons,
        guards,
        over_time,
    })
}

/// Length of a bucket in milliseconds: whole minutes, so many that at most [`BUCKETS`] reach from `first` to `last`,
/// both included.
fn width(first: Millis, last: Millis) -> i64 {
    let shortest = (last.0 - first.0).max(0) / BUCKETS + 1;
    (shortest + MINUTE - 1) / MINUTE * MINUTE
}

async fn over_time(tx: &mut Tx, task: &GrayTaskId, now: Millis) -> Result<Vec<Bucket>> {
    let Some(first) = tx.first_admission(task).await? else { return Ok(Vec::new()) };
    let width = width(first, now);
    let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
    for (mark, number, count) in tx.admissions_over_time(task, first, width).await? {
        let bucket = buckets.entry(number).or_insert_with(|| Bucket::at(Millis(first.0 + number * width)));
        let column = match mark {
            None => &mut bucket.offered,
            Some(Mark::Downloaded) => &mut bucket.downloaded,
            Some(Mark::Running) => &mut bucket.running,
            Some(Mark::Failed) => &mut bucket.failed,
        };
        *column = count;
    }
    Ok(buckets.into_values().collect())
}

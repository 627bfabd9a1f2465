//! The progress of a gray task: how many distinct devices were offered the version, downloaded it, run it and failed
//! with it, in total and over time (G8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Mark, view};
use crate::{
    access::{Action, Caller},
    clock::Millis,
    error::Result,
    ids::GrayTaskId,
    store::{Db, Tx},
};

/// Buckets that a progress has at most.
const BUCKETS: i64 = 60;
const MINUTE: i64 = 60_000;

/// The progress of a gray task, in distinct devices.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Devices that were offered the version; these count against the cap.
    pub offered: u64,
    /// How many of the offered devices fetched the package.
    pub downloaded: u64,
    /// How many of the offered devices were seen to run the version.
    pub running: u64,
    /// How many of the offered devices reported that the version failed.
    pub failed: u64,
    /// The cap of the task; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// The same counts over time: at most 60 buckets of equal length, oldest first. Buckets in which nothing happened
    /// are left out.
    pub over_time: Vec<Bucket>,
}

/// The devices to which something happened for the first time in one stretch of time.
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

/// The progress of a gray task, for a caller who may read its MiniApp.
pub async fn progress(db: &Db, caller: &Caller, id: &GrayTaskId) -> Result<Progress> {
    let mut tx = db.read().await?;
    let task = view::authorise(&mut tx, caller, id, Action::Read).await?;
    let over_time = over_time(&mut tx, id, db.now()).await?;
    let sum = |count: fn(&Bucket) -> u64| over_time.iter().map(count).sum();
    Ok(Progress {
        offered: sum(|bucket| bucket.offered),
        downloaded: sum(|bucket| bucket.downloaded),
        running: sum(|bucket| bucket.running),
        failed: sum(|bucket| bucket.failed),
        max_users: task.max_users.map(u64::from),
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

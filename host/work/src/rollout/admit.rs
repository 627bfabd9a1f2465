//! Admits devices to gray tasks: never more than the cap on any number of hosts (G7, I3), with many devices in one
//! transaction.
//!
//! One worker on each host takes all requests that wait and admits them in one short transaction. It locks the row of
//! each task in the order of the ids, so that hosts count one after the other and cannot deadlock.

use std::collections::HashSet;

use berth_base::{error::Result, ids::GrayTaskId};
use berth_check::{AdmitGroup, AdmitQueue};
use berth_store::Db;

/// Serves for ever: whatever waits goes into one transaction.
pub async fn run_admissions(mut queue: AdmitQueue, db: Db) {
    while let Some(group) = queue.next().await {
        match admit(&db, &group).await {
            Ok(admitted) => group.answer(&admitted),
            Err(error) => {
                let devices = group.len();
                tracing::warn!(?error, devices, "devices could not be admitted; they get the online version");
            }
        }
    }
}

type Admitted = HashSet<(GrayTaskId, String)>;

#[tracing::instrument(name = "admissions.write", skip_all, fields(devices = group.len()))]
async fn admit(db: &Db, group: &AdmitGroup) -> Result<Admitted> {
    let mut tx = db.begin().await?;
    let mut admitted = Admitted::new();
    for (task, guids) in group.by_task() {
        let guids: Vec<_> = guids.into_iter().collect();
        let in_now = tx.admit_to_task(task, &guids).await?;
        admitted.extend(in_now.into_iter().map(|guid| (task.clone(), guid)));
    }
    tx.commit().await?;
    Ok(admitted)
}

//! Admits devices to gray tasks: never more than the cap on any number of hosts (G7, I3), with many devices in one
//! transaction.
//!
//! One worker on each host takes all requests that wait and admits them in one short transaction. It locks the rows of
//! all tasks of these MiniApps in the order of the ids, so that hosts count one after the other, cannot deadlock, and
//! never admit a device to two tasks at once (G9).

use std::collections::HashMap;

use berth_base::{
    error::{Error, Result},
    ids::GrayTaskId,
};
use berth_check::{Admission, AdmitGroup, AdmitQueue};
use berth_store::{Db, admission::Admissions};

/// Serves for ever: whatever waits goes into one transaction.
pub async fn run_admissions(mut queue: AdmitQueue, db: Db) {
    while let Some(group) = queue.next().await {
        match admit(&db, &group).await {
            Ok(outcomes) => group.answer(&outcomes),
            Err(error) => {
                let devices = group.len();
                tracing::warn!(?error, devices, "devices could not be admitted; they get the online version");
            }
        }
    }
}

type Outcomes = HashMap<(GrayTaskId, String), Admission>;

#[tracing::instrument(name = "admissions.write", skip_all, fields(devices = group.len()))]
async fn admit(db: &Db, group: &AdmitGroup) -> Result<Outcomes> {
    let tasks = group.by_task();
    let mut tx = db.begin().await?;
    let mut held = tx.hold_rivals(&tasks.keys().copied().collect::<Vec<_>>()).await?;
    let mut outcomes = Outcomes::new();
    for (task, guids) in tasks {
        let guids: Vec<_> = guids.into_iter().collect();
        let row = held.get_mut(task).ok_or_else(|| Error::not_found("grayscale task", task))?;
        let Admissions { admitted, kept } = tx.admit_to_task(row, &guids).await?;
        outcomes.extend(admitted.into_iter().map(|guid| ((task.clone(), guid), Admission::Admitted)));
        outcomes.extend(kept.into_iter().map(|(guid, owner)| ((task.clone(), guid), Admission::Kept(owner))));
    }
    tx.commit().await?;
    Ok(outcomes)
}

//! Admits devices to gray tasks: never more than the cap on any number of hosts (G7, I3), with many devices in one
//! transaction.
//!
//! One worker on each host takes all requests that wait and admits them in one short transaction. It locks the row of
//! each task in the order of the ids, so that hosts count one after the other and cannot deadlock.

use std::collections::HashSet;

use super::{Cause, Move, Standing, Step};
use crate::{
    check::{AdmitGroup, AdmitQueue},
    error::Result,
    event,
    ids::GrayTaskId,
    store::Db,
    store::Tx,
};

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

impl Tx {
    /// Admits as many of `guids` as fit under the cap, and ends the task when the cap is reached. Returns those of
    /// `guids` that are admitted, by this call or earlier.
    async fn admit_to_task(&mut self, id: &GrayTaskId, guids: &[&str]) -> Result<Vec<String>> {
        let now = self.now();
        let mut task = self.hold_gray_task(id).await?;
        let mut is_in = match task.life().standing(now) {
            Standing::Waiting | Standing::Over => return Ok(Vec::new()),
            Standing::Open | Standing::AdmittedOnly => self.admitted_of(id, guids).await?,
        };
        self.catch_up_gray_task(&mut task).await?;
        // A task that is due but may not start, because its MiniApp is off the shelf, is still pending.
        if task.state != super::State::Delivering {
            return Ok(is_in);
        }
        let known: HashSet<_> = is_in.iter().map(String::as_str).collect();
        let room = task.max_users.map_or(u64::MAX, |max| max.0.saturating_sub(task.admitted));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let new: Vec<&str> = guids.iter().copied().filter(|guid| !known.contains(guid)).take(room).collect();
        self.insert_admissions(id, task.admitted, &new, now).await?;
        task.admitted += new.len() as u64;
        if task.max_users.is_some_and(|max| task.admitted >= max.0) {
            let step = Step { step: Move::End, cause: Cause::Cap, actor: event::BERTH, note: "" };
            self.move_gray_task(&mut task, &step).await?;
        }
        is_in.extend(new.into_iter().map(str::to_owned));
        Ok(is_in)
    }
}

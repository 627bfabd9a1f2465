//! Writes the marks that record what became of admitted devices (G8), and the failures of the version on them; tells when
//! devices fall back (G15).
//!
//! A background worker writes marks in batches, so that requests do not wait for them. They are telemetry: when a host
//! is killed, the marks of its last moments are lost; one that stops writes them first.

use std::collections::{BTreeSet, HashMap};

use berth_base::error::Result;
use berth_check::{MarkQueue, Marks, TaskMarks};
use berth_model::{
    event::{self, GrayFellBack, kind},
    rollout::{Side, fallen_is_told},
};
use berth_store::{Db, Tx, gray_task::TaskRow, guard::BystanderMarks};

/// Reasons of failures that the event about devices that fell back has at most.
const REASONS: i64 = 3;

/// Serves for ever. A device falls back after `max_failures` failures of the version; 0 for never.
pub async fn run_marks(mut queue: MarkQueue, db: Db, max_failures: u8) {
    while let Some(batch) = queue.next().await {
        if let Err(error) = write(&db, &batch.notes, max_failures).await {
            tracing::warn!(?error, "marks of devices could not be written and are lost");
        }
        batch.done().await;
    }
}

#[tracing::instrument(name = "marks.write", skip_all, fields(marks = marks.len()))]
async fn write(db: &Db, marks: &Marks, max_failures: u8) -> Result<()> {
    for (task, marks) in marks {
        let mut tx = db.begin().await?;
        // Failures are numbered, and two hosts must not hold each other's devices.
        let task = tx.hold_gray_task(task).await?;
        let failures = write_task(&mut tx, &task, marks).await?;
        if max_failures > 0 {
            note_fallen_back(&mut tx, &task, &failures, max_failures).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Returns how often the version has failed by now on the devices that say that it failed again.
async fn write_task(tx: &mut Tx, task: &TaskRow, marks: &TaskMarks) -> Result<HashMap<String, u64>> {
    let now = tx.now();
    for (mark, guids) in &marks.marked {
        tx.mark_devices(Side::Gray, &task.id, *mark, guids, now).await?;
    }
    for (runs, guids) in [(true, &marks.running), (false, &marks.failing)] {
        if !guids.is_empty() {
            tx.set_running(&task.id, runs, guids).await?;
        }
    }
    let bystanders = BystanderMarks { new: marks.new_bystanders.clone(), marked: marks.bystanders.clone() };
    tx.note_bystanders(task, &bystanders, now).await?;
    tx.add_failures(&task.id, &marks.failures, now).await
}

/// Notes which devices fell back by these failures, and tells it from time to time (G15).
async fn note_fallen_back(
    tx: &mut Tx,
    task: &TaskRow,
    failures: &HashMap<String, u64>,
    max_failures: u8,
) -> Result<()> {
    let enough = failures.iter().filter(|(_, count)| **count >= u64::from(max_failures));
    let guids: BTreeSet<_> = enough.map(|(guid, _)| guid.as_str()).collect();
    if guids.is_empty() {
        return Ok(());
    }
    let (before, fell_back) = tx.note_fallen_back(&task.id, &guids, tx.now()).await?;
    if !fallen_is_told(before, fell_back) {
        return Ok(());
    }
    let (reasons, _) = tx.failure_reasons(&task.id, REASONS).await?;
    let (id, version) = (task.id.clone(), task.version.clone());
    let data = GrayFellBack { id, version, fell_back, admitted: task.admitted, max_failures, reasons };
    tx.tell(kind::GRAY_TASK_FELL_BACK, &task.id, event::BERTH, &data).for_mini_app(&task.mini_app_id);
    Ok(())
}

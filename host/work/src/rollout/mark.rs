//! Writes the marks that record what became of admitted devices (G8), and the failures of the version on them (G15).
//!
//! A background worker writes marks in batches, so that requests do not wait for them. They are telemetry: when a host
//! is killed, the marks of its last moments are lost.

use std::time::Duration;

use berth_base::{error::Result, ids::GrayTaskId};
use berth_check::{MarkQueue, Marks, TaskMarks};
use berth_store::{Db, Tx};

/// How long the worker lets marks gather between two batches.
const PAUSE: Duration = Duration::from_millis(500);

/// Serves for ever.
pub async fn run_marks(mut queue: MarkQueue, db: Db) {
    while let Some(marks) = queue.next().await {
        if let Err(error) = write(&db, marks).await {
            tracing::warn!(?error, "marks of devices could not be written and are lost");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[tracing::instrument(name = "marks.write", skip_all, fields(marks = marks.len()))]
async fn write(db: &Db, marks: Marks) -> Result<()> {
    for (task, marks) in marks {
        let mut tx = db.begin().await?;
        // Failures are numbered, and two hosts must not hold each other's devices.
        tx.hold_gray_task(&task).await?;
        write_task(&mut tx, &task, &marks).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn write_task(tx: &mut Tx, task: &GrayTaskId, marks: &TaskMarks) -> Result<()> {
    let now = tx.now();
    for (mark, guids) in &marks.marked {
        tx.mark_admissions(task, *mark, guids, now).await?;
    }
    for (runs, guids) in [(true, &marks.running), (false, &marks.failing)] {
        if !guids.is_empty() {
            tx.set_running(task, runs, guids).await?;
        }
    }
    tx.add_failures(task, &marks.failures, now).await
}

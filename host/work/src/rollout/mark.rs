//! Marks record what became of an admitted device: it downloaded the package, it runs the version, the version failed
//! (G8). Only the first mark of each kind is kept for a device.
//!
//! A background worker writes marks in batches, so that requests do not wait for them. They are telemetry: when a host
//! is killed, the marks of its last moments are lost.

use std::time::Duration;

use berth_base::error::Result;
use berth_check::{MarkQueue, Marks};
use berth_store::Db;

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
    let now = db.now();
    for ((task, mark), guids) in marks {
        let mut tx = db.begin().await?;
        tx.mark_admissions(&task, mark, &guids, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

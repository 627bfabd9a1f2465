//! What became of an admitted device: it downloaded, it runs the version, it failed (G8). The first time counts.
//!
//! Marks are written in batches in the background, apart from the requests that bring them. They are telemetry: a host
//! that is killed forgets those of its last moments.

use std::time::Duration;

use crate::{
    check::{MarkQueue, Marks},
    error::Result,
    store::Db,
    text::text_enum,
};

text_enum! {
    /// What became of a device.
    Mark {
        /// It fetched the package.
        Downloaded = "downloaded",
        /// It runs the version.
        Running = "running",
        /// The version failed on it.
        Failed = "failed",
    }
}

impl Mark {
    /// One bit each.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Marks gather for so long.
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

async fn write(db: &Db, marks: Marks) -> Result<()> {
    let now = db.now();
    for ((task, mark), guids) in marks {
        let mut tx = db.begin().await?;
        tx.mark_admissions(&task, mark, &guids, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

//! Stores the starts and ends of gray tasks that are due by the clock. Checks do not wait for it, because they compute
//! the state of a task from the clock. Every host runs a ticker; the first one to reach a due task stores its move for
//! all.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::Db;

use crate::beat;

const BEAT: Duration = Duration::from_secs(1);

/// Runs [`tick`] once a second, for ever; failures are logged and tried again.
pub async fn run(db: Db) {
    beat::every(BEAT, "what the clock does to grayscale tasks could not be stored; trying again", || tick(&db)).await;
}

/// Stores every start and end that is due, one transaction for each task. Returns the number of tasks that this host
/// moved.
#[tracing::instrument(name = "gray_tasks.tick", skip_all)]
pub async fn tick(db: &Db) -> Result<usize> {
    let due = db.read().await?.due_gray_tasks(db.now()).await?;
    let mut moved = 0;
    for id in due {
        let mut tx = db.begin().await?;
        let (_, has_moved) = tx.settle_gray_task(&id).await?;
        if has_moved {
            tx.commit().await?;
            moved += 1;
        }
    }
    Ok(moved)
}

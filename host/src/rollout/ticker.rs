//! Stores what the clock does to tasks. Answers do not wait for it: a task's meaning is a function of the clock. Any
//! host may do it, and the one that is first does it for all.

use std::{sync::Arc, time::Duration};

use crate::{app::App, error::Result};

const BEAT: Duration = Duration::from_secs(1);

/// Ticks for ever.
pub async fn run(app: Arc<App>) {
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = tick(&app).await {
            tracing::warn!(?error, "what the clock does to grayscale tasks could not be stored; trying again");
        }
    }
}

/// Stores every start and end that is due; answers how many this host stored.
pub async fn tick(app: &App) -> Result<usize> {
    let due = app.db.read().await?.due_gray_tasks(app.clock.now()).await?;
    let mut moved = 0;
    for id in due {
        let mut tx = app.db.begin().await?;
        let mut task = tx.hold_gray_task(&id).await?;
        if tx.catch_up_gray_task(app, &mut task).await? {
            tx.commit().await?;
            moved += 1;
        }
    }
    Ok(moved)
}

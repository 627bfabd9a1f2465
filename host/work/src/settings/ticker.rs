//! Stores that the time of permits is over. Checks do not wait for it, because they compare with the clock. Every host
//! runs a ticker; the first one to reach a permit stores its end for all.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::Db;

use crate::beat;

use super::permit::expire;

const BEAT: Duration = Duration::from_secs(1);

/// Runs [`tick`] once a second, for ever; failures are logged and tried again.
pub async fn run(db: Db) {
    beat::every(BEAT, "that permits have expired could not be stored; trying again", || tick(&db)).await;
}

/// Stores every end that is due, one transaction for each permit. Returns the number of permits that this host ended.
#[tracing::instrument(name = "permits.tick", skip_all)]
pub async fn tick(db: &Db) -> Result<usize> {
    let due = db.read().await?.due_permits(db.now()).await?;
    let mut ended = 0;
    for id in due {
        let mut tx = db.begin().await?;
        let mut permit = tx.hold_permit(&id).await?;
        if expire(&mut tx, &mut permit).await? {
            tx.commit().await?;
            ended += 1;
        }
    }
    Ok(ended)
}

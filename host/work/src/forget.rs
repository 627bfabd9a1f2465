//! Forgets login codes, sign-ons, tokens and whatever else of logins has expired. All of it is void by the clock; this only frees the
//! room.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::{Db, EXPIRING};

use crate::beat;

/// The pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// Forgets what has expired, every minute, in an endless loop.
pub async fn run(db: Db) {
    beat::every(EVERY, "what has expired of logins could not be forgotten; later again", || forget(&db)).await;
}

/// Deletes what has expired, of one kind after the other, so that nobody waits for more than one.
#[tracing::instrument(name = "logins.forget", skip_all)]
async fn forget(db: &Db) -> Result<()> {
    for kind in &EXPIRING {
        let mut tx = db.begin().await?;
        tx.forget_expired(kind).await?;
        tx.commit().await?;
    }
    Ok(())
}

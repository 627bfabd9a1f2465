//! Forgets login codes, sign-ons, tokens and whatever else of logins has expired. All of it is void by the clock; this only frees the
//! room.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::{Db, EXPIRING, Expiring};

use crate::beat;

/// The pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// How many rows are deleted in one transaction, for which all others wait who write into SQLite.
pub(crate) const BATCH: u64 = 1000;

/// Forgets what has expired, every minute, in an endless loop.
pub async fn run(db: Db) {
    beat::every(EVERY, "what has expired of logins could not be forgotten; later again", || forget(&db)).await;
}

/// Deletes what has expired, of one kind after the other.
#[tracing::instrument(name = "logins.forget", skip_all)]
async fn forget(db: &Db) -> Result<()> {
    for kind in &EXPIRING {
        expired(db, kind, 0).await?;
    }
    Ok(())
}

/// Deletes what of one kind has had its time for `kept` seconds, batch by batch, so that nobody waits for more than one.
pub(crate) async fn expired(db: &Db, kind: &Expiring, kept: i64) -> Result<()> {
    loop {
        let mut tx = db.begin().await?;
        let forgotten = tx.forget_expired(kind, kept, BATCH as i64).await?;
        tx.commit().await?;
        if forgotten < BATCH {
            return Ok(());
        }
    }
}

//! Forgets login codes, sign-ons, tokens and whatever else of logins has expired. All of it is void by the clock; this only frees the
//! room. What receivers of webhooks answered goes after a while, too.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::{Db, EXPIRING, Expiring, Tx};
use futures_util::{FutureExt, future::BoxFuture};

use crate::beat;

/// The pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// For how many seconds attempts to deliver to webhooks are kept: a week.
const ATTEMPTS_KEPT: i64 = 7 * 86_400;
/// How many rows are deleted in one transaction, for which all others wait who write into SQLite.
const BATCH: i64 = 1000;

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
    expired(db, &Expiring::ATTEMPTS, ATTEMPTS_KEPT).await
}

/// Deletes what of one kind has had its time for `kept` seconds.
pub(crate) async fn expired(db: &Db, kind: &'static Expiring, kept: i64) -> Result<()> {
    in_batches(db, |tx, most| tx.forget_expired(kind, kept, most).boxed()).await.map(drop)
}

/// Deletes batch by batch, so that nobody waits for more than one, and returns how many rows they were. What is given deletes as many as it
/// is told at the most, and returns how many it has.
pub(crate) async fn in_batches(db: &Db, delete: impl Fn(&mut Tx, i64) -> BoxFuture<'_, Result<u64>>) -> Result<u64> {
    let mut forgotten = 0;
    loop {
        let mut tx = db.begin().await?;
        let deleted = delete(&mut tx, BATCH).await?;
        tx.commit().await?;
        forgotten += deleted;
        if deleted < BATCH as u64 {
            return Ok(forgotten);
        }
    }
}

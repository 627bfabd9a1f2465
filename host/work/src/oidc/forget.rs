//! Forgets what has expired. It is void by the clock; this only frees the room.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::Db;

use crate::beat;

/// The pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// Forgets what has expired, every minute, in an endless loop.
pub async fn run_forgetter(db: Db) {
    beat::every(EVERY, "expired sign-ons, codes and keys could not be forgotten; later again", || forget(&db)).await;
}

/// Deletes what has expired.
#[tracing::instrument(name = "oidc.forget", skip_all)]
async fn forget(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.forget_sign_ons().await?;
    tx.forget_oidc_codes().await?;
    tx.forget_access_tokens().await?;
    tx.forget_member_sign_ons().await?;
    tx.forget_signing_keys().await?;
    tx.commit().await
}

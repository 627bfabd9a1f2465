//! Keeps the answers to POST requests that have an `Idempotency-Key`, for a day (F91).

use sqlx::types::Json;

use super::{Db, execute, fetch};
use berth_base::{clock::Millis, error::Result, ids::Digest};
use berth_model::idempotency::{Begin, IdempotencyStore, Scope, StoredResponse};

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 24 * 3600;

/// How long the first request with a key may run before its host is taken for dead and the key may be used again.
const RUNNING_SECONDS: i64 = 120;

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: Digest,
    response: Option<Json<StoredResponse>>,
}

impl IdempotencyStore for Db {
    async fn begin(&self, scope: &Scope, fingerprint: &Digest, now: Millis) -> Result<Begin> {
        let mut tx = self.begin().await?;
        execute!(tx, "DELETE FROM idempotency WHERE expires_at < $1", now)?;
        let taken = execute!(
            tx,
            "INSERT INTO idempotency (scope, key, fingerprint, expires_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (scope, key) DO NOTHING",
            &scope.scope,
            &scope.key,
            fingerprint,
            now.plus_seconds(RUNNING_SECONDS)
        )?;
        let known = fetch!(
            tx,
            fetch_one,
            Row,
            "SELECT fingerprint, response FROM idempotency WHERE scope = $1 AND key = $2",
            &scope.scope,
            &scope.key
        )?;
        tx.commit().await?;
        Ok(match known {
            _ if taken > 0 => Begin::Fresh,
            Row { fingerprint: other, .. } if other != *fingerprint => Begin::Mismatch,
            Row { response: Some(response), .. } => Begin::Replay(response.0),
            Row { response: None, .. } => Begin::InProgress,
        })
    }

    async fn finish(&self, scope: &Scope, response: StoredResponse, now: Millis) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(
            tx,
            "UPDATE idempotency SET response = $3, expires_at = $4 WHERE scope = $1 AND key = $2",
            &scope.scope,
            &scope.key,
            Json(&response),
            now.plus_seconds(KEPT_SECONDS)
        )?;
        tx.commit().await
    }

    async fn abandon(&self, scope: &Scope) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(tx, "DELETE FROM idempotency WHERE scope = $1 AND key = $2", &scope.scope, &scope.key)?;
        tx.commit().await
    }
}

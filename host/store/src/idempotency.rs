//! Keeps the answers to POST requests that have an `Idempotency-Key`, for a day (F91).

use sqlx::types::Json;

use super::{Db, Tx, execute, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, MiniAppId},
};
use berth_model::idempotency::{About, Begin, IdempotencyStore, Scope, StoredResponse};

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 24 * 3600;

/// How long the first request with a key may run before its host is taken for dead and the key may be used again.
const RUNNING_SECONDS: i64 = 120;

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: Digest,
    response: Option<Json<StoredResponse>>,
}

/// An answer that is kept, by its scope and key.
type Kept = (String, String, Option<Json<StoredResponse>>);

impl IdempotencyStore for Db {
    async fn begin(&self, scope: &Scope, fingerprint: &Digest, about: Option<&About>, now: Millis) -> Result<Begin> {
        let mut tx = self.begin().await?;
        execute!(tx, "DELETE FROM idempotency WHERE expires_at < $1", now)?;
        let taken = execute!(
            tx,
            "INSERT INTO idempotency (scope, key, fingerprint, expires_at, person, mini_app_id)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (scope, key) DO NOTHING",
            &scope.scope,
            &scope.key,
            fingerprint,
            now.plus_seconds(RUNNING_SECONDS),
            about.map(|about| &about.person),
            about.and_then(|about| about.mini_app.as_ref())
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
        let until = now.plus_seconds(KEPT_SECONDS);
        const SQL: &str = "UPDATE idempotency SET response = $3, expires_at = $4
             WHERE scope = $1 AND key = $2 AND erased_at IS NULL";
        if execute!(tx, SQL, &scope.scope, &scope.key, Json(&response), until)? == 0 {
            const ERASED: &str = "UPDATE idempotency SET response = $3, expires_at = $4 WHERE scope = $1 AND key = $2";
            execute!(tx, ERASED, &scope.scope, &scope.key, Json(response.erased()), until)?;
        }
        tx.commit().await
    }

    async fn abandon(&self, scope: &Scope) -> Result<()> {
        let mut tx = self.begin().await?;
        execute!(tx, "DELETE FROM idempotency WHERE scope = $1 AND key = $2", &scope.scope, &scope.key)?;
        tx.commit().await
    }
}

impl Tx {
    /// Takes away what is kept of answers that speak of a person; of `mini_app` alone if one is named. Their keys stay taken, and
    /// a request that is still running will leave no answer.
    pub(crate) async fn erase_answers(&mut self, person: &Digest, mini_app: Option<&MiniAppId>) -> Result<()> {
        let now = self.now();
        let found = fetch!(
            self,
            fetch_all,
            Kept,
            "UPDATE idempotency SET erased_at = $3, person = NULL, mini_app_id = NULL
             WHERE person = $1 AND COALESCE($2, mini_app_id, '') = COALESCE(mini_app_id, '')
             RETURNING scope, key, response",
            person,
            mini_app,
            now
        )?;
        for (scope, key, response) in found {
            let Some(Json(response)) = response else { continue };
            const SQL: &str = "UPDATE idempotency SET response = $3 WHERE scope = $1 AND key = $2";
            execute!(self, SQL, scope, key, Json(response.erased()))?;
        }
        Ok(())
    }
}

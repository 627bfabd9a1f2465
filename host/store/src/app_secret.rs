//! AppSecrets and server tokens, of which only hashes are kept.

use super::{Db, Tx, execute, fetch, fetch_alone};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, MiniAppId, UserId},
};
use berth_model::app_secret::{AppSecret, SecretState};

/// The AppSecret of a MiniApp.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AppSecretRow {
    /// Id of the MiniApp.
    pub mini_app_id: MiniAppId,
    /// The SHA-256 of the secret.
    pub secret_sha256: Digest,
    /// Raised by each reset and freeze. Server tokens of an earlier one are void.
    pub generation: i64,
    /// When the secret was generated.
    pub issued_at: Millis,
    /// The account that generated it.
    pub issued_by: UserId,
    /// When it was frozen, if it is.
    pub frozen_at: Option<Millis>,
    /// The account that froze it, if it is frozen.
    pub frozen_by: Option<UserId>,
    /// Why it was frozen.
    pub note: String,
}

impl From<&AppSecretRow> for AppSecret {
    fn from(row: &AppSecretRow) -> Self {
        Self {
            mini_app: row.mini_app_id.clone(),
            state: if row.frozen_at.is_some() { SecretState::Frozen } else { SecretState::Active },
            issued_at: row.issued_at,
            issued_by: row.issued_by.clone(),
            frozen_at: row.frozen_at,
            frozen_by: row.frozen_by.clone(),
            note: row.note.clone(),
        }
    }
}

/// A server token, and the AppSecret that it came from as that is now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ServerTokenRow {
    /// The MiniApp.
    pub mini_app_id: MiniAppId,
    /// The generation of the AppSecret for which the token was issued.
    pub generation: i64,
    /// When the token stops being valid.
    pub expires_at: Millis,
    /// The generation of the AppSecret now.
    pub current: i64,
    /// When the AppSecret was frozen, if it is.
    pub frozen_at: Option<Millis>,
}

impl Db {
    /// The AppSecret of a MiniApp. One statement is a snapshot by itself.
    pub async fn app_secret(&self, mini_app: &MiniAppId) -> Result<Option<AppSecretRow>> {
        const SQL: &str = "SELECT * FROM app_secret WHERE mini_app_id = $1";
        Ok(fetch_alone!(self, AppSecretRow, SQL, mini_app.as_str())?.into_iter().next())
    }

    /// The server token with this hash, whatever its state. The look-up is by digest, so its time tells nothing of the
    /// token.
    pub async fn server_token(&self, token: &Digest) -> Result<Option<ServerTokenRow>> {
        const SQL: &str = "SELECT t.mini_app_id, t.generation, t.expires_at, s.generation AS current, s.frozen_at
             FROM server_token t JOIN app_secret s ON s.mini_app_id = t.mini_app_id WHERE t.token_sha256 = $1";
        Ok(fetch_alone!(self, ServerTokenRow, SQL, token.as_str())?.into_iter().next())
    }
}

impl Tx {
    /// The AppSecret of a MiniApp, for a change. Whoever changes it holds the MiniApp.
    pub async fn app_secret(&mut self, mini_app: &MiniAppId) -> Result<Option<AppSecretRow>> {
        const SQL: &str = "SELECT * FROM app_secret WHERE mini_app_id = $1";
        Ok(fetch!(self, fetch_optional, AppSecretRow, SQL, mini_app)?)
    }

    /// Stores an AppSecret, in place of the one that there may be.
    pub async fn put_app_secret(&mut self, row: &AppSecretRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO app_secret (mini_app_id, secret_sha256, generation, issued_at, issued_by, frozen_at, frozen_by, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (mini_app_id) DO UPDATE SET secret_sha256 = excluded.secret_sha256,
                generation = excluded.generation, issued_at = excluded.issued_at, issued_by = excluded.issued_by,
                frozen_at = excluded.frozen_at, frozen_by = excluded.frozen_by, note = excluded.note",
            &row.mini_app_id,
            &row.secret_sha256,
            row.generation,
            row.issued_at,
            &row.issued_by,
            row.frozen_at,
            &row.frozen_by,
            &row.note
        )?;
        Ok(())
    }

    /// Adds a server token, of which only the hash is stored.
    pub async fn insert_server_token(
        &mut self,
        token: &Digest,
        mini_app: &MiniAppId,
        generation: i64,
        expires_at: Millis,
    ) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO server_token (token_sha256, mini_app_id, generation, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            token,
            mini_app,
            generation,
            now,
            expires_at
        )?;
        Ok(())
    }

    /// Locks the AppSecret of a MiniApp until the transaction ends.
    pub async fn hold_app_secret(&mut self, mini_app: &MiniAppId) -> Result<()> {
        execute!(self, "UPDATE app_secret SET generation = generation WHERE mini_app_id = $1", mini_app)?;
        Ok(())
    }

    /// Ends the server tokens of a MiniApp but for the newest `keep`.
    pub async fn end_server_tokens(&mut self, mini_app: &MiniAppId, keep: i64) -> Result<()> {
        execute!(
            self,
            "DELETE FROM server_token WHERE token_sha256 IN (SELECT token_sha256 FROM server_token
             WHERE mini_app_id = $1 ORDER BY created_at DESC, token_sha256 LIMIT 1000 OFFSET $2)",
            mini_app,
            keep
        )?;
        Ok(())
    }
}

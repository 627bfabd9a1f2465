//! Access tokens.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, HostAppId, MiniAppId},
};
use berth_model::oidc::IssuedCode;

use crate::{Tx, execute, fetch};

/// An access token that is good, and whom it speaks of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AccessTokenRow {
    /// The MiniApp that has it.
    pub mini_app_id: MiniAppId,
    /// The host app of the user.
    pub host_app_id: HostAppId,
    /// The account there.
    pub account: String,
}

impl Tx {
    /// Adds an access token that a code has given, of which only the hash is stored.
    pub async fn insert_access_token(
        &mut self,
        token: &Digest,
        code: &IssuedCode,
        generation: i64,
        expires_at: Millis,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO oidc_token (token_sha256, code_sha256, mini_app_id, host_app_id, account, sign_on_id, generation,
                expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            token,
            &code.code_sha256,
            &code.mini_app_id,
            &code.host_app_id,
            &code.account,
            &code.sign_on_id,
            generation,
            expires_at
        )?;
        Ok(())
    }

    /// The access token with this hash, unless it has expired, its AppSecret was reset or frozen since, or its MiniApp has
    /// lost the binding to the host app. The look-up is by digest, so its time tells nothing of the token.
    pub async fn access_token(&mut self, token: &Digest) -> Result<Option<AccessTokenRow>> {
        let now = self.now();
        Ok(fetch!(
            self,
            fetch_optional,
            AccessTokenRow,
            "SELECT t.mini_app_id, t.host_app_id, t.account FROM oidc_token t
             JOIN app_secret s ON s.mini_app_id = t.mini_app_id AND s.generation = t.generation
             JOIN binding b ON b.mini_app_id = t.mini_app_id AND b.host_app_id = t.host_app_id
             WHERE t.token_sha256 = $1 AND t.expires_at > $2 AND s.frozen_at IS NULL AND b.state = 'active'",
            token,
            now
        )?)
    }

    /// Ends the access tokens that a code has given.
    pub async fn end_access_tokens(&mut self, code: &Digest) -> Result<u64> {
        Ok(execute!(self, "DELETE FROM oidc_token WHERE code_sha256 = $1", code)?)
    }
}

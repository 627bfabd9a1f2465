//! Authorisation codes.

use berth_base::{
    error::Result,
    ids::{Digest, SignOnId},
};
use berth_model::oidc::IssuedCode;

use crate::{Tx, execute, fetch};

impl Tx {
    /// Adds a code, of which only the hash is stored.
    pub async fn insert_oidc_code(&mut self, code: &IssuedCode) -> Result<()> {
        execute!(
            self,
            "INSERT INTO oidc_code (code_sha256, mini_app_id, host_app_id, account, sign_on_id, signed_on_at, redirect_uri,
                code_challenge, nonce, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &code.code_sha256,
            &code.mini_app_id,
            &code.host_app_id,
            &code.account,
            &code.sign_on_id,
            code.signed_on_at,
            &code.redirect_uri,
            &code.code_challenge,
            &code.nonce,
            code.expires_at
        )?;
        Ok(())
    }

    /// Ends the codes of a sign-on that were not exchanged, but for the newest `keep`, which are those that expire last. One that was stays,
    /// so that a second use of it is noticed; whoever exchanges one now is waited for, and it stays, too.
    pub async fn end_older_oidc_codes(&mut self, sign_on: &SignOnId, keep: i64) -> Result<()> {
        execute!(
            self,
            "DELETE FROM oidc_code WHERE used_at IS NULL AND code_sha256 IN (SELECT code_sha256 FROM oidc_code
             WHERE sign_on_id = $1 AND used_at IS NULL ORDER BY expires_at DESC, code_sha256 LIMIT 1000 OFFSET $2)",
            sign_on,
            keep
        )?;
        Ok(())
    }

    /// The code with this hash, locked until the transaction ends: of many who exchange it, one is first.
    pub async fn hold_oidc_code(&mut self, code: &Digest) -> Result<Option<IssuedCode>> {
        const SQL: &str = "UPDATE oidc_code SET account = account WHERE code_sha256 = $1 RETURNING *";
        Ok(fetch!(self, fetch_optional, IssuedCode, SQL, code)?)
    }

    /// Marks a code as exchanged.
    pub async fn use_oidc_code(&mut self, code: &Digest) -> Result<()> {
        let now = self.now();
        execute!(self, "UPDATE oidc_code SET used_at = $2 WHERE code_sha256 = $1", code, now)?;
        Ok(())
    }
}

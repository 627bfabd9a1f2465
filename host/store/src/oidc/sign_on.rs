//! Sign-ons of browsers.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, MiniAppId, SignOnId},
};
use berth_model::{
    oidc::{SignOn, SignOnHeld},
    user::User,
};

use crate::{Tx, execute, fetch};

impl Tx {
    /// Adds a sign-on, of whose secret only the hash is stored.
    pub async fn insert_sign_on(&mut self, secret: &Digest, one: &SignOn) -> Result<()> {
        execute!(
            self,
            "INSERT INTO sign_on (id, secret_sha256, host_app_id, account, signed_on_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &one.id,
            secret,
            &one.host_app_id,
            &one.account,
            one.signed_on_at,
            one.expires_at
        )?;
        Ok(())
    }

    /// Whether there is a sign-on whose secret has this hash, or such a login code: what is made up is refused by reading alone.
    pub async fn knows_browser(&mut self, secret: Option<&Digest>, login_code: Option<&Digest>) -> Result<bool> {
        let known = fetch!(
            self,
            fetch_optional,
            (i64,),
            "SELECT expires_at FROM sign_on WHERE secret_sha256 = $1
             UNION ALL SELECT expires_at FROM login_code WHERE code_sha256 = $2 LIMIT 1",
            secret,
            login_code
        )?;
        Ok(known.is_some())
    }

    /// The sign-on whose secret has this hash, if it is still good. It is locked until the transaction ends, so that nothing
    /// comes from one that is being ended.
    pub async fn hold_sign_on(&mut self, secret: &Digest) -> Result<Option<SignOn>> {
        let now = self.now();
        Ok(fetch!(
            self,
            fetch_optional,
            SignOn,
            "UPDATE sign_on SET account = account WHERE secret_sha256 = $1 AND expires_at > $2
             RETURNING id, host_app_id, account, signed_on_at, expires_at",
            secret,
            now
        )?)
    }

    /// Begins a sign-on anew, with another secret: the user was vouched for once more.
    pub async fn renew_sign_on(
        &mut self,
        id: &SignOnId,
        secret: &Digest,
        at: Millis,
        expires_at: Millis,
    ) -> Result<()> {
        execute!(
            self,
            "UPDATE sign_on SET secret_sha256 = $2, signed_on_at = $3, expires_at = $4 WHERE id = $1",
            id,
            secret,
            at,
            expires_at
        )?;
        Ok(())
    }

    /// Ends a sign-on, and the codes and access tokens that came from it.
    pub async fn end_sign_on(&mut self, id: &SignOnId) -> Result<()> {
        execute!(self, "DELETE FROM sign_on WHERE id = $1", id)?;
        execute!(self, "DELETE FROM oidc_code WHERE sign_on_id = $1", id)?;
        execute!(self, "DELETE FROM oidc_token WHERE sign_on_id = $1", id)?;
        Ok(())
    }

    /// Ends what a user has by unified authentication: sign-ons, and the codes and access tokens that came from them. With
    /// `mini_app`, only the codes and tokens of that one. Returns how many sign-ons there were, and how many of the others.
    pub async fn end_sign_ons(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<(u64, u64)> {
        let (host_app, account) = (&user.host_app, &user.account);
        // Sign-ons first: who is making a code of one has locked it, and is waited for.
        let sign_ons = match mini_app {
            Some(_) => 0,
            None => execute!(self, "DELETE FROM sign_on WHERE host_app_id = $1 AND account = $2", host_app, account)?,
        };
        let codes = execute!(
            self,
            "DELETE FROM oidc_code WHERE host_app_id = $1 AND account = $2 AND mini_app_id = COALESCE($3, mini_app_id)",
            host_app,
            account,
            mini_app
        )?;
        let tokens = execute!(
            self,
            "DELETE FROM oidc_token WHERE host_app_id = $1 AND account = $2 AND mini_app_id = COALESCE($3, mini_app_id)",
            host_app,
            account,
            mini_app
        )?;
        Ok((sign_ons, codes + tokens))
    }

    /// What is held about the sign-ons of a user, the oldest first.
    pub async fn sign_ons_held(&mut self, user: &User) -> Result<Vec<SignOnHeld>> {
        Ok(fetch!(
            self,
            fetch_all,
            SignOnHeld,
            "SELECT signed_on_at, expires_at FROM sign_on WHERE host_app_id = $1 AND account = $2
             ORDER BY signed_on_at, id",
            &user.host_app,
            &user.account
        )?)
    }
}

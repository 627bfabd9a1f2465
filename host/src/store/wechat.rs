//! The accounts for which WeChat lets us act, and their sealed tokens.

use sqlx::types::Json;

use super::{Tx, execute, fetch};
use crate::{
    clock::Millis,
    error::Result,
    wechat::accounts::{Account, NewGrant},
};

impl Tx {
    /// One account, or the platform itself.
    pub(crate) async fn wechat_account(&mut self, app_id: &str) -> Result<Option<Account>> {
        Ok(fetch!(self, fetch_optional, Account, "SELECT * FROM wechat_account WHERE app_id = $1", app_id)?)
    }

    /// Records what was granted. What was granted before is void; a grant that is older than what is known changes nothing.
    pub(crate) async fn grant_wechat_account(&mut self, new: &NewGrant) -> Result<bool> {
        let changed = execute!(
            self,
            "INSERT INTO wechat_account (app_id, state, grant_sealed, granted_at, access_sealed, access_expires_at, scopes,
                                         attempts, retry_at, lease_until)
             VALUES ($1, 'authorised', $2, $3, $4, $5, $6, 0, 0, 0)
             ON CONFLICT (app_id) DO UPDATE SET state = 'authorised', grant_sealed = excluded.grant_sealed,
                granted_at = excluded.granted_at, access_sealed = COALESCE(excluded.access_sealed, wechat_account.access_sealed),
                access_expires_at = CASE WHEN excluded.access_sealed IS NULL THEN wechat_account.access_expires_at
                                         ELSE excluded.access_expires_at END,
                scopes = excluded.scopes, attempts = 0, retry_at = 0
             WHERE wechat_account.granted_at <= excluded.granted_at",
            &new.app_id,
            &new.grant_sealed,
            new.granted_at,
            &new.access_sealed,
            new.access_expires_at,
            Json(&new.scopes)
        )?;
        Ok(changed > 0)
    }

    /// Drops the tokens of an account; false when a newer grant than `grant_sealed` is there, or none.
    pub(crate) async fn drop_wechat_account(&mut self, app_id: &str, grant_sealed: &str) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET state = 'unauthorised', grant_sealed = NULL, access_sealed = NULL, access_expires_at = 0
             WHERE app_id = $1 AND grant_sealed = $2",
            app_id,
            grant_sealed
        )?;
        Ok(changed > 0)
    }

    /// Takes the lease to renew an access token; false when another host has it, or has renewed the token.
    pub(crate) async fn lease_wechat_account(
        &mut self,
        account: &Account,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET lease_owner = $2, lease_until = $3
             WHERE app_id = $1 AND access_expires_at = $4 AND lease_until <= $5",
            &account.app_id,
            owner,
            until,
            account.access_expires_at,
            now
        )?;
        Ok(changed > 0)
    }

    /// Writes a renewed access token, and with it the grant for the next one, and gives the lease back; false when a newer
    /// grant came meanwhile.
    pub(crate) async fn renew_wechat_account(
        &mut self,
        account: &Account,
        grant: Option<&str>,
        access: &str,
        expires_at: Millis,
    ) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET grant_sealed = COALESCE($3, grant_sealed), access_sealed = $4, access_expires_at = $5,
                attempts = 0, retry_at = 0, lease_until = 0
             WHERE app_id = $1 AND grant_sealed = $2",
            &account.app_id,
            account.grant_sealed.as_deref(),
            grant,
            access,
            expires_at
        )?;
        Ok(changed > 0)
    }

    /// Gives the lease back without a new token; nobody asks before `retry_at`.
    pub(crate) async fn postpone_wechat_account(&mut self, app_id: &str, retry_at: Millis) -> Result<()> {
        let sql = "UPDATE wechat_account SET attempts = attempts + 1, retry_at = $2, lease_until = 0 WHERE app_id = $1";
        execute!(self, sql, app_id, retry_at)?;
        Ok(())
    }

    /// Makes an access token that WeChat refused expire now, unless it was renewed meanwhile.
    pub(crate) async fn expire_wechat_access(&mut self, app_id: &str, expires_at: Millis) -> Result<()> {
        let sql = "UPDATE wechat_account SET access_expires_at = 0 WHERE app_id = $1 AND access_expires_at = $2";
        execute!(self, sql, app_id, expires_at)?;
        Ok(())
    }

    /// Accounts whose access token ends before `by` and that may be asked for now, at most `limit`.
    pub(crate) async fn wechat_accounts_to_renew(
        &mut self,
        now: Millis,
        by: Millis,
        limit: i64,
    ) -> Result<Vec<Account>> {
        Ok(fetch!(
            self,
            fetch_all,
            Account,
            "SELECT * FROM wechat_account WHERE state = 'authorised' AND access_expires_at <= $1 AND retry_at <= $2
             AND lease_until <= $2 AND grant_sealed IS NOT NULL ORDER BY access_expires_at LIMIT $3",
            by,
            now,
            limit
        )?)
    }
}

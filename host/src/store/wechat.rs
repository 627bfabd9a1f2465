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

    /// Drops the tokens of an account; false when a newer grant than that of `account` is there, or none. A token that was
    /// renewed meanwhile, or sealed anew, is of the same grant.
    pub(crate) async fn drop_wechat_account(&mut self, account: &Account) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET state = 'unauthorised', grant_sealed = NULL, access_sealed = NULL, access_expires_at = 0
             WHERE app_id = $1 AND granted_at = $2 AND grant_sealed IS NOT NULL",
            &account.app_id,
            account.granted_at
        )?;
        Ok(changed > 0)
    }

    /// As [`Tx::drop_wechat_account`], when nobody needs it any more: no channel is it, and no run that goes on, or that
    /// ended after `since` and may start again, has its grant.
    pub(crate) async fn drop_needless_wechat_account(&mut self, account: &Account, since: Millis) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET state = 'unauthorised', grant_sealed = NULL, access_sealed = NULL, access_expires_at = 0
             WHERE app_id = $1 AND granted_at = $2 AND grant_sealed IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM channel WHERE app_id = $1
                AND kind IN ('wechat_mini_program', 'wechat_official_account'))
             AND NOT EXISTS (SELECT 1 FROM channel_authorisation WHERE stage -> 'grant' ->> 'app_id' = $1
                AND (due_at IS NOT NULL OR state IN ('failed', 'abandoned') AND changed_at > $3))",
            &account.app_id,
            account.granted_at,
            since
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

    /// Writes a renewed access token, and with it what the next one is had with, and gives the lease back; false when a newer
    /// grant came meanwhile, or this one was taken back. One that was only sealed anew is the same.
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
             WHERE app_id = $1 AND granted_at = $2 AND grant_sealed IS NOT NULL",
            &account.app_id,
            account.granted_at,
            grant,
            access,
            expires_at
        )?;
        Ok(changed > 0)
    }

    /// Gives the lease back without a new token; nobody asks before `retry_at`.
    pub(crate) async fn postpone_wechat_account(&mut self, app_id: &str, retry_at: Millis) -> Result<()> {
        const SQL: &str =
            "UPDATE wechat_account SET attempts = attempts + 1, retry_at = $2, lease_until = 0 WHERE app_id = $1";
        execute!(self, SQL, app_id, retry_at)?;
        Ok(())
    }

    /// Makes an access token that WeChat refused expire now, unless it was renewed meanwhile.
    pub(crate) async fn expire_wechat_access(&mut self, app_id: &str, expires_at: Millis) -> Result<()> {
        const SQL: &str =
            "UPDATE wechat_account SET access_expires_at = 0 WHERE app_id = $1 AND access_expires_at = $2";
        execute!(self, SQL, app_id, expires_at)?;
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::testing;

    const WX: &str = "wxaaaaaaaaaaaaaaaa";

    fn grant(sealed: &str, at: i64) -> NewGrant {
        NewGrant {
            app_id: WX.into(),
            grant_sealed: sealed.into(),
            granted_at: Millis(at),
            access_sealed: None,
            access_expires_at: Millis(0),
            scopes: vec![],
        }
    }

    #[tokio::test]
    async fn i8_f99_sealing_anew_while_a_token_is_renewed_loses_neither_the_new_token_nor_a_revocation() {
        let host = testing::host().await;
        let mut tx = host.app.db.begin().await.unwrap();
        assert!(tx.grant_wechat_account(&grant("old-key", 1)).await.unwrap());
        let read = tx.wechat_account(WX).await.unwrap().unwrap();
        let column = crate::store::SEALED.iter().find(|one| one.column == "grant_sealed").unwrap();
        assert!(tx.replace_sealed(column, WX, "old-key", "new-key").await.unwrap());
        assert!(tx.renew_wechat_account(&read, Some("next"), "access", Millis(9)).await.unwrap());
        assert_eq!(tx.wechat_account(WX).await.unwrap().unwrap().grant_sealed.as_deref(), Some("next"));
        assert!(tx.drop_wechat_account(&read).await.unwrap(), "a renewal is no new grant");
        assert!(!tx.renew_wechat_account(&read, Some("next"), "access", Millis(9)).await.unwrap(), "it was taken back");
        assert!(tx.grant_wechat_account(&grant("newer", 2)).await.unwrap());
        assert!(!tx.drop_wechat_account(&read).await.unwrap(), "a newer grant stays");
        assert!(!tx.renew_wechat_account(&read, Some("next"), "access", Millis(9)).await.unwrap());
        assert_eq!(tx.wechat_account(WX).await.unwrap().unwrap().grant_sealed.as_deref(), Some("newer"));
    }

    #[tokio::test]
    async fn e10_an_account_that_nothing_names_is_let_go() {
        let host = testing::host().await;
        let mut tx = host.app.db.begin().await.unwrap();
        tx.grant_wechat_account(&grant("sealed", 1)).await.unwrap();
        let account = tx.wechat_account(WX).await.unwrap().unwrap();
        assert!(tx.drop_needless_wechat_account(&account, Millis(0)).await.unwrap());
        let gone = tx.wechat_account(WX).await.unwrap().unwrap();
        assert_eq!((gone.state.as_str(), gone.grant_sealed), ("unauthorised", None));
        assert!(!tx.drop_needless_wechat_account(&account, Millis(0)).await.unwrap(), "once");
    }
}

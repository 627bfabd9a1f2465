//! The WeChat accounts that have authorised this host, with their sealed tokens.

use sqlx::types::Json;

use super::{
    Lease, Tx, execute, fetch,
    lease::{free, given_back, taken},
};
use berth_base::{clock::Millis, error::Result};

impl Tx {
    /// The account with this app id, which may be the third-party platform itself.
    pub async fn wechat_account(&mut self, app_id: &str) -> Result<Option<Account>> {
        Ok(fetch!(self, fetch_optional, Account, "SELECT * FROM wechat_account WHERE app_id = $1", app_id)?)
    }

    /// Records a new grant of an account, in place of an earlier one. Returns `false`, and changes nothing, when a
    /// newer grant is known.
    pub async fn grant_wechat_account(&mut self, new: &NewGrant) -> Result<bool> {
        let changed = execute!(
            self,
            "INSERT INTO wechat_account (app_id, grant_sealed, granted_at, access_sealed, access_expires_at, scopes,
                                         attempts, retry_at, lease_until)
             VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0)
             ON CONFLICT (app_id) DO UPDATE SET grant_sealed = excluded.grant_sealed,
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

    /// Removes the tokens of an account. Returns `false` when the account has a newer grant than `account`, or no
    /// tokens. Tokens that were renewed or sealed anew in the meantime belong to the same grant and are removed.
    pub async fn drop_wechat_account(&mut self, account: &Account) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET grant_sealed = NULL, access_sealed = NULL, access_expires_at = 0
             WHERE app_id = $1 AND granted_at = $2 AND grant_sealed IS NOT NULL",
            &account.app_id,
            account.granted_at
        )?;
        Ok(changed > 0)
    }

    /// Does what [`Tx::drop_wechat_account`] does, if the account is not needed: it is no channel, and no authorisation
    /// has its grant that is in progress, or that failed or was abandoned after `since` and so may be resumed.
    pub async fn drop_needless_wechat_account(&mut self, account: &Account, since: Millis) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET grant_sealed = NULL, access_sealed = NULL, access_expires_at = 0
             WHERE app_id = $1 AND granted_at = $2 AND grant_sealed IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM channel WHERE app_id = $1
                AND kind IN ('wechat_mini_program', 'wechat_official_account'))
             AND NOT EXISTS (SELECT 1 FROM channel_authorisation WHERE stage -> 'grant' ->> 'app_id' = $1
                AND (due_at IS NOT NULL OR stage ->> 'state' IN ('failed', 'abandoned') AND changed_at > $3))",
            &account.app_id,
            account.granted_at,
            since
        )?;
        Ok(changed > 0)
    }

    /// Takes the lease to renew an access token; false when another host has it, or has renewed the token.
    pub async fn lease_wechat_account(&mut self, account: &Account, lease: &Lease) -> Result<bool> {
        const SQL: &str = concat!(
            "UPDATE wechat_account SET ",
            taken!("$2", "$3"),
            " WHERE app_id = $1 AND access_expires_at = $4 AND ",
            free!("$5")
        );
        let (id, expires_at) = (&account.app_id, account.access_expires_at);
        Ok(execute!(self, SQL, id, lease.owner(), lease.until(), expires_at, lease.from())? > 0)
    }

    /// Stores a renewed access token, and the grant to get the next one with when it has changed, and gives the lease
    /// back. Returns `false` when the account has a newer grant than `account`, or none; a grant that was only sealed
    /// anew is the same.
    pub async fn renew_wechat_account(
        &mut self,
        account: &Account,
        grant: Option<&str>,
        access: &str,
        expires_at: Millis,
    ) -> Result<bool> {
        let changed = execute!(
            self,
            "UPDATE wechat_account SET grant_sealed = COALESCE($3, grant_sealed), access_sealed = $4, access_expires_at = $5,
                attempts = 0, retry_at = 0
             WHERE app_id = $1 AND granted_at = $2 AND grant_sealed IS NOT NULL",
            &account.app_id,
            account.granted_at,
            grant,
            access,
            expires_at
        )?;
        Ok(changed > 0)
    }

    /// Nobody asks for a new token before `retry_at`, unless the host has been so slow that another one is asking.
    pub async fn postpone_wechat_account(&mut self, app_id: &str, owner: &str, retry_at: Millis) -> Result<()> {
        const SQL: &str =
            "UPDATE wechat_account SET attempts = attempts + 1, retry_at = $3 WHERE app_id = $1 AND lease_owner = $2";
        execute!(self, SQL, app_id, owner, retry_at)?;
        Ok(())
    }

    /// Gives the lease back.
    pub async fn release_wechat_account(&mut self, app_id: &str, owner: &str) -> Result<()> {
        const SQL: &str =
            concat!("UPDATE wechat_account SET ", given_back!(), " WHERE app_id = $1 AND lease_owner = $2");
        execute!(self, SQL, app_id, owner)?;
        Ok(())
    }

    /// Makes an access token that WeChat has refused count as expired, unless it was renewed in the meantime.
    pub async fn expire_wechat_access(&mut self, app_id: &str, expires_at: Millis) -> Result<()> {
        const SQL: &str =
            "UPDATE wechat_account SET access_expires_at = 0 WHERE app_id = $1 AND access_expires_at = $2";
        execute!(self, SQL, app_id, expires_at)?;
        Ok(())
    }

    /// Accounts whose access token expires by `by` and for which a new one may be asked now, at most `limit`.
    pub async fn wechat_accounts_to_renew(&mut self, now: Millis, by: Millis, limit: i64) -> Result<Vec<Account>> {
        Ok(fetch!(
            self,
            fetch_all,
            Account,
            concat!(
                "SELECT * FROM wechat_account WHERE grant_sealed IS NOT NULL AND access_expires_at <= $1
                 AND retry_at <= $2 AND ",
                free!("$2"),
                " ORDER BY access_expires_at LIMIT $3"
            ),
            by,
            now,
            limit
        )?)
    }
}

/// What each sealed secret is bound to; see [`crate::SEALED`].
pub const ABOUT_GRANT: &str = "wechat-grant";

/// What a sealed access token is about.
pub const ABOUT_ACCESS: &str = "wechat-access";

/// The third-party platform of this host, or the WeChat account of a merchant, as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns, which the migration explains")]
pub struct Account {
    pub app_id: String,
    pub grant_sealed: Option<String>,
    pub granted_at: Millis,
    pub access_sealed: Option<String>,
    pub access_expires_at: Millis,
    pub attempts: i64,
    pub retry_at: Millis,
}

/// A grant to be stored: the platform's ticket or a merchant's refresh token.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns, which the migration explains")]
pub struct NewGrant {
    pub app_id: String,
    pub grant_sealed: String,
    pub granted_at: Millis,
    pub access_sealed: Option<String>,
    pub access_expires_at: Millis,
    pub scopes: Vec<i64>,
}

impl Account {
    /// Whether it lets us act: we have its grant.
    pub fn is_authorised(&self) -> bool {
        self.grant_sealed.is_some()
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
        let fresh = testing::fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        assert!(tx.grant_wechat_account(&grant("old-key", 1)).await.unwrap());
        let read = tx.wechat_account(WX).await.unwrap().unwrap();
        let column = crate::SEALED.iter().find(|one| one.column == "grant_sealed").unwrap();
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
    async fn e10_a_slow_host_gives_back_no_lease_but_its_own() {
        let fresh = testing::fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        tx.grant_wechat_account(&grant("sealed", 1)).await.unwrap();
        let account = tx.wechat_account(WX).await.unwrap().unwrap();
        let lease = |owner, from| Lease::at(owner, Millis(from), 10);
        assert!(tx.lease_wechat_account(&account, &lease("slow", 0)).await.unwrap());
        assert!(!tx.lease_wechat_account(&account, &lease("quick", 9_999)).await.unwrap());
        assert!(tx.lease_wechat_account(&account, &lease("quick", 10_000)).await.unwrap());
        tx.postpone_wechat_account(WX, "slow", Millis(99_000)).await.unwrap();
        tx.release_wechat_account(WX, "slow").await.unwrap();
        assert!(!tx.lease_wechat_account(&account, &lease("third", 10_001)).await.unwrap());
        tx.release_wechat_account(WX, "quick").await.unwrap();
        assert!(tx.lease_wechat_account(&account, &lease("third", 10_001)).await.unwrap());
        assert_eq!(tx.wechat_account(WX).await.unwrap().unwrap().retry_at, Millis(0));
    }

    #[tokio::test]
    async fn e10_an_account_that_nothing_names_is_let_go() {
        let fresh = testing::fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        tx.grant_wechat_account(&grant("sealed", 1)).await.unwrap();
        let account = tx.wechat_account(WX).await.unwrap().unwrap();
        assert!(tx.drop_needless_wechat_account(&account, Millis(0)).await.unwrap());
        let gone = tx.wechat_account(WX).await.unwrap().unwrap();
        assert!(!gone.is_authorised());
        assert!(!tx.drop_needless_wechat_account(&account, Millis(0)).await.unwrap(), "once");
    }
}

//! Official accounts with their sealed secrets and tokens, their templates, and the moves between them.

mod entry;
mod fan;
mod message;

pub use entry::EntryRow;
pub use fan::{ABOUT_OPEN_ID, FanRow};
pub use message::SentTemplateRow;

use super::{Tx, chosen, execute, fetch, fetch_built};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{AccountTemplateName, MerchantId, WechatAppId},
    page::PageQuery,
    secret::Secret,
};
use berth_model::{
    access::Caller,
    official_account::{AccountMove, AccountTemplate, OfficialAccount, OfficialAccountQuery},
};

/// What the sealed secret of an official account is about.
pub const ABOUT_ACCOUNT_SECRET: &str = "official-account-secret";
/// What the sealed access token of an official account is about.
pub const ABOUT_ACCOUNT_ACCESS: &str = "official-account-access";

#[derive(sqlx::FromRow)]
struct AccessRow {
    access_sealed: Option<String>,
    access_expires_at: Millis,
}

impl Tx {
    /// The official account with this app id.
    pub async fn official_account(&mut self, app_id: &WechatAppId) -> Result<Option<OfficialAccount>> {
        const SQL: &str = "SELECT * FROM official_account WHERE app_id = $1";
        Ok(fetch!(self, fetch_optional, OfficialAccount, SQL, app_id)?)
    }

    /// Adds an official account with its secret, if it acts by one. Returns `false` when it is here already.
    pub async fn insert_official_account(&mut self, one: &OfficialAccount, secret: Option<&Secret>) -> Result<bool> {
        let sealed = secret.map(|secret| self.seal_account_secret(&one.app_id, secret)).transpose()?;
        let added = execute!(
            self,
            "INSERT INTO official_account (app_id, name, merchant_id, through, state, secret_sealed, access_expires_at,
                created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8) ON CONFLICT (app_id) DO NOTHING",
            &one.app_id,
            &one.name,
            &one.merchant,
            one.through,
            one.state,
            sealed,
            &one.created_by,
            one.created_at
        )?;
        Ok(added > 0)
    }

    /// Locks an official account until the transaction ends, so that it is edited by one after the other.
    pub async fn hold_official_account(&mut self, app_id: &WechatAppId) -> Result<Option<OfficialAccount>> {
        const SQL: &str = "UPDATE official_account SET name = name WHERE app_id = $1 RETURNING *";
        Ok(fetch!(self, fetch_optional, OfficialAccount, SQL, app_id)?)
    }

    /// Stores the name and the state of an official account, and how this host acts for it.
    pub async fn update_official_account(&mut self, one: &OfficialAccount) -> Result<()> {
        execute!(
            self,
            "UPDATE official_account SET name = $2, state = $3, through = $4 WHERE app_id = $1",
            &one.app_id,
            &one.name,
            one.state,
            one.through
        )?;
        Ok(())
    }

    /// Stores another secret of an official account. The access token that the former one gave is dropped.
    pub async fn set_official_account_secret(&mut self, app_id: &WechatAppId, secret: &Secret) -> Result<()> {
        let sealed = self.seal_account_secret(app_id, secret)?;
        execute!(
            self,
            "UPDATE official_account SET secret_sealed = $2, access_sealed = NULL, access_expires_at = 0 WHERE app_id = $1",
            app_id,
            &sealed
        )?;
        Ok(())
    }

    fn seal_account_secret(&self, app_id: &WechatAppId, secret: &Secret) -> Result<String> {
        self.seal().seal(secret.expose().as_bytes(), &format!("{ABOUT_ACCOUNT_SECRET}:{app_id}"))
    }

    /// The secret of an official account; `None` when it acts by the third-party platform.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn official_account_secret(&mut self, app_id: &WechatAppId) -> Result<Option<Secret>> {
        const SQL: &str = "SELECT secret_sealed FROM official_account WHERE app_id = $1";
        let row = fetch!(self, fetch_optional, (Option<String>,), SQL, app_id)?;
        let Some((Some(sealed),)) = row else { return Ok(None) };
        let secret = self.seal().open_text(&sealed, &format!("{ABOUT_ACCOUNT_SECRET}:{app_id}"))?;
        Ok(Some(secret.into()))
    }

    /// The access token of an official account that is valid until `until` at least.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn official_account_access(&mut self, app_id: &WechatAppId, until: Millis) -> Result<Option<Secret>> {
        const SQL: &str = "SELECT access_sealed, access_expires_at FROM official_account WHERE app_id = $1";
        let row = fetch!(self, fetch_optional, AccessRow, SQL, app_id)?;
        let Some(sealed) = row.filter(|row| row.access_expires_at > until).and_then(|row| row.access_sealed) else {
            return Ok(None);
        };
        let token = self.seal().open_text(&sealed, &format!("{ABOUT_ACCOUNT_ACCESS}:{app_id}"))?;
        Ok(Some(token.into()))
    }

    /// Keeps an access token of an official account for all hosts.
    pub async fn keep_official_account_access(
        &mut self,
        app_id: &WechatAppId,
        token: &Secret,
        expires_at: Millis,
    ) -> Result<()> {
        let sealed = self.seal().seal(token.expose().as_bytes(), &format!("{ABOUT_ACCOUNT_ACCESS}:{app_id}"))?;
        execute!(
            self,
            "UPDATE official_account SET access_sealed = $2, access_expires_at = $3 WHERE app_id = $1",
            app_id,
            &sealed,
            expires_at
        )?;
        Ok(())
    }

    /// Deletes an official account with its templates, its fans and the moves from and to it.
    pub async fn delete_official_account(&mut self, app_id: &WechatAppId) -> Result<()> {
        execute!(self, "DELETE FROM official_account WHERE app_id = $1", app_id)?;
        Ok(())
    }

    /// How many members of merchants are bound at an official account.
    pub async fn count_bound_fans(&mut self, app_id: &WechatAppId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM fan WHERE app_id = $1 AND member_id IS NOT NULL";
        Ok(fetch!(self, fetch_one, (i64,), SQL, app_id)?.0)
    }

    /// A page of the official accounts that match and that the caller may know about, by app id, and one more than the page
    /// holds. Everybody knows the shared ones.
    pub async fn official_accounts_known_to(
        &mut self,
        caller: &Caller,
        query: &OfficialAccountQuery,
        page: &PageQuery,
    ) -> Result<Vec<OfficialAccount>> {
        Ok(fetch_built!(self, OfficialAccount, |q| {
            q.push("SELECT * FROM official_account a WHERE a.app_id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(
                    " AND (a.merchant_id IS NULL OR a.merchant_id IN (SELECT scope_id FROM role_grant
                     WHERE scope_kind = 'merchant' AND account_id = ",
                );
                q.push_bind(&caller.account).push("))");
            }
            if let Some(merchant) = chosen!(&query.merchant) {
                q.push(" AND (a.merchant_id IS NULL OR a.merchant_id = ").push_bind(merchant).push(")");
            }
            q.push(" ORDER BY a.app_id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// The templates of an official account, by name.
    pub async fn account_templates(&mut self, app_id: &WechatAppId) -> Result<Vec<AccountTemplate>> {
        const SQL: &str = "SELECT * FROM account_template WHERE app_id = $1 ORDER BY name";
        Ok(fetch!(self, fetch_all, AccountTemplate, SQL, app_id)?)
    }

    /// Makes a name stand for a template of an official account, instead of the one that it may have stood for.
    pub async fn put_account_template(&mut self, one: &AccountTemplate) -> Result<()> {
        execute!(
            self,
            "INSERT INTO account_template (app_id, name, template_id) VALUES ($1, $2, $3)
             ON CONFLICT (app_id, name) DO UPDATE SET template_id = excluded.template_id",
            &one.app_id,
            &one.name,
            &one.template_id
        )?;
        Ok(())
    }

    /// Deletes the name of a template, and returns what it stood for.
    pub async fn delete_account_template(
        &mut self,
        app_id: &WechatAppId,
        name: &AccountTemplateName,
    ) -> Result<Option<AccountTemplate>> {
        const SQL: &str = "DELETE FROM account_template WHERE app_id = $1 AND name = $2 RETURNING *";
        Ok(fetch!(self, fetch_optional, AccountTemplate, SQL, app_id, name)?)
    }

    /// The move of a merchant.
    pub async fn account_move(&mut self, merchant: &MerchantId) -> Result<Option<AccountMove>> {
        const SQL: &str = "SELECT * FROM account_move WHERE merchant_id = $1";
        Ok(fetch!(self, fetch_optional, AccountMove, SQL, merchant)?)
    }

    /// Stores the move of a merchant, in place of a former one.
    pub async fn put_account_move(&mut self, one: &AccountMove) -> Result<()> {
        execute!(
            self,
            "INSERT INTO account_move (merchant_id, from_app_id, to_app_id, moved_by, moved_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (merchant_id) DO UPDATE SET from_app_id = excluded.from_app_id, to_app_id = excluded.to_app_id,
                moved_by = excluded.moved_by, moved_at = excluded.moved_at",
            &one.merchant,
            &one.from,
            &one.to,
            &one.moved_by,
            one.moved_at
        )?;
        Ok(())
    }
}

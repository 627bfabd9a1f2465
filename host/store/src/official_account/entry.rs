//! Entry pages, visitors on their way to WeChat, and the codes of visits.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, EntryPageName, FanId, MerchantId, WechatAppId},
};
use berth_model::official_account::EntryPage;

use crate::{Tx, execute, fetch};

/// A visitor who was sent to WeChat.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EntryRow {
    /// The SHA-256 of the state that WeChat brings back.
    pub state_sha256: Digest,
    /// The SHA-256 of the browser's cookie.
    pub browser_sha256: Digest,
    /// The account by which they enter.
    pub app_id: WechatAppId,
    /// The merchant.
    pub merchant_id: MerchantId,
    /// The name of the page.
    pub page: EntryPageName,
    /// What the link had in its query and is passed on.
    pub query: String,
    /// The fan that they are already, at the account to which the merchant moves.
    pub along_fan_id: Option<FanId>,
    /// When it is too late to come back.
    pub expires_at: Millis,
}

impl Tx {
    /// The page of a merchant with this name.
    pub async fn entry_page(&mut self, merchant: &MerchantId, name: &EntryPageName) -> Result<Option<EntryPage>> {
        const SQL: &str = "SELECT * FROM entry_page WHERE merchant_id = $1 AND name = $2";
        Ok(fetch!(self, fetch_optional, EntryPage, SQL, merchant, name)?)
    }

    /// The pages of a merchant, by name.
    pub async fn entry_pages(&mut self, merchant: &MerchantId) -> Result<Vec<EntryPage>> {
        const SQL: &str = "SELECT * FROM entry_page WHERE merchant_id = $1 ORDER BY name";
        Ok(fetch!(self, fetch_all, EntryPage, SQL, merchant)?)
    }

    /// Registers a page, in place of the one that may have this name.
    pub async fn put_entry_page(&mut self, page: &EntryPage) -> Result<()> {
        execute!(
            self,
            "INSERT INTO entry_page (merchant_id, name, url, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (merchant_id, name) DO UPDATE SET url = excluded.url, changed_by = excluded.changed_by,
                changed_at = excluded.changed_at",
            &page.merchant,
            &page.name,
            &page.url,
            &page.changed_by,
            page.changed_at
        )?;
        Ok(())
    }

    /// Deletes a page.
    pub async fn delete_entry_page(&mut self, merchant: &MerchantId, name: &EntryPageName) -> Result<()> {
        execute!(self, "DELETE FROM entry_page WHERE merchant_id = $1 AND name = $2", merchant, name)?;
        Ok(())
    }

    /// Adds a visitor who is sent to WeChat.
    pub async fn insert_entry(&mut self, entry: &EntryRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO entry (state_sha256, browser_sha256, app_id, merchant_id, page, query, along_fan_id, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &entry.state_sha256,
            &entry.browser_sha256,
            &entry.app_id,
            &entry.merchant_id,
            &entry.page,
            &entry.query,
            &entry.along_fan_id,
            entry.expires_at
        )?;
        Ok(())
    }

    /// Takes the visitor who comes back with this state in this browser. Of many who try, one gets it. In another browser it
    /// stays for its own.
    pub async fn take_entry(&mut self, state: &Digest, browser: &Digest) -> Result<Option<EntryRow>> {
        let now = self.now();
        Ok(fetch!(
            self,
            fetch_optional,
            EntryRow,
            "DELETE FROM entry WHERE state_sha256 = $1 AND browser_sha256 = $2 AND expires_at > $3 RETURNING *",
            state,
            browser,
            now
        )?)
    }

    /// Adds the code of a visit, of which only the hash is stored.
    pub async fn insert_visit_code(&mut self, code: &Digest, fan: &FanId, expires_at: Millis) -> Result<()> {
        const SQL: &str = "INSERT INTO visit_code (code_sha256, fan_id, expires_at) VALUES ($1, $2, $3)";
        execute!(self, SQL, code, fan, expires_at)?;
        Ok(())
    }

    /// Takes the code of a visit to this merchant, at `app_id` when it is given, and returns who came. Of many who try, one
    /// gets it. A code for others stays.
    pub async fn take_visit_code(
        &mut self,
        code: &Digest,
        merchant: &MerchantId,
        app_id: Option<&WechatAppId>,
    ) -> Result<Option<FanId>> {
        let now = self.now();
        let taken = fetch!(
            self,
            fetch_optional,
            (FanId,),
            "DELETE FROM visit_code WHERE code_sha256 = $1 AND expires_at > $2
             AND EXISTS (SELECT 1 FROM fan f WHERE f.id = visit_code.fan_id AND f.merchant_id = $3
                AND f.app_id = COALESCE($4, f.app_id))
             RETURNING fan_id",
            code,
            now,
            merchant,
            app_id
        )?;
        Ok(taken.map(|(fan,)| fan))
    }
}

//! Merchants.

use crate::{
    access::Caller,
    endpoint::Merchant,
    error::{Error, Result},
    ids::MerchantId,
    page::PageQuery,
    store::{Tx, execute, fetch},
};

impl Tx {
    /// One merchant.
    pub async fn merchant(&mut self, id: &MerchantId) -> Result<Option<Merchant>> {
        let sql = "SELECT id, name, unify_users, created_at FROM merchant WHERE id = $1";
        Ok(fetch!(self, fetch_optional, Merchant, sql, id)?)
    }

    /// The merchant, held until the transaction ends: everything that changes its endpoint applications takes turns.
    pub async fn hold_merchant(&mut self, id: &MerchantId) -> Result<Merchant> {
        let sql = "UPDATE merchant SET revision = revision + 1 WHERE id = $1
                   RETURNING id, name, unify_users, created_at";
        fetch!(self, fetch_optional, Merchant, sql, id)?.ok_or_else(|| Error::not_found("merchant", id))
    }

    /// As [`Tx::hold_merchant`]; false when there is none.
    pub async fn hold_merchant_if_there(&mut self, id: &MerchantId) -> Result<bool> {
        Ok(execute!(self, "UPDATE merchant SET revision = revision + 1 WHERE id = $1", id)? > 0)
    }

    /// Adds a merchant. The bare error tells whether the id is taken.
    pub(crate) async fn insert_merchant(&mut self, merchant: &Merchant) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO merchant (id, name, unify_users, created_at) VALUES ($1, $2, $3, $4)",
            &merchant.id,
            &merchant.name,
            merchant.unify_users,
            merchant.created_at
        )
        .map(drop)
    }

    /// Writes what may be edited.
    pub(crate) async fn update_merchant(&mut self, merchant: &Merchant) -> Result<()> {
        let sql = "UPDATE merchant SET name = $2, unify_users = $3 WHERE id = $1";
        execute!(self, sql, &merchant.id, &merchant.name, merchant.unify_users)?;
        Ok(())
    }

    /// The merchants that the caller may know of, by id, and one more than the page holds.
    pub(crate) async fn merchants_known_to(&mut self, caller: &Caller, query: &PageQuery) -> Result<Vec<Merchant>> {
        Ok(fetch!(
            self,
            fetch_all,
            Merchant,
            "SELECT id, name, unify_users, created_at FROM merchant m WHERE m.id > $1 AND ($2 OR m.id IN
                (SELECT scope_id FROM role_grant WHERE account_id = $3 AND scope_kind = 'merchant'))
             ORDER BY m.id LIMIT $4",
            query.after(),
            caller.reads_everything(),
            &caller.account,
            query.limit() + 1
        )?)
    }
}

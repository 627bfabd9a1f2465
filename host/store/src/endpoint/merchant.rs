use std::collections::BTreeSet;

use super::{push_ids, push_known};
use berth_base::{
    error::{Error, Result},
    ids::MerchantId,
    page::PageQuery,
};
use berth_model::{access::Caller, endpoint::Merchant};

use crate::{Tx, execute, fetch, fetch_built};

impl Tx {
    /// The merchant with this BosID.
    pub async fn merchant(&mut self, id: &MerchantId) -> Result<Option<Merchant>> {
        const SQL: &str = "SELECT id, name, unify_users, created_at FROM merchant WHERE id = $1";
        Ok(fetch!(self, fetch_optional, Merchant, SQL, id)?)
    }

    /// Locks a merchant until the transaction ends, and returns it. So changes of its endpoint applications come one
    /// after the other. `not-found` when there is none.
    pub async fn hold_merchant(&mut self, id: &MerchantId) -> Result<Merchant> {
        const SQL: &str = "UPDATE merchant SET revision = revision + 1 WHERE id = $1
                   RETURNING id, name, unify_users, created_at";
        fetch!(self, fetch_optional, Merchant, SQL, id)?.ok_or_else(|| Error::not_found("merchant", id))
    }

    /// Locks those of `ids` that exist, and returns them. They are locked in the order of their ids, so that two
    /// transactions that lock several cannot deadlock. For this reason the statement is an INSERT, which handles rows
    /// in the given order; an UPDATE does not.
    pub async fn hold_merchants(&mut self, ids: &BTreeSet<&MerchantId>) -> Result<BTreeSet<MerchantId>> {
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let held = fetch_built!(self, (MerchantId,), |q| {
            q.push(
                "INSERT INTO merchant (id, name, unify_users, created_at, revision)
                 SELECT id, name, unify_users, created_at, revision FROM merchant WHERE id IN ",
            );
            push_ids!(q, ids);
            q.push(" ORDER BY id ON CONFLICT (id) DO UPDATE SET revision = merchant.revision + 1 RETURNING id");
        })?;
        Ok(held.into_iter().map(|(id,)| id).collect())
    }

    /// Adds a merchant. Returns the error of the database, by which callers recognise that the id is taken.
    pub async fn insert_merchant(&mut self, merchant: &Merchant) -> sqlx::Result<()> {
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

    /// Stores the fields of a merchant that can be edited.
    pub async fn update_merchant(&mut self, merchant: &Merchant) -> Result<()> {
        const SQL: &str = "UPDATE merchant SET name = $2, unify_users = $3 WHERE id = $1";
        execute!(self, SQL, &merchant.id, &merchant.name, merchant.unify_users)?;
        Ok(())
    }

    /// A page of the merchants that the caller may know about, by id, and one more than the page holds.
    pub async fn merchants_known_to(&mut self, caller: &Caller, query: &PageQuery) -> Result<Vec<Merchant>> {
        Ok(fetch_built!(self, Merchant, |q| {
            q.push("SELECT id, name, unify_users, created_at FROM merchant m WHERE m.id > ").push_bind(query.after());
            push_known!(q, caller, "m.id");
            q.push(" ORDER BY m.id LIMIT ").push_bind(query.limit() + 1);
        })?)
    }
}

//! Fulfilment messages, and the product instances that they change.

use std::collections::BTreeSet;

use sqlx::types::Json;

use super::{push_ids, push_if};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{InstanceId, MerchantId, MessageId},
    sql::Count,
};
use berth_model::endpoint::{
    ProductInstance,
    fulfilment::{
        Fulfilment, FulfilmentQuery, FulfilmentState, Place, ReplayAll,
        message::{Reason, kept},
    },
};

use crate::{Tx, chosen, execute_built, fetch, fetch_built};

impl Tx {
    /// The fulfilment message with this id, if it is stored.
    pub async fn fulfilment(&mut self, id: &MessageId) -> Result<Option<FulfilmentRow>> {
        Ok(fetch!(self, fetch_optional, FulfilmentRow, "SELECT * FROM fulfilment WHERE id = $1", id)?)
    }

    /// Those of the messages with these ids that are stored.
    pub async fn fulfilments(&mut self, ids: &BTreeSet<MessageId>) -> Result<Vec<FulfilmentRow>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(fetch_built!(self, FulfilmentRow, |q| {
            q.push("SELECT * FROM fulfilment WHERE id IN ");
            push_ids!(q, ids);
        })?)
    }

    /// Those of the product instances with these ids that are known.
    pub async fn product_instances(&mut self, ids: &BTreeSet<InstanceId>) -> Result<Vec<ProductInstance>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(fetch_built!(self, ProductInstance, |q| {
            q.push("SELECT * FROM product_instance WHERE id IN ");
            push_ids!(q, ids);
        })?)
    }

    /// Adds or replaces product instances, which must be in the order of their ids. Returns `false` when another
    /// transaction has just added one of them for another merchant or product.
    pub async fn write_instances(&mut self, instances: &[&ProductInstance]) -> Result<bool> {
        if instances.is_empty() {
            return Ok(true);
        }
        let written = execute_built!(self, |q| {
            q.push(
                "INSERT INTO product_instance (id, merchant_id, product, name, state, said_at, said_kind, said_by, named,
                                               expires_at, left_at, created_at, updated_at) ",
            );
            q.push_values(instances, |mut row, one| {
                row.push_bind(&one.id).push_bind(&one.merchant).push_bind(&one.product).push_bind(&one.name);
                row.push_bind(one.state).push_bind(one.said_at).push_bind(one.said_kind);
                row.push_bind(&one.said_by)
                    .push_bind(one.named.as_ref().map(Json))
                    .push_bind(one.expires_at)
                    .push_bind(one.left_at);
                row.push_bind(one.created_at).push_bind(one.updated_at);
            });
            q.push(
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state,
                    said_at = excluded.said_at, said_kind = excluded.said_kind, said_by = excluded.said_by,
                    named = excluded.named, expires_at = excluded.expires_at, left_at = excluded.left_at,
                    updated_at = excluded.updated_at
                  WHERE product_instance.merchant_id = excluded.merchant_id
                    AND product_instance.product = excluded.product",
            );
        })?;
        Ok(written == instances.len() as u64)
    }

    /// Adds or replaces messages, which must be in the order of their ids; `taken_up` are those of them that were
    /// discarded when they were read. Returns `false` when another transaction has just settled or discarded one of
    /// them.
    pub async fn write_fulfilments(&mut self, rows: &[&FulfilmentRow], taken_up: &BTreeSet<MessageId>) -> Result<bool> {
        if rows.is_empty() {
            return Ok(true);
        }
        let written = execute_built!(self, |q| {
            q.push(
                "INSERT INTO fulfilment (id, merchant_id, state, reason, detail, body, attempts, received_at, settled_at,
                                         discarded_by, note) ",
            );
            q.push_values(rows, |mut row, one| {
                row.push_bind(&one.id).push_bind(&one.merchant_id).push_bind(one.state);
                row.push_bind(&one.reason).push_bind(&one.detail).push_bind(&one.body);
                row.push_bind(Count(one.attempts)).push_bind(one.received_at).push_bind(one.settled_at);
                row.push_bind(&one.discarded_by).push_bind(&one.note);
            });
            q.push(
                " ON CONFLICT (id) DO UPDATE SET merchant_id = excluded.merchant_id, state = excluded.state,
                    reason = excluded.reason, detail = excluded.detail, body = excluded.body,
                    attempts = excluded.attempts, settled_at = excluded.settled_at,
                    discarded_by = excluded.discarded_by, note = excluded.note
                  WHERE fulfilment.state = 'parked'",
            );
            if chosen!(!taken_up.is_empty()) {
                q.push(" OR fulfilment.state = 'discarded' AND fulfilment.id IN ");
                push_ids!(q, taken_up);
            }
        })?;
        Ok(written == rows.len() as u64)
    }

    /// Discards a message, when it is parked, and returns it as it is then.
    pub async fn discard_fulfilment(
        &mut self,
        id: &MessageId,
        actor: &str,
        note: &str,
    ) -> Result<Option<FulfilmentRow>> {
        let now = self.now();
        const SQL: &str = "UPDATE fulfilment SET state = 'discarded', reason = '', discarded_by = $2, note = $3,
                    settled_at = $4 WHERE id = $1 AND state = 'parked' RETURNING *";
        Ok(fetch!(self, fetch_optional, FulfilmentRow, SQL, id, actor, note, now)?)
    }

    /// Up to `most` parked messages that `which` selects: those tried least often first, then by their arrival.
    pub async fn parked_fulfilments(&mut self, which: &ReplayAll, most: usize) -> Result<Vec<FulfilmentRow>> {
        Ok(fetch_built!(self, FulfilmentRow, |q| {
            q.push("SELECT * FROM fulfilment WHERE state = 'parked'");
            push_if!(q, &which.merchant, " AND merchant_id = ", "");
            push_if!(q, which.reason, " AND reason = ", "");
            q.push(" ORDER BY attempts, received_at, id LIMIT ").push_bind(most as i64);
        })?)
    }

    /// A page of the messages that `query` selects, newest first, and one more than the page holds. `before` is where
    /// the previous page ended.
    pub async fn fulfilments_of(
        &mut self,
        query: &FulfilmentQuery,
        before: Option<&Place>,
    ) -> Result<Vec<FulfilmentRow>> {
        let limit = query.page().limit();
        Ok(fetch_built!(self, FulfilmentRow, |q| {
            q.push("SELECT * FROM fulfilment WHERE 1 = 1");
            if let Some(state) = chosen!(query.state) {
                // A word of ours, in the text and not bound: so the indexes of rare states can be used.
                q.push(" AND state = '").push(state).push("'");
            }
            push_if!(q, query.reason.map(Reason::as_str), " AND state = 'parked' AND reason = ", "");
            push_if!(q, &query.merchant, " AND merchant_id = ", "");
            if let Some(Place(at, id)) = chosen!(before) {
                q.push(" AND (received_at, id) < (").push_bind(at).push(", ").push_bind(id).push(")");
            }
            q.push(" ORDER BY received_at DESC, id DESC LIMIT ").push_bind(limit + 1);
        })?)
    }

    /// Merchants that exist although messages are parked because they did not, at most 20.
    pub async fn merchants_with_waiting_messages(&mut self) -> Result<Vec<MerchantId>> {
        const SQL: &str = "SELECT DISTINCT m.id FROM fulfilment f JOIN merchant m ON m.id = f.merchant_id
                   WHERE f.state = 'parked' AND f.reason = 'merchant-unknown' LIMIT 20";
        Ok(fetch!(self, fetch_all, (MerchantId,), SQL)?.into_iter().map(|(id,)| id).collect())
    }

    /// Merchants with product instances that have expired and are still stored as active, at most 500.
    pub async fn merchants_with_expired_products(&mut self, now: Millis) -> Result<Vec<MerchantId>> {
        const SQL: &str = "SELECT DISTINCT merchant_id FROM product_instance
                   WHERE state = 'active' AND expires_at <= $1 LIMIT 500";
        Ok(fetch!(self, fetch_all, (MerchantId,), SQL, now)?.into_iter().map(|(id,)| id).collect())
    }

    /// Stores the merchant's product instances that have expired as expired, and returns them.
    pub async fn expire_products(&mut self, merchant: &MerchantId, now: Millis) -> Result<Vec<ProductInstance>> {
        const SQL: &str = "UPDATE product_instance SET state = 'expired', updated_at = $2
                   WHERE merchant_id = $1 AND state = 'active' AND expires_at <= $2 RETURNING *";
        Ok(fetch!(self, fetch_all, ProductInstance, SQL, merchant, now)?)
    }
}

impl From<&FulfilmentRow> for Fulfilment {
    fn from(row: &FulfilmentRow) -> Self {
        Self {
            id: row.id.clone(),
            merchant: row.merchant_id.clone(),
            state: row.state,
            reason: row.reason.parse().ok(),
            detail: row.detail.clone(),
            message: kept(&row.body),
            attempts: row.attempts,
            received_at: row.received_at,
            settled_at: row.settled_at,
            discarded_by: row.discarded_by.clone(),
            note: row.note.clone(),
        }
    }
}

/// A row of the table `fulfilment`.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Fulfilment")]
pub struct FulfilmentRow {
    pub id: MessageId,
    pub merchant_id: Option<MerchantId>,
    pub state: FulfilmentState,
    pub reason: String,
    pub detail: String,
    pub body: String,
    #[sqlx(try_from = "Count")]
    pub attempts: u64,
    pub received_at: Millis,
    pub settled_at: Option<Millis>,
    pub discarded_by: Option<String>,
    pub note: String,
}

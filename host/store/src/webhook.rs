//! Webhooks, their secrets, and the deliveries that wait for them.

use sqlx::types::Json;

use super::{Tx, access::reads, chosen, execute, fetch, fetch_built, push_if};
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{AttemptId, WebhookId, WebhookSecretId},
    page::PageQuery,
};
use berth_model::event::webhook::{Webhook, WebhookScope};
use berth_model::{
    access::{Caller, Scope, ScopeKind},
    event::webhook::{Attempt, AttemptQuery, Delivery, DeliveryState},
};

/// A row of `webhook`.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Webhook")]
pub struct WebhookRow {
    pub id: WebhookId,
    pub scope_kind: ScopeKind,
    pub scope_id: String,
    pub url: String,
    pub types: Json<Vec<String>>,
    pub description: String,
    pub enabled: bool,
    pub disabled_why: String,
    pub created_by: String,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// A row of `webhook_secret`.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the names say it")]
pub struct WebhookSecretRow {
    pub id: WebhookSecretId,
    pub webhook_id: WebhookId,
    pub secret_sealed: String,
    pub created_at: Millis,
    pub ends_at: Option<Millis>,
}

impl Tx {
    /// The webhook with this id.
    pub async fn webhook(&mut self, id: &WebhookId) -> Result<Option<WebhookRow>> {
        Ok(fetch!(self, fetch_optional, WebhookRow, "SELECT * FROM webhook WHERE id = $1", id)?)
    }

    /// Locks a webhook until the transaction ends, and returns it. So changes of it come one after the other, each
    /// based on the one before.
    pub async fn hold_webhook(&mut self, id: &WebhookId) -> Result<Option<WebhookRow>> {
        const SQL: &str = "UPDATE webhook SET enabled = enabled WHERE id = $1 RETURNING *";
        Ok(fetch!(self, fetch_optional, WebhookRow, SQL, id)?)
    }

    /// A page of the webhooks in scopes that the caller may read, by id, and one more than the page holds.
    pub async fn webhooks_known_to(&mut self, caller: &Caller, query: &PageQuery) -> Result<Vec<WebhookRow>> {
        Ok(fetch_built!(self, WebhookRow, |q| {
            q.push("SELECT * FROM webhook w WHERE w.id > ").push_bind(query.after());
            if chosen!(!caller.reads_everything()) {
                q.push(" AND EXISTS (SELECT 1 FROM role_grant g WHERE g.scope_kind = w.scope_kind");
                q.push(" AND g.scope_id = w.scope_id AND ").push(reads());
                q.push(" AND g.account_id = ").push_bind(&caller.account).push(")");
            }
            q.push(" ORDER BY w.id LIMIT ").push_bind(query.limit() + 1);
        })?)
    }

    /// The number of webhooks in a scope.
    pub async fn webhooks_in(&mut self, scope: &Scope) -> Result<i64> {
        let (count,) = fetch!(
            self,
            fetch_one,
            (i64,),
            "SELECT COUNT(*) FROM webhook WHERE scope_kind = $1 AND scope_id = $2",
            scope.kind(),
            scope.id()
        )?;
        Ok(count)
    }

    /// Adds a webhook that gets the events after number `last`.
    pub async fn insert_webhook(&mut self, row: &WebhookRow, last: i64) -> Result<()> {
        execute!(
            self,
            "INSERT INTO webhook (id, scope_kind, scope_id, url, types, description, enabled, disabled_why, created_by,
                                  created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &row.id,
            row.scope_kind,
            &row.scope_id,
            &row.url,
            &row.types,
            &row.description,
            row.enabled,
            &row.disabled_why,
            &row.created_by,
            row.created_at,
            row.updated_at
        )?;
        execute!(self, "INSERT INTO webhook_cursor (webhook_id, seq, lease_until) VALUES ($1, $2, 0)", &row.id, last)?;
        Ok(())
    }

    /// Stores the fields of a webhook that can be edited.
    pub async fn update_webhook(&mut self, row: &WebhookRow) -> Result<()> {
        execute!(
            self,
            "UPDATE webhook SET url = $2, types = $3, description = $4, enabled = $5, disabled_why = $6, updated_at = $7
             WHERE id = $1",
            &row.id,
            &row.url,
            &row.types,
            &row.description,
            row.enabled,
            &row.disabled_why,
            row.updated_at
        )?;
        Ok(())
    }

    /// Deletes a webhook with its secrets, its cursor and its deliveries.
    pub async fn delete_webhook(&mut self, id: &WebhookId) -> Result<()> {
        // The cursor first, as those who deliver do: they hold it when they refer to the webhook.
        execute!(self, "DELETE FROM webhook_cursor WHERE webhook_id = $1", id)?;
        execute!(self, "DELETE FROM webhook WHERE id = $1", id)?;
        execute!(self, "DELETE FROM webhook_attempt WHERE webhook_id = $1", id)?;
        Ok(())
    }

    /// Adds a secret to a webhook.
    pub async fn insert_webhook_secret(&mut self, row: &WebhookSecretRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO webhook_secret (id, webhook_id, secret_sealed, created_at, ends_at) VALUES ($1, $2, $3, $4, $5)",
            &row.id,
            &row.webhook_id,
            &row.secret_sealed,
            row.created_at,
            row.ends_at
        )?;
        Ok(())
    }

    /// Sets the end of the secret of a webhook that has none.
    pub async fn end_webhook_secret(&mut self, webhook: &WebhookId, at: Millis) -> Result<()> {
        execute!(
            self,
            "UPDATE webhook_secret SET ends_at = $2 WHERE webhook_id = $1 AND ends_at IS NULL",
            webhook,
            at
        )?;
        Ok(())
    }

    /// Deletes a secret of a webhook.
    pub async fn delete_webhook_secret(&mut self, id: &WebhookSecretId) -> Result<()> {
        execute!(self, "DELETE FROM webhook_secret WHERE id = $1", id)?;
        Ok(())
    }

    /// The secrets of a webhook, newest first.
    pub async fn webhook_secrets(&mut self, webhook: &WebhookId) -> Result<Vec<WebhookSecretRow>> {
        const SQL: &str = "SELECT * FROM webhook_secret WHERE webhook_id = $1 ORDER BY ends_at IS NOT NULL, id DESC";
        Ok(fetch!(self, fetch_all, WebhookSecretRow, SQL, webhook)?)
    }

    /// The cursor of a webhook (the number of the last event that it has looked at), and how many of its deliveries
    /// wait and are dead.
    pub async fn webhook_progress(&mut self, id: &WebhookId) -> Result<(i64, i64, i64)> {
        Ok(fetch!(
            self,
            fetch_one,
            (i64, i64, i64),
            "SELECT c.seq,
                (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook_id = c.webhook_id AND d.state = 'waiting'),
                (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook_id = c.webhook_id AND d.state = 'dead')
             FROM webhook_cursor c WHERE c.webhook_id = $1",
            id
        )?)
    }

    /// Up to `limit` deliveries of a webhook after event number `after`, by number; only those in `state`, if it is
    /// given.
    pub async fn webhook_deliveries(
        &mut self,
        id: &WebhookId,
        state: Option<DeliveryState>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        Ok(fetch_built!(self, Delivery, |q| {
            q.push(
                "SELECT d.seq, d.event_id, d.type, d.subject, d.state, d.attempts, d.behind, d.status, d.error, d.updated_at,
                    CASE WHEN d.state = 'waiting' AND d.behind IS NULL THEN d.next_at END AS next_at
                 FROM (SELECT d.*, e.id AS event_id, e.type, CASE WHEN d.state = 'waiting' THEN
                        (SELECT MIN(f.seq) FROM webhook_delivery f WHERE f.webhook_id = d.webhook_id
                         AND f.subject = d.subject AND f.state = 'waiting' AND f.seq < d.seq) END AS behind
                    FROM webhook_delivery d JOIN event e ON e.seq = d.seq WHERE d.webhook_id = ",
            );
            q.push_bind(id).push(" AND d.seq > ").push_bind(after);
            push_if!(q, state, " AND d.state = ", "");
            q.push(" ORDER BY d.seq LIMIT ").push_bind(limit).push(") d ORDER BY d.seq");
        })?)
    }

    /// The attempts of a webhook that are kept, newest first, and one more than the page holds.
    pub async fn webhook_attempts(&mut self, id: &WebhookId, query: &AttemptQuery) -> Result<Vec<Attempt>> {
        let page = query.page();
        let after = page.cursor.as_deref().map(str::parse::<AttemptId>).transpose();
        let after = after.map_err(|_| Error::new(Code::InvalidCursor, "The cursor is not one that this list gave."))?;
        Ok(fetch_built!(self, Attempt, |q| {
            q.push("SELECT a.id, a.seq, e.type, a.at, a.error = '' AS delivered, a.status, a.millis, a.error");
            q.push(" FROM webhook_attempt a LEFT JOIN event e ON e.seq = a.seq WHERE a.webhook_id = ").push_bind(id);
            push_if!(q, query.event, " AND a.seq = ", "");
            push_if!(q, after.as_ref(), " AND a.id < ", "");
            push_if!(q, query.delivered, " AND (a.error = '') = ", "");
            q.push(" ORDER BY a.id DESC LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Makes a delivery wait for an attempt that is due at once. Returns `false` when there is no such delivery.
    pub async fn revive_delivery(&mut self, id: &WebhookId, seq: i64, now: Millis) -> Result<bool> {
        let revived = execute!(
            self,
            "UPDATE webhook_delivery SET state = 'waiting', attempts = 0, next_at = $3, updated_at = $3
             WHERE webhook_id = $1 AND seq = $2",
            id,
            seq,
            now
        )?;
        Ok(revived > 0)
    }

    /// Asks the host that delivers to begin again after event number `after`.
    pub async fn ask_for_replay(&mut self, id: &WebhookId, after: i64) -> Result<()> {
        execute!(self, "UPDATE webhook_cursor SET replay_after = $2 WHERE webhook_id = $1", id, after)?;
        Ok(())
    }
}

impl From<&WebhookRow> for Webhook {
    fn from(row: &WebhookRow) -> Self {
        Self {
            id: row.id.clone(),
            url: row.url.clone(),
            scope: WebhookScope { kind: row.scope_kind, id: row.scope_id.clone() },
            types: row.types.0.clone(),
            description: row.description.clone(),
            enabled: row.enabled,
            disabled_why: row.disabled_why.clone(),
            created_by: row.created_by.clone(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

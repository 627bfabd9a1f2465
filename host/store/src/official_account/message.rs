//! Template messages, and the bindings by which a member is reached.

use sqlx::types::Json;

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{AccountTemplateName, Digest, MerchantId, ShopMemberId, TemplateMessageId, WechatAppId},
    page::PageQuery,
};
use berth_model::official_account::{
    Candidate, TemplateMessage, TemplateMessageQuery, TemplateMessageState, TriedAccount,
};

use crate::{Tx, execute, fetch, fetch_built, push_if};

/// A template message as it is stored.
#[derive(Clone, Debug, sqlx::FromRow)]
struct MessageRow {
    id: TemplateMessageId,
    merchant_id: MerchantId,
    member_id: ShopMemberId,
    template: AccountTemplateName,
    state: TemplateMessageState,
    app_id: Option<WechatAppId>,
    wechat_id: Option<String>,
    tried: Json<Vec<TriedAccount>>,
    fingerprint: Digest,
    created_at: Millis,
    settled_at: Option<Millis>,
}

/// A template message, and a digest of the request that sent it.
#[derive(Clone, Debug)]
pub struct SentTemplateRow {
    /// The message.
    pub message: TemplateMessage,
    /// The digest of the request.
    pub fingerprint: Digest,
}

impl From<MessageRow> for SentTemplateRow {
    fn from(row: MessageRow) -> Self {
        let message = TemplateMessage {
            id: row.id,
            merchant: row.merchant_id,
            member_id: row.member_id,
            template: row.template,
            state: row.state,
            app_id: row.app_id,
            wechat_id: row.wechat_id,
            tried: row.tried.0,
            created_at: row.created_at,
            settled_at: row.settled_at,
        };
        Self { message, fingerprint: row.fingerprint }
    }
}

fn message(row: MessageRow) -> TemplateMessage {
    SentTemplateRow::from(row).message
}

impl Tx {
    /// The bindings of a member, each with what its account has under the name of a template.
    pub async fn candidates(
        &mut self,
        merchant: &MerchantId,
        member: &ShopMemberId,
        template: &AccountTemplateName,
    ) -> Result<Vec<Candidate>> {
        Ok(fetch!(
            self,
            fetch_all,
            Candidate,
            "SELECT f.id AS fan_id, f.app_id, t.template_id, a.merchant_id IS NOT NULL AS private,
                a.state = 'active' AS active, f.preferred, COALESCE(f.bound_at, 0) AS bound_at
             FROM fan f JOIN official_account a ON a.app_id = f.app_id
             LEFT JOIN account_template t ON t.app_id = f.app_id AND t.name = $3
             WHERE f.merchant_id = $1 AND f.member_id = $2",
            merchant,
            member,
            template
        )?)
    }

    /// Adds a template message. Returns `false` when the merchant has sent one with this key already, also at the same
    /// moment.
    pub async fn insert_template_message(
        &mut self,
        one: &TemplateMessage,
        key: Option<&str>,
        fingerprint: &Digest,
    ) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO template_message (id, merchant_id, member_id, template, state, tried, send_key, fingerprint, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (merchant_id, send_key) DO NOTHING",
            &one.id,
            &one.merchant,
            &one.member_id,
            &one.template,
            one.state,
            Json(&one.tried),
            key,
            fingerprint,
            one.created_at
        )?;
        Ok(added > 0)
    }

    /// The template message that a merchant has sent with this key.
    pub async fn template_message_by_key(
        &mut self,
        merchant: &MerchantId,
        key: &str,
    ) -> Result<Option<SentTemplateRow>> {
        const SQL: &str = "SELECT * FROM template_message WHERE merchant_id = $1 AND send_key = $2";
        Ok(fetch!(self, fetch_optional, MessageRow, SQL, merchant, key)?.map(SentTemplateRow::from))
    }

    /// The template message of a merchant with this id.
    pub async fn template_message(
        &mut self,
        merchant: &MerchantId,
        id: &TemplateMessageId,
    ) -> Result<Option<TemplateMessage>> {
        const SQL: &str = "SELECT * FROM template_message WHERE id = $1 AND merchant_id = $2";
        Ok(fetch!(self, fetch_optional, MessageRow, SQL, id, merchant)?.map(message))
    }

    /// A page of the template messages of a merchant that match, newest first, and one more than the page holds.
    pub async fn template_messages_of(
        &mut self,
        merchant: &MerchantId,
        query: &TemplateMessageQuery,
        page: &PageQuery,
    ) -> Result<Vec<TemplateMessage>> {
        let state = query.state.map(TemplateMessageState::as_str);
        let rows = fetch_built!(self, MessageRow, |q| {
            q.push("SELECT * FROM template_message m WHERE m.merchant_id = ").push_bind(merchant);
            q.push(" AND m.id < ").push_bind(page.before());
            push_if!(q, &query.member_id, " AND m.member_id = ", "");
            push_if!(q, state, " AND m.state = ", "");
            q.push(" ORDER BY m.id DESC LIMIT ").push_bind(page.limit() + 1);
        })?;
        Ok(rows.into_iter().map(message).collect())
    }

    /// Stores what became of a template message that is being sent. Returns `false` when that is known already.
    pub async fn settle_template_message(&mut self, one: &TemplateMessage) -> Result<bool> {
        let settled = execute!(
            self,
            "UPDATE template_message SET state = $2, app_id = $3, wechat_id = $4, tried = $5, settled_at = $6
             WHERE id = $1 AND state = 'sending'",
            &one.id,
            one.state,
            &one.app_id,
            &one.wechat_id,
            Json(&one.tried),
            one.settled_at
        )?;
        Ok(settled > 0)
    }

    /// Template messages that have been sending since before this time, at most `limit`.
    pub async fn template_messages_stuck(&mut self, before: Millis, limit: i64) -> Result<Vec<TemplateMessage>> {
        const SQL: &str =
            "SELECT * FROM template_message WHERE state = 'sending' AND created_at < $1 ORDER BY created_at LIMIT $2";
        Ok(fetch!(self, fetch_all, MessageRow, SQL, before, limit)?.into_iter().map(message).collect())
    }
}

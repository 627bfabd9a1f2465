//! Message templates of MiniApps, consents of users, and messages.

use super::{Tx, execute, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, HostAppId, MessageTemplateId, MiniAppId, UserMessageId},
    page::PageQuery,
};
use berth_model::{
    message::{MessageTemplate, UserMessage, public_template},
    user::{OpenId, User},
};

/// A message template as it is stored.
#[derive(sqlx::FromRow)]
struct TemplateRow {
    id: MessageTemplateId,
    mini_app_id: MiniAppId,
    template: String,
    keywords: String,
    created_at: Millis,
    created_by: String,
}

impl TemplateRow {
    fn whole(self) -> Result<MessageTemplate> {
        let public = public_template(&self.template)?;
        let numbers: Vec<u8> = self.keywords.split(',').filter_map(|number| number.parse().ok()).collect();
        let made = (self.created_at, self.created_by);
        Ok(MessageTemplate::of(self.id, self.mini_app_id, public, public.choose(&numbers)?, made))
    }
}

/// What a user has allowed for a template.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct ConsentRow {
    /// The consents that are left; of a long-term template 1 while it holds.
    pub allowed: i64,
    /// The minutes by which the user's clock is ahead of UTC.
    pub utc_offset: i64,
}

/// A message, and a digest of the request that sent it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SentRow {
    /// The message.
    #[sqlx(flatten)]
    pub message: UserMessage,
    /// The digest of the request.
    pub fingerprint: Digest,
}

impl Tx {
    /// Adds a template to those of a MiniApp. Returns the error of the database, by which callers recognise that it is there.
    pub async fn insert_message_template(&mut self, one: &MessageTemplate) -> sqlx::Result<()> {
        let numbers: Vec<_> = one.keywords.iter().map(|keyword| keyword.number.to_string()).collect();
        execute!(
            self,
            "INSERT INTO message_template (id, mini_app_id, template, keywords, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &one.id,
            &one.mini_app,
            &one.template,
            numbers.join(","),
            one.created_at,
            &one.created_by
        )
        .map(drop)
    }

    /// The templates of a MiniApp, newest first.
    pub async fn message_templates(&mut self, mini_app: &MiniAppId) -> Result<Vec<MessageTemplate>> {
        const SQL: &str = "SELECT * FROM message_template WHERE mini_app_id = $1 ORDER BY id DESC";
        fetch!(self, fetch_all, TemplateRow, SQL, mini_app)?.into_iter().map(TemplateRow::whole).collect()
    }

    /// The template of a MiniApp with this id.
    pub async fn message_template(
        &mut self,
        mini_app: &MiniAppId,
        id: &MessageTemplateId,
    ) -> Result<Option<MessageTemplate>> {
        const SQL: &str = "SELECT * FROM message_template WHERE id = $1 AND mini_app_id = $2";
        fetch!(self, fetch_optional, TemplateRow, SQL, id, mini_app)?.map(TemplateRow::whole).transpose()
    }

    /// Deletes a template, and with it what users have allowed for it.
    pub async fn delete_message_template(&mut self, id: &MessageTemplateId) -> Result<()> {
        execute!(self, "DELETE FROM message_template WHERE id = $1", id)?;
        Ok(())
    }

    /// The user of a MiniApp who has this OpenID.
    pub async fn user_of(&mut self, open_id: &OpenId, mini_app: &MiniAppId) -> Result<Option<User>> {
        let row = fetch!(
            self,
            fetch_optional,
            (HostAppId, String),
            "SELECT host_app_id, account FROM mini_app_user WHERE open_id_sha256 = $1 AND mini_app_id = $2",
            open_id.digest(),
            mini_app
        )?;
        Ok(row.map(|(host_app, account)| User { host_app, account }))
    }

    /// Records a consent: one message more, or with `lasting` messages until it is withdrawn.
    pub async fn add_consent(
        &mut self,
        template: &MessageTemplateId,
        open_id: &OpenId,
        lasting: bool,
        utc_offset: i64,
    ) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO subscription (template_id, open_id_sha256, allowed, day, pushes, utc_offset, updated_at)
             VALUES ($1, $2, 1, 0, 0, $4, $5)
             ON CONFLICT (template_id, open_id_sha256) DO UPDATE SET
                allowed = CASE WHEN $3 THEN 1 ELSE subscription.allowed + 1 END,
                utc_offset = excluded.utc_offset, updated_at = excluded.updated_at",
            template,
            open_id.digest(),
            lasting,
            utc_offset,
            now
        )?;
        Ok(())
    }

    /// Withdraws what a user has allowed for a template. How many messages they have got today stays known.
    pub async fn withdraw_consent(&mut self, template: &MessageTemplateId, open_id: &OpenId) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "UPDATE subscription SET allowed = 0, updated_at = $3 WHERE template_id = $1 AND open_id_sha256 = $2",
            template,
            open_id.digest(),
            now
        )?;
        Ok(())
    }

    /// What a user has allowed, by template; nothing for those that they were never asked about.
    pub async fn consents_of(&mut self, open_id: &OpenId) -> Result<Vec<(MessageTemplateId, i64)>> {
        const SQL: &str = "SELECT template_id, allowed FROM subscription WHERE open_id_sha256 = $1";
        Ok(fetch!(self, fetch_all, (MessageTemplateId, i64), SQL, open_id.digest())?)
    }

    /// What a user has allowed for a template.
    pub async fn consent(&mut self, template: &MessageTemplateId, open_id: &OpenId) -> Result<Option<ConsentRow>> {
        const SQL: &str = "SELECT allowed, utc_offset FROM subscription WHERE template_id = $1 AND open_id_sha256 = $2";
        Ok(fetch!(self, fetch_optional, ConsentRow, SQL, template, open_id.digest())?)
    }

    /// Uses one consent to a one-time template up. Returns `false` when none is left: of two who try the last one, one gets
    /// it.
    pub async fn use_consent(&mut self, template: &MessageTemplateId, open_id: &OpenId) -> Result<bool> {
        let used = execute!(
            self,
            "UPDATE subscription SET allowed = allowed - 1
             WHERE template_id = $1 AND open_id_sha256 = $2 AND allowed > 0",
            template,
            open_id.digest()
        )?;
        Ok(used > 0)
    }

    /// Counts a message of a long-term template on this day of the user. Returns `false` when the consent does not hold, or
    /// the user has had `most` that day. A day that is earlier than the last one, after a journey, counts as that.
    pub async fn count_push(
        &mut self,
        template: &MessageTemplateId,
        open_id: &OpenId,
        day: i64,
        most: i64,
    ) -> Result<bool> {
        let counted = execute!(
            self,
            "UPDATE subscription SET pushes = CASE WHEN day < $3 THEN 1 ELSE pushes + 1 END,
                day = CASE WHEN day < $3 THEN $3 ELSE day END
             WHERE template_id = $1 AND open_id_sha256 = $2 AND allowed > 0 AND (day < $3 OR pushes < $4)",
            template,
            open_id.digest(),
            day,
            most
        )?;
        Ok(counted > 0)
    }

    /// Adds a message. Returns `false` when the MiniApp has sent one with this key already, also at the same moment.
    pub async fn insert_message(
        &mut self,
        message: &UserMessage,
        open_id: &OpenId,
        key: Option<&str>,
        fingerprint: &Digest,
    ) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO message (id, mini_app_id, host_app_id, template_id, open_id_sha256, state, reason, sent_at,
                send_key, fingerprint)
             VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9) ON CONFLICT (mini_app_id, send_key) DO NOTHING",
            &message.id,
            &message.mini_app,
            &message.host_app,
            &message.template,
            open_id.digest(),
            message.state,
            message.sent_at,
            key,
            fingerprint
        )?;
        Ok(added > 0)
    }

    /// The message that a MiniApp has sent with this key.
    pub async fn message_by_key(&mut self, mini_app: &MiniAppId, key: &str) -> Result<Option<SentRow>> {
        const SQL: &str = "SELECT * FROM message WHERE mini_app_id = $1 AND send_key = $2";
        Ok(fetch!(self, fetch_optional, SentRow, SQL, mini_app, key)?)
    }

    /// The message of a MiniApp with this id.
    pub async fn message(&mut self, mini_app: &MiniAppId, id: &UserMessageId) -> Result<Option<UserMessage>> {
        const SQL: &str = "SELECT * FROM message WHERE id = $1 AND mini_app_id = $2";
        Ok(fetch!(self, fetch_optional, UserMessage, SQL, id, mini_app)?)
    }

    /// A page of the messages of a MiniApp, newest first, and one more than the page holds.
    pub async fn messages_of(&mut self, mini_app: &MiniAppId, page: &PageQuery) -> Result<Vec<UserMessage>> {
        const SQL: &str = "SELECT * FROM message WHERE mini_app_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        Ok(fetch!(self, fetch_all, UserMessage, SQL, mini_app, page.before(), page.limit() + 1)?)
    }

    /// Locks the message for a user of this host app until the transaction ends, so that reports come one after the other.
    pub async fn hold_message(&mut self, host_app: &HostAppId, id: &UserMessageId) -> Result<Option<UserMessage>> {
        const SQL: &str = "UPDATE message SET state = state WHERE id = $1 AND host_app_id = $2 RETURNING *";
        Ok(fetch!(self, fetch_optional, UserMessage, SQL, id, host_app)?)
    }

    /// Stores what became of a message.
    pub async fn set_message_state(&mut self, message: &UserMessage) -> Result<()> {
        execute!(
            self,
            "UPDATE message SET state = $2, reason = $3, shown_at = $4, opened_at = $5, refused_at = $6 WHERE id = $1",
            &message.id,
            message.state,
            &message.reason,
            message.shown_at,
            message.opened_at,
            message.refused_at
        )?;
        Ok(())
    }
}

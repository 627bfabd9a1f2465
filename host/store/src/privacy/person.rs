//! What a user of a host app has left behind in MiniApps, to be exported and erased.

use sqlx::types::Json;

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, MessageTemplateId, MiniAppId, UserMessageId},
};
use berth_model::{
    idempotency::About,
    message::{MessageToShow, UserMessage, public_template},
    privacy::{SubscriptionHeld, UserErased},
    user::User,
};

use crate::{Tx, execute, fetch};

/// A user of one MiniApp.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KnownUser {
    /// The hash of the OpenID.
    pub open_id_sha256: Digest,
    /// The MiniApp.
    pub mini_app_id: MiniAppId,
    /// Whether there is a session key.
    pub has_session: bool,
    /// When the user has last logged in; 0 for never.
    pub session_at: Millis,
    /// Since when the user is known.
    pub created_at: Millis,
}

/// What a user allows of a template.
#[derive(sqlx::FromRow)]
struct HeldRow {
    template_id: MessageTemplateId,
    template: String,
    allowed: i64,
    utc_offset: i64,
    updated_at: Millis,
}

/// A number and data of the event `message.sent`.
type Sent = (i64, Json<MessageToShow>);

impl Tx {
    /// The MiniApps of which an account is a user, by id; of `mini_app` alone if one is named.
    pub async fn known_users(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<Vec<KnownUser>> {
        Ok(fetch!(
            self,
            fetch_all,
            KnownUser,
            "SELECT open_id_sha256, mini_app_id, session_key_sealed IS NOT NULL AS has_session, session_at, created_at
             FROM mini_app_user WHERE host_app_id = $1 AND account = $2 AND mini_app_id = COALESCE($3, mini_app_id)
             ORDER BY mini_app_id",
            &user.host_app,
            &user.account,
            mini_app
        )?)
    }

    /// What a user has been asked about subscription messages.
    pub async fn subscriptions_held(&mut self, user: &KnownUser) -> Result<Vec<SubscriptionHeld>> {
        let rows = fetch!(
            self,
            fetch_all,
            HeldRow,
            "SELECT s.template_id, t.template, s.allowed, s.utc_offset, s.updated_at FROM subscription s
             JOIN message_template t ON t.id = s.template_id WHERE s.open_id_sha256 = $1 ORDER BY s.template_id",
            &user.open_id_sha256
        )?;
        let held = |row: HeldRow| {
            let HeldRow { template_id: template, allowed, utc_offset, updated_at, .. } = row;
            let title = public_template(&row.template)?.title.clone();
            Ok(SubscriptionHeld { template, title, allowed, utc_offset, updated_at })
        };
        rows.into_iter().map(held).collect()
    }

    /// The messages to a user, oldest first.
    pub async fn messages_held(&mut self, user: &KnownUser) -> Result<Vec<UserMessage>> {
        const SQL: &str = "SELECT * FROM message WHERE open_id_sha256 = $1 ORDER BY id";
        Ok(fetch!(self, fetch_all, UserMessage, SQL, &user.open_id_sha256)?)
    }

    /// The events that name a user and say what a message said, oldest first; of `mini_app` alone if one is named.
    pub async fn messages_told(
        &mut self,
        user: &User,
        mini_app: Option<&MiniAppId>,
    ) -> Result<Vec<(i64, MessageToShow)>> {
        let rows = fetch!(
            self,
            fetch_all,
            Sent,
            "SELECT seq, data FROM event WHERE type = 'message.sent' AND data ->> 'account' = $1 AND host_app_id = $2
             ORDER BY seq",
            &user.account,
            &user.host_app
        )?;
        let told = rows.into_iter().map(|(seq, data)| (seq, data.0));
        Ok(told.filter(|(_, data)| mini_app.is_none_or(|id| data.mini_app == *id)).collect())
    }

    /// Deletes what a user has left behind, and takes the user out of events. Whoever writes for the user at the same time
    /// is waited for, or finds the user gone.
    ///
    /// Login codes go first: who exchanges one now has it, and is waited for, and what comes of it goes next: sign-ons,
    /// what came from those, and users. Answers that are kept for an Idempotency-Key go with the account, the OpenID or the
    /// message that they were asked about.
    pub async fn erase_user(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<UserErased> {
        let mut erased = UserErased::default();
        let codes = self.end_login_codes(user, mini_app).await?;
        erased.login_codes = codes.len() as u64;
        erased.mini_apps.extend(codes);
        let (sign_ons, more) = self.end_sign_ons(user, mini_app).await?;
        erased.sign_ons = sign_ons + more;
        for known in self.hold_users(user, mini_app).await? {
            self.erase_known(&known, &mut erased).await?;
        }
        self.erase_answers(&About::account(user), mini_app).await?;
        for (seq, message) in self.messages_told(user, mini_app).await? {
            erased.mini_apps.insert(message.mini_app.clone());
            erased.events += execute!(self, "UPDATE event SET data = $2 WHERE seq = $1", seq, Json(message.erased()))?;
        }
        Ok(erased)
    }

    /// Locks the users of MiniApps that an account is, in one order.
    async fn hold_users(&mut self, user: &User, mini_app: Option<&MiniAppId>) -> Result<Vec<KnownUser>> {
        let mut held = Vec::new();
        for known in self.known_users(user, mini_app).await? {
            const SQL: &str = "UPDATE mini_app_user SET account = account WHERE open_id_sha256 = $1
                RETURNING open_id_sha256, mini_app_id, session_key_sealed IS NOT NULL AS has_session, session_at, created_at";
            held.extend(fetch!(self, fetch_optional, KnownUser, SQL, &known.open_id_sha256)?);
        }
        Ok(held)
    }

    async fn erase_known(&mut self, user: &KnownUser, erased: &mut UserErased) -> Result<()> {
        let open_id = &user.open_id_sha256;
        erased.privacy_consents += execute!(self, "DELETE FROM privacy_consent WHERE open_id_sha256 = $1", open_id)?;
        erased.subscriptions += execute!(self, "DELETE FROM subscription WHERE open_id_sha256 = $1", open_id)?;
        // After the consents: who sends a message has locked one of them, and is waited for.
        const MESSAGES: &str = "DELETE FROM message WHERE open_id_sha256 = $1 RETURNING id";
        let messages = fetch!(self, fetch_all, (UserMessageId,), MESSAGES, open_id)?;
        for (message,) in &messages {
            self.erase_answers(&About::message(message), None).await?;
        }
        erased.messages += messages.len() as u64;
        self.erase_answers(open_id, None).await?;
        erased.links += execute!(
            self,
            "DELETE FROM identity_link WHERE partner_open_id_sha256 = $1 OR open_id_sha256 = $1",
            open_id
        )?;
        erased.links += self.erase_links_through(open_id, &user.mini_app_id).await?;
        erased.recognitions += self.erase_recognitions(open_id).await?;
        erased.login_bindings += self.erase_bindings(open_id).await?;
        execute!(self, "DELETE FROM mini_app_user WHERE open_id_sha256 = $1", open_id)?;
        erased.session_keys += u64::from(user.has_session);
        erased.mini_apps.insert(user.mini_app_id.clone());
        Ok(())
    }
}

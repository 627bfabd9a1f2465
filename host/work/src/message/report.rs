//! What becomes of messages.

use std::time::Duration;

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MiniAppId, UserMessageId},
    page::Page,
    text,
};
use berth_model::{
    access::{Action, Caller},
    app_secret::MiniAppServer,
    event::kind,
    message::{MessageQuery, MessageReport, MessageState, UserMessage},
};
use berth_store::{Db, Expiring};

use crate::{beat, forget::expired, host_app, mini_app};

/// For how many days messages are kept, and with them the keys by which they were sent once.
const KEPT_DAYS: i64 = 90;
/// The pause between two looks for old messages.
const EVERY: Duration = Duration::from_secs(3600);

/// One message of the MiniApp whose server asks.
///
/// # Errors
/// `not-found`, also for messages of others.
pub async fn get(db: &Db, server: &MiniAppServer, id: &UserMessageId) -> Result<UserMessage> {
    let message = db.read().await?.message(&server.mini_app, id).await?;
    message.ok_or_else(|| Error::not_found("message", id))
}

/// A page of the messages of a MiniApp, newest first, for a caller who may read it: when, and what became of them, not what
/// they say and to whom.
pub async fn list(db: &Db, caller: &Caller, id: &MiniAppId, query: &MessageQuery) -> Result<Page<UserMessage>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let page = query.page();
    let items = tx.messages_of(id, &page).await?;
    Ok(Page::of(items, &page, |message| message.id.to_string()))
}

/// Takes a report of the host app about a message to one of its users (M8).
///
/// # Errors
/// `message-state` when it contradicts an earlier one; `not-found`; `missing-grant` for all but the server and the admins of
/// the host app; `invalid-field` for the reason.
#[tracing::instrument(name = "message.report", skip_all, fields(host_app = %host_app, message = %id))]
pub async fn report(
    db: &Db,
    caller: &Caller,
    host_app: &HostAppId,
    id: &UserMessageId,
    report: MessageReport,
) -> Result<UserMessage> {
    let mut tx = db.begin().await?;
    host_app::authorise(&mut tx, caller, host_app, Action::Vouch).await?;
    let mut message = tx.hold_message(host_app, id).await?.ok_or_else(|| Error::not_found("message", id))?;
    let Some(state) = message.state.after(report.state)? else { return Ok(message) };
    let now = Some(tx.now());
    let told = match state {
        MessageState::Sent => return Ok(message),
        MessageState::Shown => {
            message.shown_at = now;
            kind::MESSAGE_SHOWN
        }
        MessageState::Opened => {
            message.shown_at = message.shown_at.or(now);
            message.opened_at = now;
            kind::MESSAGE_OPENED
        }
        MessageState::Refused => {
            message.refused_at = now;
            message.reason = text::prose("reason", &report.reason, 200)?;
            kind::MESSAGE_REFUSED
        }
    };
    message.state = state;
    tx.set_message_state(&message).await?;
    tx.tell(told, id, caller.account.as_str(), &message).for_mini_app(&message.mini_app);
    tx.commit().await?;
    Ok(message)
}

/// Forgets messages that are older than 90 days, every hour, in an endless loop.
pub async fn run_forgetter(db: Db) {
    beat::every(EVERY, "old messages could not be forgotten; later again", || forget(&db)).await;
}

#[tracing::instrument(name = "messages.forget", skip_all)]
async fn forget(db: &Db) -> Result<()> {
    expired(db, &Expiring::MESSAGES, KEPT_DAYS * 86_400).await
}

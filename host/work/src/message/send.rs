//! Sends messages.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MiniAppId, UserMessageId},
    text,
};
use berth_model::{
    app_secret::MiniAppServer,
    event::kind,
    message::{
        MOST_A_DAY, MessageState, MessageTemplate, MessageToShow, SendMessage, SubscriptionKind, UserMessage, day_of,
    },
    user::{OpenId, User},
};
use berth_store::{Db, Tx, message::SentRow};

use crate::user::require_service;

/// Sends a message, and tells the host app of it, in one transaction with the consent that it uses up. With a `key`, the
/// `Idempotency-Key` of the request, it is sent once, however often and at once the request comes (M6).
///
/// # Errors
/// `message-no-consent`, also when there is no such user (F103); `message-quota`; `message-field`; `invalid-field` for the
/// page; `not-found` for the template; `package-off-shelf`; `idempotency-mismatch` for a key that sent another message.
#[tracing::instrument(name = "message.send", skip_all, fields(mini_app = %server.mini_app))]
pub async fn send(db: &Db, server: &MiniAppServer, send: SendMessage, key: Option<&str>) -> Result<UserMessage> {
    let mini_app = &server.mini_app;
    let fingerprint = Digest::of(&serde_json::to_vec(&send).map_err(Error::internal)?);
    let mut tx = db.begin().await?;
    if let Some(earlier) = earlier(&mut tx, mini_app, key, &fingerprint).await? {
        return Ok(earlier);
    }
    let template = tx.message_template(mini_app, &send.template).await?;
    let template = template.ok_or_else(|| Error::not_found("message template", &send.template))?;
    let fields = send.fields(&template)?;
    require_service(&mut tx, mini_app).await?;
    require_page(&mut tx, mini_app, send.page.as_deref()).await?;
    let user = bound_user(&mut tx, mini_app, &send.open_id).await?;
    let message = new_message(&tx, mini_app, &template, &user);
    if !tx.insert_message(&message, &send.open_id, key, &fingerprint).await? {
        // Another request with this key was faster by less than a transaction.
        let earlier = earlier(&mut tx, mini_app, key, &fingerprint).await?;
        return earlier.ok_or_else(|| Error::internal(anyhow::anyhow!("a message is neither new nor there")));
    }
    take_consent(&mut tx, &template, &send.open_id).await?;
    let to_show = MessageToShow {
        id: message.id.clone(),
        mini_app: mini_app.clone(),
        host_app: user.host_app.clone(),
        account: user.account,
        template: template.id,
        kind: template.kind,
        title: template.title,
        fields,
        page: send.page,
        erased: false,
    };
    tx.tell(kind::MESSAGE_SENT, &message.id, mini_app.as_str(), &to_show).for_host_app(&user.host_app);
    tx.commit().await?;
    Ok(message)
}

/// The message that was sent with the key before.
async fn earlier(tx: &mut Tx, id: &MiniAppId, key: Option<&str>, fingerprint: &Digest) -> Result<Option<UserMessage>> {
    let Some(key) = key else { return Ok(None) };
    match tx.message_by_key(id, key).await? {
        Some(SentRow { message, fingerprint: same }) if same == *fingerprint => Ok(Some(message)),
        Some(_) => {
            let detail = "The Idempotency-Key was used for another message. Make a new one for each message.";
            Err(Error::new(Code::IdempotencyMismatch, detail))
        }
        None => Ok(None),
    }
}

/// Refuses a page that the online version does not have. Before a version is online any page may be tried.
async fn require_page(tx: &mut Tx, id: &MiniAppId, page: Option<&str>) -> Result<()> {
    let Some(path) = page else { return Ok(()) };
    text::prose("page", path, 1000)?;
    let Some(online) = tx.online_version(id).await? else { return Ok(()) };
    let page = path.split(['?', '#']).next().unwrap_or_default();
    let pages = &online.manifest.0.pages;
    if pages.iter().any(|one| one == page) {
        return Ok(());
    }
    let known = pages.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let detail = format!("{page:?} is not a page of {}, which is online. It has {known}.", online.number);
    Err(Error::field("page", detail))
}

/// The user with this OpenID, whose host app runs the MiniApp.
async fn bound_user(tx: &mut Tx, id: &MiniAppId, open_id: &OpenId) -> Result<User> {
    let bound = tx.bound_host_apps(id).await?;
    tx.user_of(open_id, id).await?.filter(|user| bound.contains(&user.host_app)).ok_or_else(no_consent)
}

fn new_message(tx: &Tx, mini_app: &MiniAppId, template: &MessageTemplate, user: &User) -> UserMessage {
    UserMessage {
        id: UserMessageId::generate(tx.now(), tx.random()),
        mini_app: mini_app.clone(),
        host_app: user.host_app.clone(),
        template: template.id.clone(),
        state: MessageState::Sent,
        reason: String::new(),
        sent_at: tx.now(),
        shown_at: None,
        opened_at: None,
        refused_at: None,
    }
}

/// Uses a consent up, or counts the message on the user's day (M3).
async fn take_consent(tx: &mut Tx, template: &MessageTemplate, open_id: &OpenId) -> Result<()> {
    if template.kind == SubscriptionKind::OneTime {
        return if tx.use_consent(&template.id, open_id).await? { Ok(()) } else { Err(no_consent()) };
    }
    let consent = tx.consent(&template.id, open_id).await?.filter(|consent| consent.allowed > 0);
    let day = day_of(tx.now(), consent.ok_or_else(no_consent)?.utc_offset);
    if tx.count_push(&template.id, open_id, day, MOST_A_DAY).await? {
        return Ok(());
    }
    let detail = format!(
        "The user has had {MOST_A_DAY} messages of this template today. The next day begins at their midnight."
    );
    Err(Error::new(Code::MessageQuota, detail).with("limit", MOST_A_DAY))
}

fn no_consent() -> Error {
    let detail = "The user allows no message of this template: they were not asked, have withdrawn it, or each consent was \
                  used. Ask again by requestSubscribeMessage.";
    Error::new(Code::MessageNoConsent, detail)
}

//! Sends template messages (S6–S8).
//!
//! A message is recorded before WeChat is asked, and what became of it afterwards. A host that dies in between leaves one of
//! which nobody knows, and it is said so: to send it again by itself could reach the member twice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MerchantId, TemplateMessageId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller},
    event::{Kind, kind},
    official_account::{
        Candidate, SendTemplateMessage, TemplateMessage, TemplateMessageQuery, TemplateMessageState, TriedAccount,
        falls_back, in_order,
    },
};
use berth_store::{Db, Tx, official_account::SentTemplateRow};

use super::{OfficialAccounts, token};
use crate::{
    endpoint::merchant,
    wechat::{Refusal, accounts::Failure, client::NewTemplateMessage},
};

/// Sends a template message to a member, by the binding that the member is reached by. With a `key`, the `Idempotency-Key` of
/// the request, it is sent once, however often and at once the request comes. It is sent to its end when the caller is gone.
///
/// # Errors
/// `no-fan` when the member is bound nowhere, or at no active account that has the template; `invalid-field`; `not-found`;
/// `missing-grant`; `idempotency-mismatch` for a key that sent another message; `unavailable` when the host is ending.
pub async fn send(
    accounts: &Arc<OfficialAccounts>,
    caller: &Caller,
    id: &MerchantId,
    send: SendTemplateMessage,
    key: Option<&str>,
) -> Result<TemplateMessage> {
    send.check()?;
    let (host, caller, id, key) = (accounts.clone(), caller.clone(), id.clone(), key.map(str::to_owned));
    let work = async move { send_whole(&host, &caller, &id, &send, key.as_deref()).await };
    accounts.channels.unbroken.carry(work).await?
}

#[tracing::instrument(name = "template_message.send", skip_all, fields(merchant = %id, template = %send.template))]
async fn send_whole(
    accounts: &OfficialAccounts,
    caller: &Caller,
    id: &MerchantId,
    send: &SendTemplateMessage,
    key: Option<&str>,
) -> Result<TemplateMessage> {
    let fingerprint = Digest::of(&serde_json::to_vec(send).map_err(Error::internal)?);
    let mut tx = accounts.db.begin().await?;
    merchant::authorise(&mut tx, caller, id, Action::Operate).await?;
    if let Some(earlier) = earlier(&mut tx, id, key, &fingerprint).await? {
        return Ok(earlier);
    }
    require_page(accounts, &mut tx, id, send).await?;
    let reached = reached_by(&mut tx, id, send).await?;
    let message = TemplateMessage {
        id: TemplateMessageId::generate(tx.now(), tx.random()),
        merchant: id.clone(),
        member_id: send.member_id.clone(),
        template: send.template.clone(),
        state: TemplateMessageState::Sending,
        app_id: None,
        wechat_id: None,
        tried: vec![],
        created_at: tx.now(),
        settled_at: None,
    };
    if !tx.insert_template_message(&message, key, &fingerprint).await? {
        // Another request with this key was faster by less than a transaction.
        let earlier = earlier(&mut tx, id, key, &fingerprint).await?;
        return earlier.ok_or_else(|| Error::internal(anyhow::anyhow!("a message is neither new nor there")));
    }
    tx.commit().await?;
    let message = try_each(accounts, message, send, reached).await?;
    settle(&accounts.db, caller.account.as_str(), message).await
}

/// The message that was sent with the key before.
async fn earlier(
    tx: &mut Tx,
    id: &MerchantId,
    key: Option<&str>,
    fingerprint: &Digest,
) -> Result<Option<TemplateMessage>> {
    let Some(key) = key else { return Ok(None) };
    match tx.template_message_by_key(id, key).await? {
        Some(SentTemplateRow { message, fingerprint: same }) if same == *fingerprint => Ok(Some(message)),
        Some(_) => {
            let detail = "The Idempotency-Key was used for another message. Make a new one for each message.";
            Err(Error::new(Code::IdempotencyMismatch, detail))
        }
        None => Ok(None),
    }
}

/// Refuses an entry page that there is not, or to which this host could not make a link.
async fn require_page(
    accounts: &OfficialAccounts,
    tx: &mut Tx,
    id: &MerchantId,
    send: &SendTemplateMessage,
) -> Result<()> {
    let Some(page) = &send.page else { return Ok(()) };
    accounts.public_url()?;
    if tx.entry_page(id, page).await?.is_some() {
        return Ok(());
    }
    let refused = Error::field("page", format!("{id} has no entry page of the name {page}."));
    Err(refused.next(format!("berth official-account pages {id}")))
}

/// The bindings by which the message is tried, in their order.
async fn reached_by(tx: &mut Tx, id: &MerchantId, send: &SendTemplateMessage) -> Result<Vec<Candidate>> {
    let bound = tx.candidates(id, &send.member_id, &send.template).await?;
    let merchants = tx.account_move(id).await?.map(|moved| moved.to);
    let why = match bound.len() {
        0 => "is bound at no official account",
        _ => "is bound at no official account that is active and has this template",
    };
    let reached = in_order(bound, merchants.as_ref());
    if reached.is_empty() {
        let detail = format!("The member {} of {id} {why} ({}).", send.member_id, send.template);
        return Err(Error::new(Code::NoFan, detail).next(format!("berth fan list {id} --member {}", send.member_id)));
    }
    Ok(reached)
}

/// Tries one account after the other, as long as the member cannot be reached by the one before.
async fn try_each(
    accounts: &OfficialAccounts,
    mut message: TemplateMessage,
    send: &SendTemplateMessage,
    reached: Vec<Candidate>,
) -> Result<TemplateMessage> {
    message.state = TemplateMessageState::Refused;
    for candidate in reached {
        let app_id = candidate.app_id.clone();
        match send_by(accounts, &message, send, &candidate).await {
            Ok(wechat_id) => {
                message.state = TemplateMessageState::Sent;
                (message.app_id, message.wechat_id) = (Some(app_id), Some(wechat_id));
                break;
            }
            Err(Unsent::Perhaps(reason)) => {
                message.state = TemplateMessageState::Unknown;
                message.app_id = Some(app_id.clone());
                message.tried.push(TriedAccount { app_id, errcode: None, reason });
                break;
            }
            Err(Unsent::Refused(refusal)) => {
                let errcode = refusal.errcode();
                message.tried.push(TriedAccount { app_id, errcode, reason: refusal.to_string() });
                if !falls_back(errcode) {
                    break;
                }
            }
            Err(Unsent::Failed(reason)) => {
                message.tried.push(TriedAccount { app_id, errcode: None, reason });
                break;
            }
        }
    }
    Ok(message)
}

/// Why a message did not go out by an account.
enum Unsent {
    /// WeChat refused it.
    Refused(Refusal),
    /// No answer came: WeChat may have taken it.
    Perhaps(String),
    /// This host could not ask WeChat.
    Failed(String),
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        tracing::warn!(?error, "a template message could not be sent");
        Self::Failed(error.detail)
    }
}

async fn send_by(
    accounts: &OfficialAccounts,
    message: &TemplateMessage,
    send: &SendTemplateMessage,
    candidate: &Candidate,
) -> Result<String, Unsent> {
    let mut tx = accounts.db.read().await?;
    let gone = || Unsent::Failed("the binding was ended meanwhile".into());
    let account = tx.official_account(&candidate.app_id).await?.ok_or_else(gone)?;
    let fan = tx.fan(&candidate.fan_id).await?.ok_or_else(gone)?;
    let open_id = tx.open_id_of_fan(&fan)?;
    drop(tx);
    let page = send.page.as_ref().map(|page| {
        let here = accounts.public_url.as_deref().unwrap_or_default();
        format!("{here}/w/{}/{}/{page}", account.app_id, message.merchant)
    });
    let new = NewTemplateMessage {
        open_id: open_id.as_str(),
        template_id: candidate.template_id.as_deref().unwrap_or_default(),
        url: page.as_deref().or(send.url.as_deref()),
        data: &send.data,
        id: message.id.as_str(),
    };
    // Whether WeChat was handed the message and did not answer. Without a token nothing was handed over.
    let unanswered = AtomicBool::new(false);
    let (new, unanswered, client) = (&new, &unanswered, &accounts.client);
    let call = |token| async move {
        let answer = client.send_template(&token, new).await;
        unanswered.store(matches!(answer, Err(Refusal::Unreachable(_))), Ordering::Relaxed);
        answer
    };
    match token::with_access(accounts, &account, call).await {
        Ok(wechat_id) => Ok(wechat_id),
        Err(Failure::Refused(Refusal::Unreachable(why))) if unanswered.load(Ordering::Relaxed) => {
            Err(Unsent::Perhaps(format!("WeChat gave no answer: {why}")))
        }
        Err(Failure::Refused(refusal)) => Err(Unsent::Refused(refusal)),
        Err(Failure::Host(error)) => Err(error.into()),
    }
}

/// Records what became of a message, and tells of it. When it is known already, that stays.
pub(super) async fn settle(db: &Db, actor: &str, mut message: TemplateMessage) -> Result<TemplateMessage> {
    let mut tx = db.begin().await?;
    message.settled_at = Some(tx.now());
    if !tx.settle_template_message(&message).await? {
        let settled = tx.template_message(&message.merchant, &message.id).await?;
        return settled.ok_or_else(|| Error::not_found("template message", &message.id));
    }
    tx.tell(told(message.state), &message.id, actor, &message).for_merchant(&message.merchant);
    tx.commit().await?;
    Ok(message)
}

fn told(state: TemplateMessageState) -> Kind<TemplateMessage> {
    match state {
        TemplateMessageState::Sent => kind::TEMPLATE_MESSAGE_SENT,
        TemplateMessageState::Refused => kind::TEMPLATE_MESSAGE_REFUSED,
        TemplateMessageState::Sending | TemplateMessageState::Unknown => kind::TEMPLATE_MESSAGE_UNKNOWN,
    }
}

/// One template message of a merchant.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn get(db: &Db, caller: &Caller, id: &MerchantId, message: &TemplateMessageId) -> Result<TemplateMessage> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    let found = tx.template_message(id, message).await?;
    found.ok_or_else(|| Error::not_found("template message", message))
}

/// One page of the template messages of a merchant that the query asks for, newest first.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn list(
    db: &Db,
    caller: &Caller,
    id: &MerchantId,
    query: &TemplateMessageQuery,
) -> Result<Page<TemplateMessage>> {
    let mut tx = db.read().await?;
    merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    let page = query.page();
    let items = tx.template_messages_of(id, query, &page).await?;
    Ok(Page::of(items, &page, |message| message.id.to_string()))
}

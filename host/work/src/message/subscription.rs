//! Consents of users, as the host app's server tells them (M3, M4).

use std::collections::BTreeMap;

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MessageTemplateId, MiniAppId},
};
use berth_model::{
    access::Caller,
    message::{
        AskSubscription, MessageTemplate, Subscribe, Subscription, SubscriptionKind, SubscriptionQuery,
        SubscriptionRequest, Withdraw, kept,
    },
    user::OpenId,
};
use berth_store::{Db, Tx};

use crate::user::{open_id, vouched};

/// What the host app is to ask its user, when a MiniApp calls `requestSubscribeMessage`.
///
/// # Errors
/// `message-kinds-mixed`; `invalid-field` for the number of templates; `not-found` for a template of another MiniApp, and as
/// for a login code.
pub async fn ask(db: &Db, caller: &Caller, id: &HostAppId, ask: AskSubscription) -> Result<SubscriptionRequest> {
    let mut tx = db.read().await?;
    let user = vouched(&mut tx, caller, id, &ask.mini_app, &ask.account).await?;
    let open_id = open_id::find(&mut tx, &ask.mini_app, &user).await?;
    let asked = named(&mut tx, &ask.mini_app, &ask.templates).await?;
    let (kept, dropped) = kept("templates", asked)?;
    let items = with_consents(&mut tx, kept, open_id.as_ref()).await?;
    Ok(SubscriptionRequest { items, dropped })
}

async fn named(tx: &mut Tx, mini_app: &MiniAppId, ids: &[MessageTemplateId]) -> Result<Vec<MessageTemplate>> {
    let known = tx.message_templates(mini_app).await?;
    let find = |id: &MessageTemplateId| known.iter().find(|one| one.id == *id).cloned();
    ids.iter().map(|id| find(id).ok_or_else(|| Error::not_found("message template", id))).collect()
}

async fn with_consents(
    tx: &mut Tx,
    templates: Vec<MessageTemplate>,
    open_id: Option<&OpenId>,
) -> Result<Vec<Subscription>> {
    let consents = match open_id {
        Some(open_id) => tx.consents_of(open_id).await?,
        None => Vec::new(),
    };
    let consents: BTreeMap<_, _> = consents.into_iter().collect();
    let of = |one: MessageTemplate| {
        let allowed = consents.get(&one.id).copied().unwrap_or(0);
        Subscription { template: one.id, kind: one.kind, title: one.title, preview: one.preview, allowed }
    };
    Ok(templates.into_iter().map(of).collect())
}

/// Records what a user has answered, and returns what is allowed now.
///
/// # Errors
/// As for [`ask`].
#[tracing::instrument(name = "subscription.record", skip_all, fields(host_app = %id, mini_app = %said.mini_app))]
pub async fn subscribe(db: &Db, caller: &Caller, id: &HostAppId, said: Subscribe) -> Result<Vec<Subscription>> {
    said.check()?;
    let mut tx = db.begin().await?;
    let user = vouched(&mut tx, caller, id, &said.mini_app, &said.account).await?;
    let open_id = open_id::make(&mut tx, &said.mini_app, &user).await?;
    let ids: Vec<_> = said.answers.iter().map(|answer| answer.template.clone()).collect();
    let (mut kept, _) = kept("answers", named(&mut tx, &said.mini_app, &ids).await?)?;
    tx.note_user(&open_id, &said.mini_app, &user).await?;
    // In one order, so that two answers of one user never wait for each other.
    kept.sort_by(|one, other| one.id.cmp(&other.id));
    for one in &kept {
        let accept = said.answers.iter().find(|answer| answer.template == one.id).is_some_and(|answer| answer.accept);
        let lasting = one.kind == SubscriptionKind::LongTerm;
        if accept {
            tx.add_consent(&one.id, &open_id, lasting, said.utc_offset).await?;
        } else if lasting {
            tx.withdraw_consent(&one.id, &open_id).await?;
        }
    }
    let items = with_consents(&mut tx, kept, Some(&open_id)).await?;
    tx.commit().await?;
    Ok(items)
}

/// What a user has allowed a MiniApp, for the page on which they look after it.
///
/// # Errors
/// As for a login code.
pub async fn subscriptions(
    db: &Db,
    caller: &Caller,
    id: &HostAppId,
    query: &SubscriptionQuery,
) -> Result<Vec<Subscription>> {
    let mut tx = db.read().await?;
    let user = vouched(&mut tx, caller, id, &query.mini_app, &query.account).await?;
    let open_id = open_id::find(&mut tx, &query.mini_app, &user).await?;
    let templates = tx.message_templates(&query.mini_app).await?;
    let items = with_consents(&mut tx, templates, open_id.as_ref()).await?;
    Ok(items.into_iter().filter(|one| one.allowed > 0).collect())
}

/// Withdraws what a user has allowed, for one template or for all of a MiniApp. What was sent stays sent.
///
/// # Errors
/// `not-found` for a template of another MiniApp, and as for a login code.
#[tracing::instrument(name = "subscription.withdraw", skip_all, fields(host_app = %id, mini_app = %withdraw.mini_app))]
pub async fn withdraw(db: &Db, caller: &Caller, id: &HostAppId, withdraw: Withdraw) -> Result<()> {
    let mut tx = db.begin().await?;
    let user = vouched(&mut tx, caller, id, &withdraw.mini_app, &withdraw.account).await?;
    let mut templates = match &withdraw.template {
        Some(template) => named(&mut tx, &withdraw.mini_app, std::slice::from_ref(template)).await?,
        None => tx.message_templates(&withdraw.mini_app).await?,
    };
    templates.sort_by(|one, other| one.id.cmp(&other.id));
    let Some(open_id) = open_id::find(&mut tx, &withdraw.mini_app, &user).await? else { return Ok(()) };
    for one in templates {
        tx.withdraw_consent(&one.id, &open_id).await?;
    }
    tx.commit().await
}

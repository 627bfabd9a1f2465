//! Webhooks: addresses to which events are sent. Each belongs to a scope and gets the events of that scope.

mod change;
mod deliveries;
pub mod secret;

pub use berth_model::event::webhook::*;
pub use change::{about, create, delete, disable, edit, rotate};
pub use deliveries::{attempts, deliveries, ping, replay, replay_delivery};

use berth_base::{
    error::{Error, Result},
    ids::WebhookId,
    page::{Page, PageQuery},
};
use berth_model::{
    access::{Action, Caller, Scope, TokenScope},
    event::Kind,
};
use berth_store::{Db, NewEvent, Tx, WebhookRow};
use serde::Serialize;

/// The webhook and its scope, when the caller may do `action` to it.
async fn authorise(tx: &mut Tx, caller: &Caller, id: &WebhookId, action: Action) -> Result<(WebhookRow, Scope)> {
    let row = tx.webhook(id).await?;
    permit(row, caller, id, action)
}

/// As [`authorise`] for a change: the webhook is locked until the transaction ends.
async fn hold(tx: &mut Tx, caller: &Caller, id: &WebhookId) -> Result<(WebhookRow, Scope)> {
    let row = tx.hold_webhook(id).await?;
    permit(row, caller, id, Action::Configure)
}

fn permit(row: Option<WebhookRow>, caller: &Caller, id: &WebhookId, action: Action) -> Result<(WebhookRow, Scope)> {
    let hidden = || Error::not_found("webhook", id);
    let row = row.ok_or_else(hidden)?;
    let scope = Scope::parse(row.scope_kind, &row.scope_id)?;
    if !caller.knows(&scope) {
        return Err(hidden());
    }
    caller.require(action, &scope)?;
    Ok((row, scope))
}

/// Emits an event about a webhook to those who may know of it.
fn tell<'a, T: Serialize>(
    tx: &'a mut Tx,
    kind: Kind<T>,
    scope: &Scope,
    id: &WebhookId,
    actor: &str,
    data: &T,
) -> &'a mut NewEvent {
    let event = tx.tell(kind, id, actor, data);
    match scope {
        Scope::HostApp(id) => event.for_host_app(id),
        Scope::Merchant(id) => event.for_merchant(id),
        Scope::Workspace(id) => event.for_workspace(id),
        Scope::Platform | Scope::Team(_) => event,
    }
}

/// One webhook with the progress of its deliveries.
pub async fn get(db: &Db, caller: &Caller, id: &WebhookId) -> Result<WebhookDetail> {
    let mut tx = db.read().await?;
    let (row, _) = authorise(&mut tx, caller, id, Action::Read).await?;
    let (up_to, waiting, dead) = tx.webhook_progress(id).await?;
    Ok(WebhookDetail { webhook: Webhook::from(&row), up_to, last: tx.last_event().await?, waiting, dead })
}

/// One page of the webhooks of the scopes that the caller may read, ordered by id.
pub async fn list(db: &Db, caller: &Caller, query: &PageQuery) -> Result<Page<Webhook>> {
    caller.require_scope(TokenScope::Read)?;
    let rows = db.read().await?.webhooks_known_to(caller, query).await?;
    let page = Page::of(rows, query, |row| row.id.to_string());
    Ok(Page { items: page.items.iter().map(Webhook::from).collect(), next: page.next })
}

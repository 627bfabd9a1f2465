//! Webhooks: addresses to which events are sent. Each belongs to a scope and gets the events of that scope.

mod change;
mod deliveries;
pub mod secret;

pub use change::{EditWebhook, NewWebhook, RotateSecret, about, create, delete, disable, edit, rotate};
pub use deliveries::{
    Delivery, DeliveryQuery, DeliveryState, Ping, Replay, WebhookPing, WebhookReplayed, deliveries, ping, replay,
    replay_delivery,
};

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Caller, Scope, ScopeKind, TokenScope},
    clock::Millis,
    error::{Error, Result},
    event::Kind,
    ids::WebhookId,
    page::{Page, PageQuery},
    store::{Db, Tx, WebhookRow},
};

/// How many types one webhook may list.
const MAX_TYPES: usize = 100;

/// The scope that a webhook belongs to. It gets the events that members of the scope may read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookScope {
    /// `platform` gets every event, `team` those of its MiniApps, `host_app` and `merchant` their own.
    pub kind: ScopeKind,
    /// The id of what the scope covers; absent for the platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

/// An address to which events are sent.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Webhook {
    /// Its id, which never changes.
    pub id: WebhookId,
    /// The address to which events are POSTed.
    pub url: String,
    /// The scope that it belongs to.
    pub scope: WebhookScope,
    /// The types that it gets, exact or with a star (`version.*`); all of them when empty.
    pub types: Vec<String>,
    /// A description for people.
    pub description: String,
    /// Whether events are delivered now. What happens while it is disabled is delivered once it is enabled again, as
    /// far as the host still has it: where old events are deleted (`--keep-events-days`), they are kept for enabled
    /// webhooks only. `up_to` tells how far this one is; `GET /v1/events?after={up_to}` answers `events-gone` when
    /// events that it missed are deleted.
    pub enabled: bool,
    /// Why Berth disabled it; absent when it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub disabled_why: String,
    /// The account that created it.
    pub created_by: String,
    /// When it was created.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

/// A webhook with its secret, which is shown this once.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// The secret that signs messages, `whsec_…`. It cannot be shown again.
    pub secret: String,
}

/// A webhook with the progress of its deliveries.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct WebhookDetail {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// Every event up to this number is delivered, not wanted, waiting or dead.
    pub up_to: i64,
    /// The number of the last event of the host.
    pub last: i64,
    /// The number of deliveries that wait for their next try.
    pub waiting: i64,
    /// The number of deliveries that were given up.
    pub dead: i64,
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

/// Whether a list of types, exact or ending in `.*`, contains the type `kind`. An empty list contains all.
pub fn wants(types: &[String], kind: &str) -> bool {
    let takes = |pattern: &String| match pattern.strip_suffix(".*") {
        Some(noun) => kind.strip_prefix(noun).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == kind,
    };
    types.is_empty() || types.iter().any(takes)
}

/// The types, sorted and each once.
///
/// # Errors
/// `invalid-field` for one that matches no type of event, and for more than 100.
pub fn check_types(mut types: Vec<String>) -> Result<Vec<String>> {
    types.sort_unstable();
    types.dedup();
    if types.len() > MAX_TYPES {
        return Err(Error::field("types", format!("at most {MAX_TYPES}. Use `version.*` for all of a kind.")));
    }
    let known = |pattern: &&String| !super::catalogue::ALL.iter().any(|one| wants(&[(*pattern).clone()], one.kind));
    match types.iter().find(known) {
        Some(unknown) => {
            Err(Error::field("types", format!("no event has the type {unknown:?}. GET /v1/event-types lists them.")))
        }
        None => Ok(types),
    }
}

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
fn tell<T: Serialize>(tx: &mut Tx, kind: Kind<T>, scope: &Scope, id: &WebhookId, actor: &str, data: &T) {
    let event = tx.tell(kind, id, actor, data);
    match scope {
        Scope::HostApp(id) => {
            event.for_host_app(id);
        }
        Scope::Merchant(id) => {
            event.for_merchant(id);
        }
        Scope::Platform | Scope::Team(_) => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_exact_or_end_in_a_star() {
        let list = |types: &[&str]| types.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert!(wants(&[], "version.published"));
        assert!(wants(&list(&["version.published"]), "version.published"));
        assert!(wants(&list(&["host_app.created", "version.*"]), "version.published"));
        assert!(!wants(&list(&["version.*"]), "versions.published"));
        assert!(!wants(&list(&["version"]), "version.published"));
        assert!(check_types(list(&["version.*", "version.*", "mini_app.created"])).is_ok_and(|types| types.len() == 2));
        for wrong in ["version", "*", "version.unheard", "vers.*", ""] {
            assert!(check_types(list(&[wrong])).is_err(), "{wrong}");
        }
    }
}

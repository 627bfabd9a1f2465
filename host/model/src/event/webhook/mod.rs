//! Webhooks: addresses to which events are sent. Each belongs to a scope and gets the events of that scope.

mod change;
mod deliveries;

pub use change::{EditWebhook, NewWebhook, RotateSecret};
pub use deliveries::{Delivery, DeliveryQuery, DeliveryState, Ping, Replay, WebhookPing, WebhookReplayed};

use berth_base::{clock::Millis, ids::WebhookId};
use serde::{Deserialize, Serialize};

use crate::access::ScopeKind;

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

/// Whether a list of types, exact or ending in `.*`, contains the type `kind`. An empty list contains all.
pub fn wants(types: &[String], kind: &str) -> bool {
    let takes = |pattern: &String| match pattern.strip_suffix(".*") {
        Some(noun) => kind.strip_prefix(noun).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == kind,
    };
    types.is_empty() || types.iter().any(takes)
}

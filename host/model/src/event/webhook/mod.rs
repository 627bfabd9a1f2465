//! Webhooks: addresses to which events are sent. Each belongs to a scope and gets the events of that scope.

mod change;
mod deliveries;

pub use change::{EditWebhook, NewWebhook, RotateSecret};
pub use deliveries::{
    Attempt, AttemptQuery, Delivery, DeliveryQuery, DeliveryState, Ping, Replay, WebhookPing, WebhookReplayed,
};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::WebhookId,
};
use serde::{Deserialize, Serialize};

use super::catalogue;
use crate::{access::ScopeKind, nearest::did_you_mean};

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

/// How many types one webhook may list.
const MAX_TYPES: usize = 100;

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
    let is_unknown = |one: &&String| !catalogue::ALL.iter().any(|known| wants(&[(*one).clone()], known.kind));
    match types.iter().find(is_unknown) {
        Some(unknown) => {
            let near = did_you_mean(unknown, catalogue::ALL.iter().map(|known| known.kind));
            Err(Error::field(
                "types",
                format!("no event has the type {unknown:?}.{near} GET /v1/event-types lists them."),
            ))
        }
        None => Ok(types),
    }
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
        let said = check_types(list(&["version.publish"])).err().map(|error| error.detail).unwrap_or_default();
        assert!(said.contains("\"version.published\""), "{said}");
    }
}

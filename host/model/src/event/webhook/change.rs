//! Creating and changing webhooks.

use serde::{Deserialize, Serialize};

use super::WebhookScope;

/// A webhook to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// An https address on the public internet, or one that the host's `--webhook-allow` permits. At most 2,048
    /// characters.
    pub url: String,
    /// Whose events it gets.
    pub scope: WebhookScope,
    /// The types that it gets, exact or with a star (`version.*`); all of them when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// A description for people, at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What may be edited of a webhook. Absent members stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditWebhook {
    /// The new address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The new types; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// Whether events are delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The new description for people, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How a secret is replaced.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    /// Seconds for which messages are signed with the old secret too, 0 to 604,800; 86,400 (a day) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_old_seconds: Option<i64>,
}

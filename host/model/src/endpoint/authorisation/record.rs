//! What is stored of an authorisation, and what is shown of it.

use berth_base::{
    clock::Millis,
    ids::{AuthorisationId, ChannelId, EndpointAppId, InstanceId, MerchantId},
};
use serde::{Deserialize, Serialize};

use super::stage::Grant;
use crate::endpoint::channel::ChannelKind;

/// The endpoint application that a channel is authorised for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// An existing one, by its CID.
    Id(EndpointAppId),
    /// A new one, created in the same transaction as the binding.
    New(NewTarget),
}

/// An endpoint application that is created in the same transaction as the binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The product instances that it holds, at least one.
    pub products: Vec<InstanceId>,
}

/// A channel for which the merchant vouches, as its platform gives this host no authorisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// The id that the channel has on its platform.
    pub app_id: String,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
}

/// One run of authorising a channel.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuthorisationView {
    /// The id of the run. It never changes.
    pub id: AuthorisationId,
    /// The merchant that the channel is to belong to.
    pub merchant: MerchantId,
    /// The kind of the channel.
    pub kind: ChannelKind,
    /// `started`, `authorised`, `granted`, `choosing`, `bound`, `abandoned` or `failed`.
    pub state: String,
    /// The page at which the merchant authorises this host, while the run is `started`. Shown only to those who may
    /// change the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The endpoint application that was asked for; absent until somebody chooses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The id of the channel on its platform, once it is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The name of the channel on its platform, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The categories of functions that the merchant granted, by the platform's numbers.
    #[serde(default)]
    pub categories: Vec<i64>,
    /// What should be known and does not stop the run: one warning for each needed category that was not granted.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The channel, once it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The endpoint application (CID) that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_app: Option<EndpointAppId>,
    /// Why the run failed: a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why the run failed, in words, or who abandoned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What kept the last step from succeeding; the host tries it again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When the step is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Millis>,
    /// When the run is abandoned unless it goes on before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// The account that started the run; `wechat` when the merchant renewed the authorisation there.
    pub started_by: String,
    /// When the run was started.
    pub started_at: Millis,
    /// When the state of the run last changed.
    pub changed_at: Millis,
}

/// Seconds that the steps which the host does by itself may take in all, retries included.
pub const WORKING: i64 = 24 * 3600;

/// Seconds within which an endpoint application must be chosen.
pub const CHOOSING: i64 = 7 * 24 * 3600;

/// The warning of a channel whose platform gave no tokens.
const NO_TOKENS: &str = "WeChat gave no tokens, as the account has no permission for any call (it may not be verified). \
    The channel is bound, and nothing can be done in its name until the merchant authorises again.";

/// What does not work without the categories that the merchant did not grant, for people.
pub fn warnings(grant: &Grant) -> Vec<String> {
    let tokens = grant.without_tokens.then(|| NO_TOKENS.to_owned());
    tokens.into_iter().chain(grant.missing.iter().map(|id| super::needs::warning(*id))).collect()
}

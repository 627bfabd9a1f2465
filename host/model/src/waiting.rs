//! What waits for people: decisions, agreements, publications, and what went wrong. Each of them sees what they may do
//! something about, and nothing else.

use berth_base::{
    clock::Millis,
    ids::{AuditId, ChannelId, GrayTaskId, HostAppId, MerchantId, MiniAppId, PermitId, WebhookId},
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    binding::BindingState,
    endpoint::channel::ChannelKind,
    event::webhook::WebhookScope,
    rollout::Cause,
    settings::{ApiName, PermitKind},
};

/// How many things an answer has at most.
pub const MOST_WAITING: usize = 100;

/// How many things of one kind an answer has at most.
pub const MOST_OF_A_KIND: usize = 20;

/// How many messages or deliveries are counted at most.
pub const MOST_COUNTED: i64 = 1_000;

/// How long before its end a gray task waits for somebody who looks at it, in seconds.
pub const ENDS_SOON: i64 = 24 * 3600;

/// How long a rejected version waits for a better one, in seconds: 90 days.
pub const REJECTED_LATELY: i64 = 90 * 24 * 3600;

/// Of how many devices at least a version must have failed before that is told.
pub const FEWEST_FAILED: i64 = 5;

/// A version fails when it failed on more than this part of the devices that got it: one of so many.
pub const FAILS_ON_ONE_OF: i64 = 10;

/// What waits for the caller, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct WaitingList {
    /// At most 100 things, and at most 20 of a kind.
    pub items: Vec<Waiting>,
    /// Whether there is more than is listed here.
    pub more: bool,
}

/// One thing that waits for the caller.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Waiting {
    /// Since when it waits.
    pub since: Millis,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What waits; `kind` says which of these it is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// An audit waits for the decision of a host app.
    Audit(WaitingAudit),
    /// One side of a binding has asked, and the other one has not agreed yet.
    Binding(WaitingBinding),
    /// A version is approved and above what is online.
    Publish(WaitingVersion),
    /// The newest version of a MiniApp is rejected.
    Rejected(RejectedVersion),
    /// A gray task that delivers ends within a day.
    GrayEnds(EndingTask),
    /// A gray task is suspended.
    GraySuspended(SuspendedTask),
    /// The version of a gray task that delivers has failed on many of its devices.
    GrayFailing(FailingTask),
    /// Messages of the order system are parked.
    FulfilmentParked(ParkedMessages),
    /// A webhook has deliveries for which all attempts have failed.
    DeliveryDead(DeadDeliveries),
    /// The platform of a channel does not let this host act for it any more.
    ChannelUnauthorised(UnauthorisedChannel),
    /// A MiniApp applies for a sensitive API of a host app.
    Permit(WaitingPermit),
    /// A MiniApp applies for skipping the verification of its domains in a host app.
    Skip(WaitingPermit),
}

/// A decision on a version that a host app has not taken yet.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct WaitingAudit {
    /// Id of the audit.
    pub audit: AuditId,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// The version.
    pub version: VersionNumber,
    /// Id of the host app that is to decide.
    pub host_app: HostAppId,
    /// Its name.
    pub host_app_name: String,
}

/// A binding that the caller's side has not agreed to yet.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct WaitingBinding {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// Id of the host app.
    pub host_app: HostAppId,
    /// Its name.
    pub host_app_name: String,
    /// For which side it waits.
    pub state: BindingState,
}

/// An approved version that can be published.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct WaitingVersion {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// The version, the greatest one that is approved.
    pub version: VersionNumber,
    /// Whether a gray task of it delivers: some devices get it already.
    #[serde(default)]
    pub in_gray: bool,
}

/// A rejected version after which no other one has been uploaded.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct RejectedVersion {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// The version.
    pub version: VersionNumber,
    /// Id of the audit that says why.
    pub audit: AuditId,
}

/// A gray task that ends soon.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct EndingTask {
    /// Id of the gray task.
    pub gray_task: GrayTaskId,
    /// Its name.
    pub name: String,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// The version in grayscale.
    pub version: VersionNumber,
    /// When the task ends.
    #[cfg_attr(feature = "sql", sqlx(rename = "end_at"))]
    pub end: Millis,
}

/// A gray task that admits nobody until somebody resumes or ends it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct SuspendedTask {
    /// Id of the gray task.
    pub gray_task: GrayTaskId,
    /// Its name.
    pub name: String,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// The version in grayscale.
    pub version: VersionNumber,
    /// Why it is suspended: by hand, by a guard, or because the MiniApp went off the shelf.
    pub cause: Cause,
}

/// A gray task whose version has failed on more than one of ten devices, and on five at least.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct FailingTask {
    /// Id of the gray task.
    pub gray_task: GrayTaskId,
    /// Its name.
    pub name: String,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// The version in grayscale.
    pub version: VersionNumber,
    /// On how many devices it failed: their last news is that it did.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub failed: u64,
    /// How many devices were admitted.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub admitted: u64,
}

/// The messages of the order system that are parked, since the oldest of them has come.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct ParkedMessages {
    /// How many there are; 1,000 for that many or more.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub count: u64,
}

/// The dead deliveries of a webhook, since the oldest of them was given up.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DeadDeliveries {
    /// Id of the webhook.
    pub webhook: WebhookId,
    /// The host of its receiver. The rest of the address may be a secret.
    pub host: String,
    /// Whose events it gets.
    pub scope: WebhookScope,
    /// How many there are; 1,000 for that many or more.
    pub count: u64,
}

/// A channel that the merchant has to authorise again.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct UnauthorisedChannel {
    /// Id of the channel.
    pub channel: ChannelId,
    /// Its name.
    pub name: String,
    /// On which platform it is.
    pub channel_kind: ChannelKind,
    /// Id of the merchant.
    pub merchant: MerchantId,
    /// Its name.
    pub merchant_name: String,
}

/// An application on which a host app has not decided yet.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct WaitingPermit {
    /// Id of the permit.
    pub permit: PermitId,
    /// Id of the MiniApp that applies.
    pub mini_app: MiniAppId,
    /// Its name.
    pub mini_app_name: String,
    /// Id of the host app that is to decide.
    pub host_app: HostAppId,
    /// Its name.
    pub host_app_name: String,
    /// The API that is to be called; absent when domains are to be skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiName>,
}

impl WaitingList {
    /// Of what was found of each kind, oldest first, what is listed: the oldest of all.
    pub fn of(found: impl IntoIterator<Item = Vec<Waiting>>) -> Self {
        let (mut items, mut more) = (Vec::new(), false);
        for mut kind in found {
            more |= kind.len() > MOST_OF_A_KIND;
            kind.truncate(MOST_OF_A_KIND);
            items.append(&mut kind);
        }
        items.sort_by_key(|one| one.since);
        more |= items.len() > MOST_WAITING;
        items.truncate(MOST_WAITING);
        Self { items, more }
    }
}

impl What {
    /// An application, by what it is for.
    pub fn permit(kind: PermitKind, permit: WaitingPermit) -> Self {
        match kind {
            PermitKind::SensitiveApi => Self::Permit(permit),
            PermitKind::SkipDomains => Self::Skip(permit),
        }
    }
}

impl DeadDeliveries {
    /// The host of an address, without what may be secret in it.
    pub fn host_of(url: &str) -> String {
        Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(since: i64) -> Waiting {
        Waiting { since: Millis(since), what: What::FulfilmentParked(ParkedMessages { count: 1 }) }
    }

    fn kind(from: i64, count: usize) -> Vec<Waiting> {
        (from..).take(count).map(parked).collect()
    }

    #[test]
    fn a7_the_oldest_is_first_of_whichever_kind() {
        let list = WaitingList::of([vec![parked(3), parked(5)], vec![parked(1), parked(4)]]);
        assert_eq!(list.items.iter().map(|one| one.since.0).collect::<Vec<_>>(), [1, 3, 4, 5]);
        assert!(!list.more);
    }

    #[test]
    fn a7_there_is_more_when_a_kind_has_more_than_20_or_all_have_more_than_100() {
        for (kinds, each, shown, more) in
            [(1, 20, 20, false), (1, 21, 20, true), (5, 20, 100, false), (6, 20, 100, true)]
        {
            let list = WaitingList::of((0..kinds).map(|number| kind(number * 1_000, each)));
            assert_eq!((list.items.len(), list.more), (shown, more), "{kinds} kinds of {each}");
        }
    }

    #[test]
    fn the_address_of_a_receiver_is_told_by_its_host_only() {
        assert_eq!(
            DeadDeliveries::host_of("https://user:pass@hooks.example.com:8443/T0/secret?key=1"),
            "hooks.example.com"
        );
        assert_eq!(DeadDeliveries::host_of("no address"), "");
    }

    #[test]
    fn a_kind_stands_beside_its_members() {
        let json = serde_json::to_value(parked(0)).expect("JSON");
        let expected = serde_json::json!({"since": Millis(0), "kind": "fulfilment_parked", "count": 1});
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Waiting>(expected).expect("the same again"), parked(0));
    }
}

//! Authorising a channel, creating or choosing its endpoint application and binding it, as one run that can be resumed
//! and is never half done (E10).
//!
//! A run goes `started → authorised → granted → (choosing →) bound`, or ends `failed` or `abandoned`. WeChat's code
//! comes by the merchant's browser and by WeChat's push: the first of them is used, once. When a merchant authorises
//! this host on WeChat's own pages, without a run, a known channel is renewed. About an unknown account the event
//! `wechat_account.unclaimed` is emitted; a merchant claims it by starting a run, as nobody's word alone makes it a
//! merchant's.

mod deliver;
pub mod needs;
mod record;
mod stage;

pub use deliver::{Return, Unclaimed};
pub use record::{AuthorisationView, CHOOSING, NewTarget, Target, Vouched, WORKING, warnings};
pub use stage::{Door, Grant, InvalidTransition, Stage, StageName};

use berth_base::{ids::MerchantId, page::paged};
use serde::{Deserialize, Serialize};

use crate::endpoint::channel::ChannelKind;

/// A channel to authorise.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthorisation {
    /// The merchant that the channel is to belong to.
    pub merchant: MerchantId,
    /// The kind of the channel.
    pub kind: ChannelKind,
    /// The endpoint application to bind it to. When absent, somebody chooses one later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_app: Option<Target>,
    /// The channel's id and name, for which the merchant vouches: needed for all kinds but those of WeChat, which tells
    /// them itself. With them a WeChat account is recorded by the merchant's word, and no call is made in its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched: Option<Vouched>,
}

/// How to start a run again.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = RestartAuthorisation)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether to take the channel from the endpoint application that it is bound to now, if that is another one than
    /// the run's: both happen, or nothing.
    #[serde(default, rename = "move")]
    pub take: bool,
}

/// Which runs to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuthorisationQuery {
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<StageName>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(AuthorisationQuery);

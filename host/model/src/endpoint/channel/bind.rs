//! Which endpoint application a channel is bound to: one at most (E5).

use berth_base::ids::EndpointAppId;
use serde::{Deserialize, Serialize};

use super::Channel;

/// Where to bind a channel.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindChannel {
    /// The endpoint application (CID), of the same merchant.
    pub endpoint_app: EndpointAppId,
    /// Whether to unbind the channel from the endpoint application that it is bound to now; refused when false and it
    /// is bound to another one.
    #[serde(default, rename = "move")]
    pub take: bool,
}

/// The `data` of the event about a channel that was unbound.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ChannelUnbound {
    /// The channel as it is now.
    #[serde(flatten)]
    pub channel: Channel,
    /// The endpoint application that it was bound to.
    pub from: EndpointAppId,
}

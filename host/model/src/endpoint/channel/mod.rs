//! Channels: the places where users reach an endpoint application. Each is authorised by one merchant and bound to at
//! most one endpoint application (E5).

mod bind;

pub use bind::{BindChannel, ChannelUnbound};

use berth_base::{
    clock::Millis,
    ids::{ChannelId, EndpointAppId, MerchantId, MiniAppId},
    page::paged,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// The kind of a channel: on which platform it is.
    ChannelKind {
        /// A WeChat mini-program; its app id is `wx` and 16 letters or digits.
        WechatMiniProgram = "wechat_mini_program",
        /// A WeChat official account; its app id is `wx` and 16 letters or digits.
        WechatOfficialAccount = "wechat_official_account",
        /// A web page; its app id is its https address.
        H5 = "h5",
        /// A Douyin mini-program.
        Douyin = "douyin",
        /// An Alipay mini-program; its app id is 16 digits.
        Alipay = "alipay",
        /// A WeCom application.
        Wecom = "wecom",
        /// A MiniApp of this host; its app id is the MiniApp's id. Its checks carry the endpoint application (E11).
        MiniApp = "mini_app",
    }
}

text_enum! {
    /// Whether the platform of the channel lets this host act for it.
    ChannelState {
        /// It lets this host act for it.
        Authorised = "authorised",
        /// The merchant revoked the authorisation on the platform. The channel stays bound, and can be authorised
        /// again.
        Unauthorised = "unauthorised",
    }
}

text_enum! {
    /// What shows that the channel is the merchant's.
    Proof {
        /// The merchant's word. It does not hold against another merchant's proof, and nothing that is sent for the
        /// channel is given to this merchant.
        Vouched = "vouched",
        /// The channel's own platform, where the merchant authorised this host.
        Platform = "platform",
    }
}

impl ChannelKind {
    /// Whether the channel is an account at WeChat.
    pub fn is_wechat(self) -> bool {
        matches!(self, Self::WechatMiniProgram | Self::WechatOfficialAccount)
    }
}

/// A place where users reach an endpoint application.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Channel {
    /// The id of the channel on this host. It never changes.
    pub id: ChannelId,
    /// The merchant that authorised it.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    pub merchant: MerchantId,
    /// On which platform it is.
    pub kind: ChannelKind,
    /// Its id on the platform: a WeChat appid, a MiniApp's id, the address of an H5 page. No two channels of a kind
    /// have the same one.
    pub app_id: String,
    /// The name that people read.
    pub name: String,
    /// Whether the platform lets this host act for it.
    pub state: ChannelState,
    /// What shows that it is this merchant's.
    pub proof: Proof,
    /// The endpoint application (CID) that it is bound to; absent when it is bound to none.
    #[cfg_attr(feature = "sql", sqlx(rename = "endpoint_app_id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_app: Option<EndpointAppId>,
    /// The account that authorised it last; `wechat` when WeChat told of it.
    pub authorised_by: String,
    /// When it was authorised last.
    pub authorised_at: Millis,
    /// The account that bound it; absent when it is bound to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_by: Option<String>,
    /// When it was bound; absent when it is bound to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_at: Option<Millis>,
}

/// A channel to create by hand, for which the merchant vouches.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    /// The merchant that is to own it.
    pub merchant: MerchantId,
    /// On which platform it is. For `mini_app` the caller must be a developer of the MiniApp as well.
    pub kind: ChannelKind,
    /// Its id on the platform; the form depends on the kind.
    pub app_id: String,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
}

/// What may be edited of a channel.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditChannel {
    /// The new name, 1 to 64 characters.
    pub name: String,
}

/// Which channels to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChannelQuery {
    /// Only those of this merchant.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// Only those bound to this endpoint application.
    #[serde(default)]
    pub endpoint_app: Option<EndpointAppId>,
    /// Only those of this kind.
    #[serde(default)]
    pub kind: Option<ChannelKind>,
    /// Only those with this id on their platform (E7).
    #[serde(default)]
    pub app_id: Option<String>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(ChannelQuery);

impl Channel {
    /// The id of the MiniApp that the channel is; `None` for channels on other platforms.
    pub fn mini_app(&self) -> Option<MiniAppId> {
        (self.kind == ChannelKind::MiniApp).then(|| self.app_id.parse().ok()).flatten()
    }
}

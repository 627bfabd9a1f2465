//! What the server of a MiniApp gets for a code.

use berth_base::ids::{HostAppId, MiniAppId};
use serde::{Deserialize, Serialize};

use crate::user::{OpenId, UnionId};

/// Tokens for a user who was logged in.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct TokenAnswer {
    /// Good for `/oidc/userinfo` and nothing else.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// For how many seconds the access token is good.
    pub expires_in: i64,
    /// What was granted: `openid` for MiniApps, and for internal tools those that are known of what was asked for.
    pub scope: String,
    /// Who was logged in, as a signed JWT.
    pub id_token: String,
    /// What an internal tool gets other tokens with, once; absent unless it asked for `offline_access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// What an ID token says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct IdToken {
    /// The address of this host.
    pub iss: String,
    /// The user: the OpenID in this MiniApp.
    pub sub: OpenId,
    /// The MiniApp.
    pub aud: MiniAppId,
    /// When it stops being good.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// When the host app vouched for the user.
    pub auth_time: i64,
    /// What the MiniApp has sent to recognise it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Where the user comes from.
    pub host_app: HostAppId,
    /// The user in all MiniApps of the team that are told union ids; absent when this one is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_id: Option<UnionId>,
}

/// What there is to know of a user who was logged in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserInfo {
    /// The user: the OpenID in this MiniApp.
    pub sub: OpenId,
    /// Where the user comes from.
    pub host_app: HostAppId,
    /// The user in all MiniApps of the team that are told union ids; absent when this one is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_id: Option<UnionId>,
}

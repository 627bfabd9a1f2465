//! Links: the consent of a user that a partner learns by which OpenID they are known in a MiniApp.

use berth_base::{
    clock::Millis,
    ids::{MiniAppId, WechatAppId},
};
use serde::{Deserialize, Serialize};

/// A user agrees that a partner learns who they are in a MiniApp, or does not agree any more.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkUser {
    /// The account that is logged in to the host app.
    pub account: String,
    /// Id of the MiniApp whose OpenID of the user the partner is told.
    pub mini_app: MiniAppId,
    /// Id of the partner.
    pub partner: MiniAppId,
    /// The official account by which the user in the MiniApp is found: whoever is the same person there, in whatever host app. Absent,
    /// it is this very account of the host app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<WechatAppId>,
}

/// Whose links to list.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinksQuery {
    /// The account that is logged in to the host app.
    pub account: String,
}

/// A link of a user. What a user has once agreed to stays on record until the user is erased.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct UserLink {
    /// Id of the MiniApp whose OpenID of the user the partner is told.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// Id of the partner.
    #[cfg_attr(feature = "sql", sqlx(rename = "partner_id"))]
    pub partner: MiniAppId,
    /// The official account by which the user in the MiniApp is found; absent of the same account of a host app.
    #[cfg_attr(feature = "sql", sqlx(rename = "through_app_id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<WechatAppId>,
    /// When the user agreed.
    pub linked_at: Millis,
    /// When the user took it back; absent while they have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlinked_at: Option<Millis>,
    /// Whether the link holds: the user has not taken it back, and the teams' agreement has not ended since.
    pub holds: bool,
}

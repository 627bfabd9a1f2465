//! Recognition: a user of a MiniApp is seen at an official account, so that one person in two MiniApps is found silently (U3).

use berth_base::{
    clock::Millis,
    ids::{MiniAppId, WechatAppId},
    secret::Secret,
};
use serde::{Deserialize, Serialize};

use crate::user::OpenId;

/// Says that the user of a MiniApp is the visitor of an official account, in the name of the MiniApp's server.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecogniseUser {
    /// The code with which the user's web-view came to the page of the merchant whose channel the MiniApp is.
    #[schema(value_type = String)]
    pub code: Secret,
    /// The user in the MiniApp, in whose session it came.
    pub open_id: OpenId,
}

/// A user who is recognised.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RecognisedUser {
    /// The official account.
    pub app_id: WechatAppId,
    /// The user in the MiniApp.
    pub open_id: OpenId,
    /// Since when the user is recognised there.
    pub recognised_at: Millis,
}

/// A recognition that the server of the MiniApp ends.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndRecognition {
    /// The official account.
    pub app_id: WechatAppId,
    /// The user in the MiniApp.
    pub open_id: OpenId,
}

/// That a user of a MiniApp is recognised at an official account. As whom, is not said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct RecognitionHeld {
    /// Id of the MiniApp.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// The official account.
    pub app_id: WechatAppId,
    /// Since when.
    pub recognised_at: Millis,
}

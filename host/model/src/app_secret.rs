//! AppSecrets: the secret by which the server of a MiniApp proves that it is that (K1–K4), and the tokens that it gets for
//! it (K8).

use berth_base::{
    clock::Millis,
    ids::{MiniAppId, UserId},
    secret::Secret,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

/// The first characters of an AppSecret.
pub const APP_SECRET: &str = "berth_secret_";
/// The first characters of a server token.
pub const SERVER_TOKEN: &str = "berth_server_";
/// For how many seconds a server token is valid.
pub const SERVER_TOKEN_SECONDS: i64 = 2 * 3600;

text_enum! {
    /// Whether an AppSecret works.
    SecretState {
        /// It works.
        Active = "active",
        /// Nothing works with it until it is unfrozen or reset.
        Frozen = "frozen",
    }
}

/// What is known of the AppSecret of a MiniApp. The secret itself is not: only its hash is kept (K2).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct AppSecret {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Whether it works.
    pub state: SecretState,
    /// When this secret was generated, which is also when the one before it stopped.
    pub issued_at: Millis,
    /// The account that generated it.
    pub issued_by: UserId,
    /// When it was frozen; absent unless it is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<Millis>,
    /// The account that froze it; absent unless it is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_by: Option<UserId>,
    /// Why it was frozen, for the team; absent when no reason was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A new AppSecret, which is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct IssuedAppSecret {
    /// What is known of it; its fields are part of this object.
    #[serde(flatten)]
    pub app_secret: AppSecret,
    /// The secret: `berth_secret_` and 32 characters. It is not stored and cannot be shown again.
    pub secret: String,
}

/// Freezes an AppSecret.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeAppSecret {
    /// Why, for the team; at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Asks for a server token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskServerToken {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its AppSecret.
    #[schema(value_type = String)]
    pub secret: Secret,
}

/// A token with which the server of a MiniApp calls this host, for two hours, or until the AppSecret is reset or frozen.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ServerToken {
    /// Id of the MiniApp, for which alone it is good.
    pub mini_app: MiniAppId,
    /// The token: `berth_server_` and 32 characters. It is not stored and cannot be shown again.
    pub token: String,
    /// When it stops being valid.
    pub expires_at: Millis,
}

/// The server of a MiniApp, which makes a request with a server token.
#[derive(Clone, Debug)]
pub struct MiniAppServer {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
}

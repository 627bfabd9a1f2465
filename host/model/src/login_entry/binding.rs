//! Login bindings: that a user of a MiniApp is somebody at a login entry (U21).

use berth_base::{
    clock::Millis,
    ids::{HostAppId, LoginBindingId, LoginEntryName, MiniAppId},
};
use serde::{Deserialize, Serialize};

use crate::user::OpenId;

/// Who a user of a MiniApp is at a login entry, as the MiniApp's server is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LoginBinding {
    /// Its id.
    pub id: LoginBindingId,
    /// The login entry.
    pub entry: LoginEntryName,
    /// The user in the MiniApp.
    pub open_id: OpenId,
    /// Who the user is at the provider.
    pub subject: String,
    /// Since when the user is bound.
    pub bound_at: Millis,
}

/// A user of a MiniApp, as its server asks about them.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundUser {
    /// The user in the MiniApp.
    pub open_id: OpenId,
}

/// A binding that the server of the MiniApp ends.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndLoginBinding {
    /// The login entry.
    pub entry: LoginEntryName,
    /// The user in the MiniApp.
    pub open_id: OpenId,
}

/// Whose bindings to list.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LoginBindingsQuery {
    /// The account that is logged in to the host app.
    pub account: String,
}

/// A binding that a user of a host app ends, on the word of its server.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedLoginBinding {
    /// The account that is logged in to the host app.
    pub account: String,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The login entry.
    pub entry: LoginEntryName,
}

/// A binding of a user, as the user sees it. One that has ended stays on record until the user is erased; who the user was there
/// does not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserLoginBinding {
    /// Its id.
    pub id: LoginBindingId,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The login entry.
    pub entry: LoginEntryName,
    /// Who the user is at the provider; absent of one that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the user logged in there.
    pub bound_at: Millis,
    /// When it ended; absent while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
}

/// A binding was made, or has ended. Who it was is not said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LoginBindingTold {
    /// Its id.
    pub id: LoginBindingId,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The login entry.
    pub entry: LoginEntryName,
    /// Id of the host app of the user.
    pub host_app: HostAppId,
}

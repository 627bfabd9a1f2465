//! Bindings say which MiniApps a host app runs. Both sides must agree, because each gets a say over the other: people
//! of the host app judge the versions of the MiniApp, and the MiniApp runs on the devices of the host app. An admin of
//! one side asks for the binding, and an admin of the other side agrees, by the same call. An admin of both sides, or
//! of the platform, does both at once.

use berth_base::{
    clock::Millis,
    ids::{HostAppId, MiniAppId},
    page::paged,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// How far the two sides have agreed on a binding.
    BindingState {
        /// Both sides have agreed: the host app runs the MiniApp.
        Active = "active",
        /// The host app has asked. An admin of the MiniApp's team agrees by the same call.
        WaitsForTeam = "waits_for_team",
        /// The MiniApp's team has asked. An admin of the host app agrees by the same call.
        WaitsForHostApp = "waits_for_host_app",
    }
}

/// Which bindings of a host app to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BindingQuery {
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<BindingState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; all of them when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(BindingQuery);

/// The binding of a MiniApp to a host app, agreed or asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Binding {
    /// Id of the host app.
    #[cfg_attr(feature = "sql", sqlx(rename = "host_app_id"))]
    pub host_app: HostAppId,
    /// Id of the MiniApp.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// How far it is agreed; only an `active` binding has an effect.
    pub state: BindingState,
    /// When it came to this state.
    pub created_at: Millis,
}

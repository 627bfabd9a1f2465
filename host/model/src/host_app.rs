//! Host apps: the apps in which MiniApps run.

use berth_base::{clock::Millis, ids::HostAppId};
use serde::{Deserialize, Serialize};

/// A host app: an app in which MiniApps run.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct HostApp {
    /// Id of the host app; it never changes.
    pub id: HostAppId,
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// The key that its SDK sends in `X-Host-App-Key`. It names the host app and proves nothing, because it ships
    /// inside an app.
    pub public_key: String,
    /// When it was created.
    pub created_at: Millis,
}

/// A host app to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHostApp {
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// Id of the host app, of the form `[a-z0-9][a-z0-9-]{2,62}`; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<HostAppId>,
}

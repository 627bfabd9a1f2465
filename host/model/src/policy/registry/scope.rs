//! The places where policies are bound.

use berth_base::{ids::GrayTaskId, text::text_enum};
use serde::{Deserialize, Serialize};

text_enum! {
    /// The kind of place where a policy is bound.
    #[schema(as = PolicyScopeKind)]
    ScopeKind {
        /// The whole installation.
        Platform = "platform",
        /// One host app.
        HostApp = "host_app",
        /// One MiniApp.
        MiniApp = "mini_app",
        /// One gray task.
        GrayTask = "gray_task",
    }
}

/// A place where a policy is bound.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyScope {
    /// The kind of place.
    pub kind: ScopeKind,
    /// Id of the host app, MiniApp or gray task; absent for the platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl PolicyScope {
    /// The whole installation.
    pub fn platform() -> Self {
        Self { kind: ScopeKind::Platform, id: String::new() }
    }

    /// The gray task with this id.
    pub fn gray_task(id: &GrayTaskId) -> Self {
        Self { kind: ScopeKind::GrayTask, id: id.to_string() }
    }
}

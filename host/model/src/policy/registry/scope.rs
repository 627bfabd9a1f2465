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

text_enum! {
    /// Who has made a binding: it belongs to that level, and levels below neither change nor remove it.
    #[schema(as = BindingLevel)]
    Level {
        /// Admins of the platform, or Berth itself.
        Platform = "platform",
        /// Admins of the host app.
        HostApp = "host_app",
        /// The team of the MiniApp.
        Team = "team",
    }
}

impl Level {
    /// The level of who binds a policy at this kind of place. The policies of a gray task are its team's, whoever creates
    /// the task.
    pub fn at(place: ScopeKind, by_platform: bool) -> Self {
        match place {
            ScopeKind::Platform => Self::Platform,
            ScopeKind::HostApp | ScopeKind::MiniApp if by_platform => Self::Platform,
            ScopeKind::HostApp => Self::HostApp,
            ScopeKind::MiniApp | ScopeKind::GrayTask => Self::Team,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v5_what_the_platform_binds_is_the_platforms_except_at_gray_tasks() {
        let at = |place| [true, false].map(|by_platform| Level::at(place, by_platform));
        assert_eq!(at(ScopeKind::Platform), [Level::Platform, Level::Platform]);
        assert_eq!(at(ScopeKind::HostApp), [Level::Platform, Level::HostApp]);
        assert_eq!(at(ScopeKind::MiniApp), [Level::Platform, Level::Team]);
        assert_eq!(at(ScopeKind::GrayTask), [Level::Team, Level::Team]);
    }
}

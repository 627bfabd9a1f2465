//! Where a policy is bound.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Caller, Scope},
    error::{Error, Result},
    host_app,
    ids::{GrayTaskId, HostAppId, MiniAppId},
    mini_app,
    store::Tx,
    text::text_enum,
};

text_enum! {
    /// The kind of place where a policy is bound.
    #[schema(as = PolicyScopeKind)]
    ScopeKind {
        /// Everywhere.
        Platform = "platform",
        /// The versions and devices of one host app.
        HostApp = "host_app",
        /// One MiniApp.
        MiniApp = "mini_app",
        /// One grayscale task.
        GrayTask = "gray_task",
    }
}

/// Where a policy is bound.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingScope {
    /// The kind of place.
    pub kind: ScopeKind,
    /// Its id; absent for the platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl BindingScope {
    /// Everywhere.
    pub fn platform() -> Self {
        Self { kind: ScopeKind::Platform, id: String::new() }
    }

    /// One grayscale task.
    pub fn gray_task(id: &GrayTaskId) -> Self {
        Self { kind: ScopeKind::GrayTask, id: id.to_string() }
    }

    /// Refuses unless the caller may do `action` here. A task's policies are set with the task, so they are only read.
    pub async fn authorise(&self, tx: &mut Tx, caller: &Caller, action: Action) -> Result<()> {
        match self.kind {
            ScopeKind::Platform if self.id.is_empty() => caller.require(action, &Scope::Platform),
            ScopeKind::Platform => Err(Error::field("scope.id", "the platform has no id; leave it out.")),
            ScopeKind::HostApp => {
                let id = HostAppId::from_str(&self.id)?;
                host_app::authorise(tx, caller, &id, action).await.map(|_| ())
            }
            ScopeKind::MiniApp => {
                let id = MiniAppId::from_str(&self.id)?;
                mini_app::authorise(tx, caller, &id, action).await.map(|_| ())
            }
            ScopeKind::GrayTask if action == Action::Read => {
                let id = GrayTaskId::from_str(&self.id)?;
                let owner = tx.mini_app_of_task(&id).await?.ok_or_else(|| Error::not_found("GrayTask", &id))?;
                mini_app::authorise(tx, caller, &owner, action).await.map(|_| ())
            }
            ScopeKind::GrayTask => {
                Err(Error::field("scope.kind", "the policies of a grayscale task are given when it is created."))
            }
        }
    }
}

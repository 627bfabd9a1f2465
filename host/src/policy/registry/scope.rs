//! The places where policies are bound.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    access::{Action, Caller, Scope},
    error::{Code, Error, Result},
    host_app,
    ids::{GrayTaskId, HostAppId, MiniAppId},
    mini_app,
    rollout::State,
    store::Tx,
    text::text_enum,
};

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
pub struct BindingScope {
    /// The kind of place.
    pub kind: ScopeKind,
    /// Id of the host app, MiniApp or gray task; absent for the platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl BindingScope {
    /// The whole installation.
    pub fn platform() -> Self {
        Self { kind: ScopeKind::Platform, id: String::new() }
    }

    /// The gray task with this id.
    pub fn gray_task(id: &GrayTaskId) -> Self {
        Self { kind: ScopeKind::GrayTask, id: id.to_string() }
    }
}

/// Checks that the caller may do `action` in this place. At a gray task, releasing stands in for configuring.
///
/// # Errors
/// `not-found` when there is no such place or the caller may not know about it; `missing-grant`; `invalid-field`
/// for a platform with an id; `invalid-id`.
pub async fn authorise(at: &BindingScope, tx: &mut Tx, caller: &Caller, action: Action) -> Result<()> {
    match at.kind {
        ScopeKind::Platform if at.id.is_empty() => caller.require(action, &Scope::Platform),
        ScopeKind::Platform => Err(Error::field("scope.id", "the platform has no id; leave it out.")),
        ScopeKind::HostApp => {
            let id = HostAppId::from_str(&at.id)?;
            host_app::authorise(tx, caller, &id, action).await.map(|_| ())
        }
        ScopeKind::MiniApp => {
            let id = MiniAppId::from_str(&at.id)?;
            mini_app::authorise(tx, caller, &id, action).await.map(|_| ())
        }
        ScopeKind::GrayTask => {
            // Whoever runs grayscale tasks looks after their policies.
            let action = if action == Action::Configure { Action::Release } else { action };
            let id = GrayTaskId::from_str(&at.id)?;
            let owner = tx.mini_app_of_task(&id).await?.ok_or_else(|| Error::not_found("GrayTask", &id))?;
            mini_app::authorise(tx, caller, &owner, action).await.map(|_| ())
        }
    }
}

/// The MiniApp of the gray task that this place is; `None` for other places.
///
/// # Errors
/// `gray-state` when the task has ended, because its policies are part of the record; `not-found` when there is no
/// such task.
pub(super) async fn running_task(at: &BindingScope, tx: &mut Tx) -> Result<Option<MiniAppId>> {
    if at.kind != ScopeKind::GrayTask {
        return Ok(None);
    }
    let id = GrayTaskId::from_str(&at.id)?;
    let task = tx.gray_task(&id).await?.ok_or_else(|| Error::not_found("GrayTask", &id))?;
    if task.state == State::Ended {
        return Err(Error::new(Code::GrayState, format!("{id} has ended, and keeps the policies that it had.")));
    }
    Ok(Some(task.mini_app_id))
}

//! The places where policies are bound.

use std::str::FromStr;

use berth_base::{
    error::{Code, Error, Result},
    ids::{GrayTaskId, HostAppId, MiniAppId},
};
use berth_model::{
    access::{Action, Caller, Scope},
    policy::registry::{PolicyScope, ScopeKind},
    rollout::State,
};
use berth_store::Tx;

use crate::{host_app, mini_app};

/// Checks that the caller may do `action` in this place. At a gray task, releasing stands in for configuring.
///
/// # Errors
/// `not-found` when there is no such place or the caller may not know about it; `missing-grant`; `invalid-field`
/// for a platform with an id; `invalid-id`.
pub async fn authorise(at: &PolicyScope, tx: &mut Tx, caller: &Caller, action: Action) -> Result<()> {
    if at.kind == ScopeKind::MiniApp {
        let id = MiniAppId::from_str(&at.id)?;
        return mini_app::authorise(tx, caller, &id, action).await.map(drop);
    }
    authorise_own(at, tx, caller, action).await
}

/// Does what [`authorise`] does, for the sake of a binding that was named by its id: who only reads the MiniApp through a host
/// app does not learn that there is one.
pub(super) async fn authorise_own(at: &PolicyScope, tx: &mut Tx, caller: &Caller, action: Action) -> Result<()> {
    match at.kind {
        ScopeKind::Platform if at.id.is_empty() => caller.require(action, &Scope::Platform),
        ScopeKind::Platform => Err(Error::field("scope.id", "the platform has no id; leave it out.")),
        ScopeKind::HostApp => {
            let id = HostAppId::from_str(&at.id)?;
            host_app::authorise(tx, caller, &id, action).await.map(|_| ())
        }
        ScopeKind::MiniApp => {
            let id = MiniAppId::from_str(&at.id)?;
            mini_app::authorise_own(tx, caller, &id, action).await.map(drop)
        }
        ScopeKind::GrayTask => {
            // Whoever runs grayscale tasks looks after their policies.
            let action = if action == Action::Configure { Action::Release } else { action };
            let id = GrayTaskId::from_str(&at.id)?;
            let owner = tx.mini_app_of_task(&id).await?.ok_or_else(|| Error::not_found("GrayTask", &id))?;
            mini_app::authorise_own(tx, caller, &owner, action).await.map(drop).map_err(|refusal| match refusal.code {
                Code::NotFound => Error::not_found("GrayTask", &id), // whose it is, nobody learns
                _ => refusal,
            })
        }
    }
}

/// The MiniApp of the gray task that this place is; `None` for other places.
///
/// # Errors
/// `gray-state` when the task has ended, because its policies are part of the record; `not-found` when there is no
/// such task.
pub(super) async fn running_task(at: &PolicyScope, tx: &mut Tx) -> Result<Option<MiniAppId>> {
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

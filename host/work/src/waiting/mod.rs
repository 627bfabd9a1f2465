//! What waits for people.

pub use berth_model::waiting::*;

use berth_base::error::Result;
use berth_model::{
    access::{Action, Caller, ScopeKind, TokenScope},
    binding::BindingState,
    settings::PermitKind,
};
use berth_store::Db;

/// What the caller can do now and others wait for, oldest first: what neither their roles nor the token allow is not in it.
///
/// # Errors
/// `missing-grant` when the token is not for reading.
pub async fn list(db: &Db, caller: &Caller) -> Result<WaitingList> {
    caller.require_scope(TokenScope::Read)?;
    let can = |action, kind| caller.can_somewhere(action, kind);
    let mut tx = db.read().await?;
    let mut found = Vec::new();
    if can(Action::Decide, ScopeKind::HostApp) {
        found.push(tx.audits_waiting(caller).await?);
    }
    for (side, kind) in
        [(BindingState::WaitsForTeam, ScopeKind::Team), (BindingState::WaitsForHostApp, ScopeKind::HostApp)]
    {
        if can(Action::Configure, kind) {
            found.push(tx.bindings_waiting(caller, side).await?);
        }
    }
    if can(Action::Release, ScopeKind::Team) {
        found.push(tx.versions_to_publish(caller).await?);
        found.push(tx.gray_tasks_ending(caller).await?);
        found.push(tx.gray_tasks_suspended(caller).await?);
        found.push(tx.gray_tasks_failing(caller).await?);
    }
    if can(Action::Develop, ScopeKind::Team) {
        found.push(tx.versions_rejected(caller).await?);
    }
    for kind in PermitKind::ALL {
        if can(kind.decided_by(), ScopeKind::HostApp) {
            found.push(tx.permits_waiting(caller, *kind).await?);
        }
    }
    if can(Action::Operate, ScopeKind::Merchant) {
        found.push(tx.channels_unauthorised(caller).await?);
    }
    if can(Action::Fulfil, ScopeKind::Platform) {
        found.push(tx.fulfilments_waiting().await?);
    }
    if ScopeKind::ALL.iter().any(|kind| can(Action::Configure, *kind)) {
        found.push(tx.deliveries_dead(caller).await?);
    }
    Ok(WaitingList::of(found))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail loudly, and says how long it took")]
mod tests;

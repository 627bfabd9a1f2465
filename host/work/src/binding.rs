//! Bindings say which MiniApps a host app runs. Both sides must agree, because each gets a say over the other: people
//! of the host app judge the versions of the MiniApp, and the MiniApp runs on the devices of the host app. An admin of
//! one side asks for the binding, and an admin of the other side agrees, by the same call. An admin of both sides, or
//! of the platform, does both at once.

pub use berth_model::binding::*;

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    access::{Action, Caller, Scope},
    event::{Kind, Unbound, kind},
};
use berth_store::{Db, Tx};
use serde::Serialize;

use crate::{host_app, mini_app, settings};

/// The sides of a binding of which the caller is an admin.
#[derive(Clone, Copy, Debug)]
struct Sides {
    host_app: bool,
    team: bool,
}

impl Sides {
    /// Finds the sides for which the caller may speak.
    ///
    /// # Errors
    /// `not-found` when the caller may know about neither side; `missing-grant` when the caller is an admin of neither.
    async fn of(tx: &mut Tx, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<Self> {
        let host_app = Scope::HostApp(id.clone());
        let found = (tx.host_app(id).await?, tx.mini_app(mini_app).await?);
        let team = found.1.map(|mini_app| Scope::Team(mini_app.team));
        let knows_one = caller.knows(&host_app) || team.as_ref().is_some_and(|team| caller.knows(team));
        if found.0.is_none() || !knows_one {
            return Err(Error::not_found("host app", id));
        }
        let team = team.ok_or_else(|| Error::not_found("MiniApp", mini_app))?;
        let action = Action::Configure;
        let sides = Self { host_app: caller.can(action, &host_app), team: caller.can(action, &team) };
        if !sides.host_app && !sides.team {
            caller.require(action, if caller.knows(&team) { &team } else { &host_app })?;
        }
        Ok(sides)
    }
}

/// The state of a binding after an admin of these sides has asked for it or agreed to it.
fn agreed(before: Option<BindingState>, by: Sides) -> BindingState {
    use BindingState::{Active, WaitsForHostApp, WaitsForTeam};
    match before {
        _ if by.host_app && by.team => Active,
        Some(WaitsForTeam) if by.team => Active,
        Some(WaitsForHostApp) if by.host_app => Active,
        Some(before) => before,
        None if by.host_app => WaitsForTeam,
        None => WaitsForHostApp,
    }
}

/// Binds a MiniApp to a host app: asks for it in the name of one side, or agrees in the name of the other. Asking again
/// in the name of the same side does nothing.
///
/// # Errors
/// `not-found` when the caller may know about neither side; `missing-grant` when the caller is an admin of neither.
#[tracing::instrument(name = "binding.bind", skip_all, fields(host_app = %id, mini_app = %mini_app))]
pub async fn bind(db: &Db, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<Binding> {
    let mut tx = db.begin().await?;
    let sides = Sides::of(&mut tx, caller, id, mini_app).await?;
    tx.hold_mini_app(mini_app).await?;
    let before = tx.binding(id, mini_app).await?;
    let state = agreed(before.as_ref().map(|binding| binding.state), sides);
    if let Some(before) = before.filter(|before| before.state == state) {
        return Ok(before);
    }
    let binding = Binding { host_app: id.clone(), mini_app: mini_app.clone(), state, created_at: tx.now() };
    tx.put_binding(&binding).await?;
    let kind = if state == BindingState::Active { kind::BINDING_CREATED } else { kind::BINDING_ASKED };
    tx.tell(kind, mini_app, caller.account.as_str(), &binding).for_mini_app(mini_app).for_host_app(id);
    tx.commit().await?;
    Ok(binding)
}

/// Ends a binding, active or not, in the name of either side, and with it what the host app had permitted. Devices in this
/// host app then have no service for the MiniApp.
///
/// # Errors
/// As for [`bind`]; `not-found` also when there is no binding.
#[tracing::instrument(name = "binding.unbind", skip_all, fields(host_app = %id, mini_app = %mini_app))]
pub async fn unbind(db: &Db, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    Sides::of(&mut tx, caller, id, mini_app).await?;
    tx.hold_mini_app(mini_app).await?;
    if !tx.delete_binding(id, mini_app).await? {
        return Err(Error::not_found("binding of", mini_app));
    }
    settings::end_permits(&mut tx, mini_app, id, caller.account.as_str()).await?;
    let data = Unbound { host_app: id.clone(), mini_app: mini_app.clone() };
    tx.tell(kind::BINDING_REMOVED, mini_app, caller.account.as_str(), &data).for_mini_app(mini_app).for_host_app(id);
    tx.commit().await
}

/// Tells the host apps to which a MiniApp is bound, so that their members and webhooks hear of it: what else the
/// MiniApp's events tell is its team's.
pub(crate) async fn tell_host_apps<T: Serialize>(
    tx: &mut Tx,
    kind: Kind<T>,
    mini_app: &MiniAppId,
    actor: &str,
    data: &T,
) -> Result<()> {
    for host_app in tx.bound_host_apps(mini_app).await? {
        tx.tell(kind, mini_app, actor, data).for_host_app(&host_app);
    }
    Ok(())
}

/// All bindings of a host app, active or not, ordered by the id of the MiniApp, for a caller who may read the host app.
pub async fn of_host_app(db: &Db, caller: &Caller, id: &HostAppId) -> Result<Vec<Binding>> {
    let mut tx = db.read().await?;
    host_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.bindings_of_host_app(id).await
}

/// All bindings of a MiniApp, active or not, ordered by the id of the host app, for a caller who may read the MiniApp.
pub async fn of_mini_app(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<Binding>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.bindings_of_mini_app(id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use BindingState::{Active, WaitsForHostApp, WaitsForTeam};

    #[test]
    fn f80_a_binding_is_active_when_both_sides_agree() {
        let (host_app, team) = (Sides { host_app: true, team: false }, Sides { host_app: false, team: true });
        let both = Sides { host_app: true, team: true };
        let cases = [
            (None, host_app, WaitsForTeam),
            (None, team, WaitsForHostApp),
            (None, both, Active),
            (Some(WaitsForTeam), host_app, WaitsForTeam),
            (Some(WaitsForTeam), team, Active),
            (Some(WaitsForHostApp), team, WaitsForHostApp),
            (Some(WaitsForHostApp), host_app, Active),
            (Some(WaitsForTeam), both, Active),
            (Some(Active), host_app, Active),
            (Some(Active), team, Active),
        ];
        for (before, by, expected) in cases {
            assert_eq!(agreed(before, by), expected, "{before:?} {by:?}");
        }
    }
}

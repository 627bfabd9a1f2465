//! Bindings say which MiniApps a host app runs. Both sides must agree, because each gets a say over the other: people
//! of the host app judge the versions of the MiniApp, and the MiniApp runs on the devices of the host app. An admin of
//! one side asks for the binding, and an admin of the other side agrees, by the same call. An admin of both sides, or
//! of the platform, does both at once.

pub use berth_model::binding::*;

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller, Scope},
    event::{Kind, Unbound, kind},
};
use berth_store::{Db, Tx};
use serde::Serialize;

use crate::{
    agreement::{Sides, States},
    host_app, mini_app, settings,
};

/// How a binding is agreed: the host app is the first side, the MiniApp's team the second.
const STATES: States<BindingState> = States {
    active: BindingState::Active,
    waits_for_first: BindingState::WaitsForHostApp,
    waits_for_second: BindingState::WaitsForTeam,
};

/// Finds the sides of a binding for which the caller may speak.
///
/// # Errors
/// `not-found` when the caller may know about neither side; `missing-grant` when the caller is an admin of neither.
async fn sides(tx: &mut Tx, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<Sides> {
    let host_app = Scope::HostApp(id.clone());
    let found = (tx.host_app(id).await?, tx.mini_app(mini_app).await?);
    let team = found.1.map(|mini_app| Scope::Team(mini_app.team));
    let knows_one = caller.knows(&host_app) || team.as_ref().is_some_and(|team| caller.knows(team));
    if found.0.is_none() || !knows_one {
        return Err(Error::not_found("host app", id));
    }
    let team = team.ok_or_else(|| Error::not_found("MiniApp", mini_app))?;
    let action = Action::Configure;
    let sides = Sides { first: caller.can(action, &host_app), second: caller.can(action, &team) };
    if !sides.first && !sides.second {
        caller.require(action, if caller.knows(&team) { &team } else { &host_app })?;
    }
    Ok(sides)
}

/// Binds a MiniApp to a host app: asks for it in the name of one side, or agrees in the name of the other. Asking again
/// in the name of the same side does nothing.
///
/// # Errors
/// `not-found` when the caller may know about neither side; `missing-grant` when the caller is an admin of neither.
#[tracing::instrument(name = "binding.bind", skip_all, fields(host_app = %id, mini_app = %mini_app))]
pub async fn bind(db: &Db, caller: &Caller, id: &HostAppId, mini_app: &MiniAppId) -> Result<Binding> {
    let mut tx = db.begin().await?;
    let by = sides(&mut tx, caller, id, mini_app).await?;
    tx.hold_mini_app(mini_app).await?;
    let before = tx.binding(id, mini_app).await?;
    let state = STATES.after(before.as_ref().map(|binding| binding.state), by);
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
    sides(&mut tx, caller, id, mini_app).await?;
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

/// The bindings of a host app, active or not, ordered by the id of the MiniApp, for a caller who may read the host app.
pub async fn of_host_app(db: &Db, caller: &Caller, id: &HostAppId, query: &BindingQuery) -> Result<Page<Binding>> {
    let mut tx = db.read().await?;
    host_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let bindings = tx.bindings_of_host_app(id, query).await?;
    Ok(Page::of_most(bindings, &query.page(), |binding| binding.mini_app.to_string()))
}

/// All bindings of a MiniApp, active or not, ordered by the id of the host app, for a caller who may read the MiniApp.
pub async fn of_mini_app(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<Binding>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.bindings_of_mini_app(id).await
}

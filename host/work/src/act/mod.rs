//! Who did what, and from where: acts are written with what they change, see [`berth_store::act`], and read here.

mod command;
mod retain;

pub use berth_model::act::*;
pub use command::by_command;
pub use retain::{ActConfig, run_forgetter};

use std::collections::BTreeSet;

use berth_base::{
    error::{Error, Result},
    ids::{ActId, MiniAppId},
    page::Page,
};
use berth_model::{
    access::{Action, Caller, Scope, ScopeKind},
    event::Event,
};
use berth_store::{Db, Tx};

use crate::mini_app;

/// A page of the acts that the caller may read, newest first: all of them for admins and viewers of the platform, those about a
/// place for its admins, and for everybody their own.
///
/// # Errors
/// `not-found` or `missing-grant` when the caller may not read what the query asks for; `invalid-field`.
pub async fn list(db: &Db, caller: &Caller, query: &ActQuery) -> Result<Page<Act>> {
    let mut tx = db.read().await?;
    let Page { items, next } = page(&mut tx, caller, query).await?;
    if reads_all(caller) {
        return Ok(Page { items, next });
    }
    let mut told = Vec::with_capacity(items.len());
    for act in items {
        told.push(detail(&mut tx, caller, act).await?.act);
    }
    Ok(Page { items: told, next })
}

/// A page of acts as they are kept.
async fn page(tx: &mut Tx, caller: &Caller, query: &ActQuery) -> Result<Page<Act>> {
    query.check()?;
    may_list(tx, caller, query).await?;
    let page = query.page();
    let acts = tx.acts(query, &page).await?;
    Ok(Page::of(acts, &page, |act| act.id.to_string()))
}

/// An act with those of its events that the caller may read.
///
/// # Errors
/// `not-found` for an act that there is not, or that is about nothing that the caller may know of; `missing-grant`.
pub async fn get(db: &Db, caller: &Caller, id: &ActId) -> Result<ActDetail> {
    caller.require_scope(Action::ReadActs.token_scope())?;
    let mut tx = db.read().await?;
    let act = tx.act(id).await?.ok_or_else(|| Error::not_found("act", id))?;
    if !reads_all(caller) && act.actor != caller.account.as_str() {
        let known: Vec<_> = act.places.iter().filter_map(scope_of).filter(|scope| caller.knows(scope)).collect();
        if known.is_empty() {
            return Err(Error::not_found("act", id));
        }
        require_one(caller, &known)?;
    }
    detail(&mut tx, caller, act).await
}

/// A page of acts with their events.
///
/// # Errors
/// As for [`list`].
pub async fn details(db: &Db, caller: &Caller, query: &ActQuery) -> Result<Page<ActDetail>> {
    let mut tx = db.read().await?;
    let Page { items, next } = page(&mut tx, caller, query).await?;
    let mut details = Vec::with_capacity(items.len());
    for act in items {
        details.push(detail(&mut tx, caller, act).await?);
    }
    Ok(Page { items: details, next })
}

async fn detail(tx: &mut Tx, caller: &Caller, act: Act) -> Result<ActDetail> {
    let events = tx.events_of_act(&act.id).await?.into_iter().map(Event::from).collect();
    let events = readable(tx, caller, events).await?;
    if reads_all(caller) {
        return Ok(ActDetail { act, events });
    }
    let asked = Place::of_path(&act.path);
    let mini_apps = act.places.iter().chain(&asked).filter(|place| place.kind == PlaceKind::MiniApp);
    let mini_apps: BTreeSet<MiniAppId> = mini_apps.filter_map(|place| place.id.parse().ok()).collect();
    let owners = tx.owners(&mini_apps).await?;
    let of_team = |place: &Place| {
        let team = owners.iter().find(|(id, _)| place.kind == PlaceKind::MiniApp && id.as_str() == place.id);
        team.is_some_and(|(_, team)| caller.can(Action::ReadActs, &Scope::Team(team.clone())))
    };
    let act = act.told(&caller.account, &events, |place| of_team(place) || may_read(caller, place));
    Ok(ActDetail { act, events })
}

fn reads_all(caller: &Caller) -> bool {
    caller.can(Action::ReadActs, &Scope::Platform)
}

/// Whether the caller may read the acts about a place. What is about a MiniApp is also about its team.
fn may_read(caller: &Caller, place: &Place) -> bool {
    scope_of(place).is_some_and(|scope| caller.can(Action::ReadActs, &scope))
}

fn scope_of(place: &Place) -> Option<Scope> {
    let kind = match place.kind {
        PlaceKind::Team => ScopeKind::Team,
        PlaceKind::HostApp => ScopeKind::HostApp,
        PlaceKind::Merchant => ScopeKind::Merchant,
        PlaceKind::Workspace => ScopeKind::Workspace,
        PlaceKind::MiniApp => return None,
    };
    Scope::parse(kind, &place.id).ok()
}

/// Those of the events that are about a place whose acts the caller may read: one request may change what belongs to several
/// teams and host apps, each of which learns of its own.
async fn readable(tx: &mut Tx, caller: &Caller, mut events: Vec<Event>) -> Result<Vec<Event>> {
    if reads_all(caller) {
        return Ok(events);
    }
    let mini_apps: BTreeSet<MiniAppId> = events.iter().filter_map(|event| event.mini_app.clone()).collect();
    let owners = tx.owners(&mini_apps).await?;
    let of_team = |event: &Event| {
        let team = event.mini_app.as_ref().and_then(|id| owners.get(id));
        team.is_some_and(|team| caller.can(Action::ReadActs, &Scope::Team(team.clone())))
    };
    events.retain(|event| of_team(event) || event.concern().places().iter().any(|place| may_read(caller, place)));
    Ok(events)
}

/// Refuses a query for acts that the caller may not read. With several conditions one that they may read is enough, as the
/// others only narrow it.
async fn may_list(tx: &mut Tx, caller: &Caller, query: &ActQuery) -> Result<()> {
    let places = query.places();
    let mut scopes: Vec<Scope> = places.iter().filter_map(scope_of).collect();
    if let Some(hidden) = scopes.iter().find(|scope| !caller.knows(scope)) {
        return Err(Error::not_found(hidden.kind().as_str(), hidden.id()));
    }
    if let Some(id) = &query.mini_app {
        scopes.push(mini_app::readable(tx, caller, id).await?.0.scope());
    }
    if scopes.is_empty() && query.actor.as_deref() == Some(caller.account.as_str()) {
        return caller.require_scope(Action::ReadActs.token_scope());
    }
    if scopes.is_empty() {
        scopes.push(Scope::Platform);
    }
    require_one(caller, &scopes)
}

/// Refuses with `missing-grant` unless the caller may read the acts in one of these scopes.
fn require_one(caller: &Caller, scopes: &[Scope]) -> Result<()> {
    if scopes.iter().any(|scope| caller.can(Action::ReadActs, scope)) {
        return Ok(());
    }
    scopes.iter().try_for_each(|scope| caller.require(Action::ReadActs, scope))
}

//! Who has which role in a team, a host app, a merchant, or the platform.

pub mod roles;

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use berth_model::{
    access::{Action, EditTeam, Scope, ScopeKind, Team},
    policy::registry::Level,
};

use self::roles::{Place, Roles};
use super::policies::trust_address;
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::Filled,
    path::at,
    refused::not_found,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/{kind}/{id}/members", get(list).post(set))
        .route("/ui/{kind}/{id}/members/name", post(rename))
        .route("/ui/{kind}/{id}/members/{account}/remove", get(confirm_remove).post(remove))
}

/// The page with who has a role at a place; `None` where the visitor may not see it.
pub fn address(visit: &Visit, scope: &Scope) -> Option<String> {
    visit.can(Action::Read, scope).then(|| match scope {
        Scope::Platform => "/ui/platform/all/members".into(),
        Scope::Team(id) => at!("/ui/teams/{}/members", id),
        Scope::HostApp(id) => at!("/ui/host-apps/{}/members", id),
        Scope::Merchant(id) => at!("/ui/merchants/{}/members", id),
        Scope::Workspace(id) => at!("/ui/workspaces/{}/accounts", id),
    })
}

fn place(visit: &Visit, kind: &str, id: &str) -> Result<Place, Shown> {
    let scope_kind = match kind {
        "teams" => ScopeKind::Team,
        "host-apps" => ScopeKind::HostApp,
        "merchants" => ScopeKind::Merchant,
        "platform" => ScopeKind::Platform,
        _ => return Err(visit.refuse(not_found())),
    };
    let scope = Scope::parse(scope_kind, id).map_err(|_| not_found()).or_show(visit)?;
    let list =
        if scope == Scope::Platform { "/v1/platform/members".into() } else { at!("/v1/{}/{}/members", kind, id) };
    let here = at!("/ui/{}/{}/members", kind, id);
    Ok(Place { scope, list, here, loss: |t, name| t.remove_member_effect(name), does: None })
}

#[derive(askama::Template)]
#[template(path = "people/members.html")]
struct Page<'a> {
    t: Texts,
    title: &'a str,
    roles: &'a Roles<'a>,
    /// The team with its name, for those who may change it.
    team: Option<Team>,
    /// Where the keys are that the team trusts to sign policies.
    trust: Option<String>,
    command: String,
    filled: &'a Filled,
}

async fn list(visit: Visit, Path((kind, id)): Path<(String, String)>) -> Answer {
    show(&visit, &place(&visit, &kind, &id)?, &id, &Filled::default()).await
}

async fn show(visit: &Visit, place: &Place, id: &str, filled: &Filled) -> Answer {
    let team = team(visit, &place.scope).await?;
    let name = match &place.scope {
        Scope::Platform => visit.t.scope_platform(),
        _ => team.as_ref().map_or(id, |team| &team.name),
    };
    let title = format!("{} · {name}", visit.t.members());
    let roles = place.roles(visit, filled).await?;
    let trust = team.as_ref().map(|team| trust_address(Level::Team, &team.id));
    let team = team.filter(|_| visit.can(Action::Configure, &place.scope));
    let page = Page { t: visit.t, title: &title, roles: &roles, team, trust, command: place.command(), filled };
    visit.page(Head { title: &title, ..Head::default() }, &page)
}

/// The team that a place is; `None` when it is something else.
async fn team(visit: &Visit, scope: &Scope) -> Result<Option<Team>, Shown> {
    let Scope::Team(id) = scope else { return Ok(None) };
    visit.api.team(id.as_str()).await.or_show(visit)
}

async fn rename(visit: Visit, Path((kind, id)): Path<(String, String)>, sent: Sent) -> Answer {
    let place = place(&visit, &kind, &id)?;
    let Scope::Team(team) = &place.scope else { return Err(visit.refuse(not_found())) };
    let edit = EditTeam { name: sent.get("name").into() };
    match visit.api.act(Method::PATCH, &at!("/v1/teams/{}", team), &edit).await {
        Ok(()) => done(&place.here, visit.t.team_renamed()),
        Err(refused) => show(&visit, &place, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn set(visit: Visit, Path((kind, id)): Path<(String, String)>, sent: Sent) -> Answer {
    let place = place(&visit, &kind, &id)?;
    match place.give(&visit, &sent).await {
        Ok(()) => done(&place.here, visit.t.member_set()),
        Err(refused) => show(&visit, &place, &id, &sent.again(&visit, refused)?).await,
    }
}

type OfAccount = Path<(String, String, String)>;

async fn confirm_remove(visit: Visit, Path((kind, id, account)): OfAccount) -> Answer {
    show_remove(&visit, &place(&visit, &kind, &id)?, &account, &Filled::default()).await
}

async fn show_remove(visit: &Visit, place: &Place, account: &str, filled: &Filled) -> Answer {
    let above = vec![(visit.t.members().to_owned(), place.here.clone())];
    place.show_take(visit, above, "", account, filled).await
}

async fn remove(visit: Visit, Path((kind, id, account)): OfAccount, sent: Sent) -> Answer {
    let place = place(&visit, &kind, &id)?;
    match place.take(&visit, &account).await {
        Ok(()) => done(&place.here, visit.t.member_removed()),
        Err(refused) => show_remove(&visit, &place, &account, &sent.again(&visit, refused)?).await,
    }
}

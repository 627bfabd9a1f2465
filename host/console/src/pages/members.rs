//! Who has which role in a team, a host app, a merchant, or the platform.

pub mod roles;

use axum::{Router, extract::Path, routing::get};
use berth_model::access::{Scope, ScopeKind};

use self::roles::{Place, Roles};
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
        .route("/ui/{kind}/{id}/members/{account}/remove", get(confirm_remove).post(remove))
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
    command: String,
    filled: &'a Filled,
}

async fn list(visit: Visit, Path((kind, id)): Path<(String, String)>) -> Answer {
    show(&visit, &place(&visit, &kind, &id)?, &id, &Filled::default()).await
}

async fn show(visit: &Visit, place: &Place, id: &str, filled: &Filled) -> Answer {
    let title = format!("{} · {id}", visit.t.members());
    let roles = place.roles(visit, filled).await?;
    let page = Page { t: visit.t, title: &title, roles: &roles, command: place.command(), filled };
    visit.page(Head { title: &title, ..Head::default() }, &page)
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

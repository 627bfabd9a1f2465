//! Who has which role in a team, a host app, a merchant, or the platform.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::access::{Action, Member, Role, Scope, ScopeKind, SetRole};

use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::Filled,
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/{kind}/{id}/members", get(list).post(set))
        .route("/ui/{kind}/{id}/members/{account}/remove", get(confirm_remove).post(remove))
}

/// The address below which the API and the console have what a scope covers, and the scope.
struct Place {
    scope: Scope,
    path: String,
}

fn place(visit: &Visit, kind: &str, id: &str) -> Result<Place, Shown> {
    let scope_kind = match kind {
        "teams" => ScopeKind::Team,
        "host-apps" => ScopeKind::HostApp,
        "merchants" => ScopeKind::Merchant,
        "platform" => ScopeKind::Platform,
        _ => return Err(visit.refuse(crate::refused::not_found())),
    };
    let scope = Scope::parse(scope_kind, id).map_err(|_| visit.refuse(crate::refused::not_found()))?;
    let path = if scope == Scope::Platform { "/platform".into() } else { at!("/{}/{}", kind, id) };
    Ok(Place { scope, path })
}

#[derive(askama::Template)]
#[template(path = "people/members.html")]
struct Page<'a> {
    t: Texts,
    title: &'a str,
    here: &'a str,
    members: &'a [Member],
    roles: &'static [Role],
    may_manage: bool,
    filled: &'a Filled,
}

async fn list(visit: Visit, Path((kind, id)): Path<(String, String)>) -> Answer {
    show(&visit, &kind, &id, &Filled::default()).await
}

async fn show(visit: &Visit, kind: &str, id: &str, filled: &Filled) -> Answer {
    let Place { scope, path } = place(visit, kind, id)?;
    let members: Vec<Member> = visit.api.list(&format!("/v1{path}/members")).await.or_show(visit)?;
    let title = format!("{} · {id}", visit.t.members());
    let page = Page {
        t: visit.t,
        title: &title,
        here: &at!("/ui/{}/{}/members", kind, id),
        members: &members,
        roles: scope.kind().roles(),
        may_manage: visit.can(Action::ManageMembers, &scope),
        filled,
    };
    visit.page(Head { title: &title, ..Head::default() }, &page)
}

async fn set(visit: Visit, Path((kind, id)): Path<(String, String)>, sent: Sent) -> Answer {
    let path = place(&visit, &kind, &id)?.path;
    match give(&visit, &path, &sent).await {
        Ok(()) => done(&at!("/ui/{}/{}/members", kind, id), visit.t.member_set()),
        Err(refused) => show(&visit, &kind, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn give(visit: &Visit, path: &str, sent: &Sent) -> Result<(), Refused> {
    let role = sent.read("role")?;
    let path = format!("/v1{path}/members/") + &at!("{}", sent.get("account"));
    visit.api.act(Method::PUT, &path, &SetRole { role }).await
}

async fn confirm_remove(visit: Visit, Path((kind, id, account)): Path<(String, String, String)>) -> Answer {
    show_remove(&visit, &kind, &id, &account, &Filled::default()).await
}

async fn show_remove(visit: &Visit, kind: &str, id: &str, account: &str, filled: &Filled) -> Answer {
    let path = place(visit, kind, id)?.path;
    let members: Vec<Member> = visit.api.list(&format!("/v1{path}/members")).await.or_show(visit)?;
    let name = members.iter().find(|member| member.account.as_str() == account).map_or(account, |member| &member.name);
    let t = visit.t;
    let back = at!("/ui/{}/{}/members", kind, id);
    let confirm = Confirm {
        act: t.remove().into(),
        effects: vec![t.remove_member_effect(name)],
        is_dangerous: true,
        back: back.clone(),
        ..Confirm::default()
    };
    let title = format!("{} · {name}", t.remove());
    confirm.show(visit, Head { title: &title, above: vec![(t.members().into(), back)], ..Head::default() }, filled)
}

async fn remove(visit: Visit, Path((kind, id, account)): Path<(String, String, String)>, sent: Sent) -> Answer {
    let path = place(&visit, &kind, &id)?.path;
    match visit.api.just(Method::DELETE, &(format!("/v1{path}/members/") + &at!("{}", account))).await {
        Ok(()) => done(&at!("/ui/{}/{}/members", kind, id), visit.t.member_removed()),
        Err(refused) => show_remove(&visit, &kind, &id, &account, &sent.again(&visit, refused)?).await,
    }
}

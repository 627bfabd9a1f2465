//! The accounts that have a role in a workspace: its admins and readers, its directory, and the server of its portal.

use axum::{Router, extract::Path, routing::get};

use berth_base::ids::WorkspaceId;
use berth_model::{
    access::{Member, Role, Scope},
    workspace::Workspace,
};

use super::{PLACE, Tab, head, tabs, workspace};
use crate::{
    Console,
    act::Sent,
    frame::done,
    pages::members::roles::{Place, Roles},
    parts::Filled,
    path::at,
    refused::not_found,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/accounts", get(list).post(give))
        .route("/ui/workspaces/{id}/accounts/{account}/remove", get(confirm_take).post(take))
}

#[derive(askama::Template)]
#[template(path = "workspaces/accounts.html")]
struct Page<'a> {
    t: Texts,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    roles: &'a Roles<'a>,
    command: String,
    filled: &'a Filled,
}

fn does(t: Texts, role: &Role) -> &'static str {
    match role {
        Role::Provisioner => t.ws_role_provisioner(),
        Role::Server => t.ws_role_server(),
        Role::Admin => t.ws_role_admin(),
        _ => t.ws_role_viewer(),
    }
}

fn place(visit: &Visit, id: &str) -> Result<Place, Shown> {
    let workspace: WorkspaceId = id.parse().map_err(|_| not_found()).or_show(visit)?;
    Ok(Place {
        scope: Scope::Workspace(workspace),
        list: at!("/v1/workspaces/{}/accounts", id),
        here: at!("/ui/workspaces/{}/accounts", id),
        loss: |t, name| t.ws_take_role_effect(name),
        does: Some(does),
    })
}

/// The accounts that have a role in a workspace.
pub async fn with_role(visit: &Visit, id: &str) -> Result<Vec<Member>, Shown> {
    place(visit, id)?.members(visit).await
}

async fn list(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let place = place(visit, id)?;
    let page = Page {
        t: visit.t,
        tabs: tabs(visit.t, id, "/accounts"),
        roles: &place.roles(visit, filled).await?,
        command: place.command(),
        filled,
        it: &it,
    };
    visit.page(head(visit, visit.t.ws_accounts(), Some(&it)), &page)
}

async fn give(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let place = place(&visit, &id)?;
    match place.give(&visit, &sent).await {
        Ok(()) => done(&place.here, visit.t.member_set()),
        Err(refused) => show(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_take(visit: Visit, Path((id, account)): Path<(String, String)>) -> Answer {
    show_take(&visit, &id, &account, &Filled::default()).await
}

async fn show_take(visit: &Visit, id: &str, account: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let place = place(visit, id)?;
    let mut above = head(visit, "", Some(&it)).above;
    above.push((visit.t.ws_accounts().to_owned(), place.here.clone()));
    place.show_take(visit, above, PLACE, account, filled).await
}

async fn take(visit: Visit, Path((id, account)): Path<(String, String)>, sent: Sent) -> Answer {
    let place = place(&visit, &id)?;
    match place.take(&visit, &account).await {
        Ok(()) => done(&place.here, visit.t.member_removed()),
        Err(refused) => show_take(&visit, &id, &account, &sent.again(&visit, refused)?).await,
    }
}

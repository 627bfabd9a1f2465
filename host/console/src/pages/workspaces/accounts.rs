//! The accounts that have a role in a workspace: its admins and readers, its directory, and the server of its portal.

use axum::{Router, extract::Path, http::Method, routing::get};

use berth_model::{
    access::{Action, Member, Role, ScopeKind, SetRole},
    workspace::Workspace,
};

use super::{Tab, head, scope, tabs, workspace};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::Filled,
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/accounts", get(list).post(give))
        .route("/ui/workspaces/{id}/accounts/{account}/remove", get(confirm_take).post(take))
}

fn page_of(id: &str) -> String {
    at!("/ui/workspaces/{}/accounts", id)
}

#[derive(askama::Template)]
#[template(path = "workspaces/accounts.html")]
struct Page<'a> {
    t: Texts,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    members: Vec<Member>,
    may_manage: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    fn roles(&self) -> &'static [Role] {
        ScopeKind::Workspace.roles()
    }

    fn is_role(&self, role: &Role) -> bool {
        self.filled.get("role") == role.as_str()
    }

    fn does(&self, role: &Role) -> &'static str {
        match role {
            Role::Provisioner => self.t.ws_role_provisioner(),
            Role::Server => self.t.ws_role_server(),
            Role::Admin => self.t.ws_role_admin(),
            _ => self.t.ws_role_viewer(),
        }
    }
}

/// The accounts that have a role in a workspace.
pub async fn with_role(visit: &Visit, id: &str) -> Result<Vec<Member>, Shown> {
    visit.api.list(&at!("/v1/workspaces/{}/accounts", id)).await.or_show(visit)
}

async fn list(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let page = Page {
        t: visit.t,
        tabs: tabs(visit.t, id, "/accounts"),
        members: with_role(visit, id).await?,
        may_manage: visit.can(Action::ManageMembers, &scope(&it)),
        filled,
        it: &it,
    };
    visit.page(head(visit, visit.t.ws_accounts(), Some(&it)), &page)
}

async fn give(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match give_of(&visit, &id, &sent).await {
        Ok(()) => done(&page_of(&id), visit.t.member_set()),
        Err(refused) => show(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn give_of(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let path = at!("/v1/workspaces/{}/accounts/{}", id, sent.get("account"));
    visit.api.act(Method::PUT, &path, &SetRole { role: sent.read("role")? }).await
}

async fn confirm_take(visit: Visit, Path((id, account)): Path<(String, String)>) -> Answer {
    show_take(&visit, &id, &account, &Filled::default()).await
}

async fn show_take(visit: &Visit, id: &str, account: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it = workspace(visit, id).await?;
    let members = with_role(visit, id).await?;
    let name = members.iter().find(|member| member.account.as_str() == account).map_or(account, |member| &member.name);
    let confirm = Confirm {
        act: t.remove().into(),
        effects: vec![t.ws_take_role_effect(name)],
        is_dangerous: true,
        back: page_of(id),
        ..Confirm::default()
    };
    let title = format!("{} · {name}", t.remove());
    let mut head = head(visit, &title, Some(&it));
    head.above.push((t.ws_accounts().to_owned(), page_of(id)));
    confirm.show(visit, head, filled)
}

async fn take(visit: Visit, Path((id, account)): Path<(String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/workspaces/{}/accounts/{}", id, account)).await {
        Ok(()) => done(&page_of(&id), visit.t.member_removed()),
        Err(refused) => show_take(&visit, &id, &account, &sent.again(&visit, refused)?).await,
    }
}

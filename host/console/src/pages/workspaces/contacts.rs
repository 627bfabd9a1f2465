//! External contacts of a workspace: people outside of the organisation, with whom it shares MiniApps.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::Deserialize;

use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    workspace::{Contact, Decision, NewContact, Portal, Workspace},
};

use super::{Tab, head, listed, scope, tabs, workspace};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::Filled,
    path::{at, with_query},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/contacts", get(list).post(add))
        .route("/ui/workspaces/{id}/contacts/{contact}/remove", get(confirm_remove).post(remove))
}

fn page_of(id: &str) -> String {
    at!("/ui/workspaces/{}/contacts", id)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "workspaces/contacts.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    contacts: Vec<Contact>,
    next: Option<String>,
    may_edit: bool,
    filled: &'a Filled,
}

async fn list(visit: Visit, Path(id): Path<String>, Query(ListQuery { cursor }): Query<ListQuery>) -> Answer {
    show(&visit, &id, &cursor, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, cursor: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let path = with_query(&at!("/v1/workspaces/{}/contacts", id), [("cursor", Some(cursor))]);
    let contacts: ListPage<Contact> = visit.api.page(&path).await.or_show(visit)?;
    let page = List {
        t: visit.t,
        visit,
        tabs: tabs(visit.t, id, "/contacts"),
        next: contacts.next.as_deref().map(|next| with_query(&page_of(id), [("cursor", Some(next))])),
        contacts: contacts.items,
        may_edit: visit.can(Action::Configure, &scope(&it)),
        filled,
        it: &it,
    };
    visit.page(head(visit, visit.t.ws_contacts(), Some(&it)), &page)
}

async fn add(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let new = NewContact { name: sent.get("name").into(), external_id: sent.some("external_id") };
    match visit.api.act(Method::POST, &at!("/v1/workspaces/{}/contacts", id), &new).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_contact_added()),
        Err(refused) => show(&visit, &id, "", &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove(visit: Visit, Path((id, contact)): Path<(String, String)>) -> Answer {
    show_remove(&visit, &id, &contact, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, contact: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it = workspace(visit, id).await?;
    let path = with_query(&at!("/v1/workspaces/{}/portal", id), [("contact", Some(contact))]);
    let portal: Portal = visit.api.get(&path).await.or_show(visit)?;
    let open = portal.items.iter().filter(|item| item.decision == Decision::Open);
    let open: Vec<&str> = open.map(|item| item.name.as_str()).collect();
    let mut effects = vec![t.ws_remove_contact_effect(&portal.name)];
    if !open.is_empty() {
        effects.push(t.ws_lost(listed(t, open)));
    }
    let confirm = Confirm {
        act: t.remove().into(),
        effects,
        is_dangerous: true,
        command: format!("berth workspace remove-contact {id} {contact}"),
        back: page_of(id),
        ..Confirm::default()
    };
    let title = format!("{} · {}", t.remove(), portal.name);
    let mut head = head(visit, &title, Some(&it));
    head.above.push((t.ws_contacts().to_owned(), page_of(id)));
    confirm.show(visit, head, filled)
}

async fn remove(visit: Visit, Path((id, contact)): Path<(String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/workspaces/{}/contacts/{}", id, contact)).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_contact_removed()),
        Err(refused) => show_remove(&visit, &id, &contact, &sent.again(&visit, refused)?).await,
    }
}

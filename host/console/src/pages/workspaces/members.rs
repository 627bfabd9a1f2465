//! The members of a workspace: who they are, what they are in, and what they may open.

mod acts;
mod one;

use std::borrow::Borrow;

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

use berth_base::{clock::Millis, page::Page as ListPage};
use berth_model::{
    access::Action,
    workspace::{Workspace, WorkspaceMember},
};

use super::{
    Tab,
    book::{Book, Groups, User, may_keep, member_by_request, quoted, work_email},
    head, scope, tabs, workspace,
};
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Badge, Filled, Tone},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/members", get(list))
        .route("/ui/workspaces/{id}/members/new", get(new).post(create))
        .merge(one::routes())
        .merge(acts::routes())
}

/// The workspace and the member of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, member: &str) -> String {
    at!("/ui/workspaces/{}/members/{}", id, member)
}

/// Whether somebody may use what the workspace has, as a badge.
pub fn state(t: &Texts, is_active: impl Borrow<bool>) -> Badge {
    if *is_active.borrow() {
        Badge { tone: Tone::Ok, mark: "●", word: t.ws_active() }
    } else {
        Badge { tone: Tone::Warn, mark: "‖", word: t.ws_suspended() }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    state: String,
    group: String,
    cursor: String,
    from: String,
}

impl ListQuery {
    fn is_of(&self, group: &str) -> bool {
        self.group == group
    }

    fn is_filtered(&self) -> bool {
        [&self.q, &self.state, &self.group].iter().any(|value| !value.is_empty())
    }

    /// The address of another part of the list.
    fn page(&self, id: &str, place: (&'static str, &str)) -> String {
        let members = [("q", &*self.q), ("state", &self.state), ("group", &self.group), place];
        let members = members.into_iter().map(|(name, value)| (name, Some(value)));
        with_query(&at!("/ui/workspaces/{}/members", id), members)
    }
}

/// A member in the list.
struct Row {
    id: String,
    name: String,
    user_name: String,
    external_id: String,
    is_active: bool,
    changed_at: Option<Millis>,
}

impl From<WorkspaceMember> for Row {
    fn from(one: WorkspaceMember) -> Self {
        let (id, changed_at) = (one.id.to_string(), Some(one.updated_at));
        let external_id = one.external_id.unwrap_or_default();
        Self { id, name: one.name, user_name: one.user_name, external_id, is_active: one.active, changed_at }
    }
}

impl From<User> for Row {
    fn from(one: User) -> Self {
        let (name, is_active, changed_at) = (one.name(), one.is_active(), one.changed_at());
        Self { id: one.id, name, user_name: one.user_name, external_id: one.external_id, is_active, changed_at }
    }
}

#[derive(askama::Template)]
#[template(path = "workspaces/members.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    query: &'a ListQuery,
    groups: &'a Groups,
    rows: Vec<Row>,
    next: Option<String>,
    /// Whether the address book answers for a part of a name and for a state.
    searches: bool,
    may_keep: bool,
}

/// How many members a page shows.
const PAGE: usize = 50;

async fn list(visit: Visit, Path(id): Path<String>, Query(query): Query<ListQuery>) -> Answer {
    let it = workspace(&visit, &id).await?;
    let searches = visit.can(Action::Provision, &scope(&it));
    let (rows, next) = if searches && !(query.q.is_empty() && query.state.is_empty()) {
        search(&visit, &id, &query).await
    } else {
        plain(&visit, &id, &query).await
    }
    .or_show(&visit)?;
    let page = List {
        t: visit.t,
        visit: &visit,
        tabs: tabs(visit.t, &id, "/members"),
        groups: &Groups::of(&visit, &id).await.or_show(&visit)?,
        may_keep: may_keep(&visit, &it).await,
        it: &it,
        query: &query,
        rows,
        next,
        searches,
    };
    visit.page(head(&visit, visit.t.ws_members(), Some(&it)), &page)
}

/// Members as the API lists them.
async fn plain(visit: &Visit, id: &str, query: &ListQuery) -> Result<(Vec<Row>, Option<String>), Refused> {
    let members = [("user_name", &query.q), ("group", &query.group), ("cursor", &query.cursor)];
    let members = members.into_iter().map(|(name, value)| (name, Some(value.as_str())));
    let path = with_query(&at!("/v1/workspaces/{}/members", id), members);
    let page: ListPage<WorkspaceMember> = visit.api.page(&path).await?;
    let next = page.next.as_deref().map(|next| query.page(id, ("cursor", next)));
    Ok((page.items.into_iter().map(Row::from).collect(), next))
}

/// Members whom the address book finds by a part of their name, or by their state.
async fn search(visit: &Visit, id: &str, query: &ListQuery) -> Result<(Vec<Row>, Option<String>), Refused> {
    let from = query.from.parse().unwrap_or(1);
    let found = Book::of(visit, id).users(&filter(query), from, PAGE).await?;
    let after = from + found.resources.len();
    let has_more = !found.resources.is_empty() && after <= found.total_results;
    let next = has_more.then(|| query.page(id, ("from", &after.to_string())));
    Ok((found.resources.into_iter().map(Row::from).collect(), next))
}

/// The filter of SCIM for those who may use nothing. Who is not said to be active or not is active.
const SUSPENDED: &str = "active eq false";

/// What was asked for, as a filter of SCIM.
fn filter(query: &ListQuery) -> String {
    let names = ["userName", "displayName", "name.formatted", "name.givenName", "name.familyName", "externalId"];
    let named = || names.map(|name| format!("{name} co {}", quoted(query.q.trim()))).join(" or ");
    let parts = [
        (!query.q.is_empty()).then(|| format!("({})", named())),
        (!query.state.is_empty())
            .then(|| if query.state == "suspended" { SUSPENDED.to_owned() } else { format!("not ({SUSPENDED})") }),
        (!query.group.is_empty()).then(|| format!("groups.value eq {}", quoted(&query.group))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

#[derive(askama::Template)]
#[template(path = "workspaces/new_member.html")]
struct New<'a> {
    t: Texts,
    it: &'a Workspace,
    departments: Vec<(&'a str, String)>,
    command: String,
    filled: &'a Filled,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Into {
    group: String,
}

async fn new(visit: Visit, Path(id): Path<String>, Query(Into { group }): Query<Into>) -> Answer {
    let filled = if group.is_empty() { Filled::default() } else { Filled::with(vec![("group".into(), group)]) };
    show_new(&visit, &id, &filled).await
}

async fn show_new(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let command = member_by_request(&visit.origin, id);
    let page = New { t: visit.t, it: &it, departments: groups.departments(), command, filled };
    visit.page(below(visit, visit.t.ws_add_member(), &it), &page)
}

/// The head of a page below the list of members.
fn below<'a>(visit: &Visit, title: &'a str, it: &Workspace) -> Head<'a> {
    let mut head = head(visit, title, Some(it));
    head.above.push((visit.t.ws_members().to_owned(), at!("/ui/workspaces/{}/members", it.id)));
    head
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let book = Book::of(&visit, &id);
    let made = match book.add_user(said(&sent)).await {
        Ok(made) => made,
        Err(refused) => return show_new(&visit, &id, &sent.again(&visit, refused)?).await,
    };
    let put = match sent.get("group") {
        "" => Ok(()),
        group => book.put_into(group, &made.id, false).await,
    };
    // The member is there already: what stands against the department is said on their page.
    match put {
        Ok(()) => done(&page_of(&id, &made.id), &visit.t.ws_member_added(made.name())),
        Err(refused) => one::show(&visit, &id, &made.id, &Filled::default().refused(refused).or_show(&visit)?).await,
    }
}

/// What a form says of a member.
fn said(sent: &Sent) -> Vec<(&'static str, serde_json::Value)> {
    let fields =
        [("userName", "user_name"), ("displayName", "name"), ("externalId", "external_id"), ("title", "title")];
    let texts = fields.into_iter().map(|(attribute, field)| (attribute, sent.get(field)));
    let mut said: Vec<_> = texts.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.into())).collect();
    if let Some(email) = sent.some("email") {
        said.push(("emails", json!([work_email(&email)])));
    }
    said
}

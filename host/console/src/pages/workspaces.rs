//! Workspaces: organisations with their address books, what they have for their people, and who may open which.

mod accounts;
mod apps;
mod book;
mod contacts;
mod departments;
mod directory;
mod members;
mod portal;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::{Deserialize, de::IgnoredAny};

use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    event::{Event, EventPage},
    oidc::SignIn,
    workspace::{EditWorkspace, NewWorkspace, Workspace, directory::Directory},
};

pub use super::mini_apps::Tab;
pub use directory::{Stuck, stuck};

use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Filled, Names, Shown as _},
    path::{at, with_query},
    refused::Refused,
    texts::{Texts, grouped},
    visit::{Answer, OrShow, Shown, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/workspaces";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(PLACE, get(list))
        .route("/ui/workspaces/new", get(new).post(create))
        .route("/ui/workspaces/{id}", get(overview).post(rename))
        .merge(members::routes())
        .merge(departments::routes())
        .merge(contacts::routes())
        .merge(apps::routes())
        .merge(directory::routes())
        .merge(portal::routes())
        .merge(accounts::routes())
}

/// The scope that a workspace is.
fn scope(workspace: &Workspace) -> Scope {
    Scope::Workspace(workspace.id.clone())
}

/// A workspace by its id.
async fn workspace(visit: &Visit, id: &str) -> Result<Workspace, Shown> {
    visit.api.get(&at!("/v1/workspaces/{}", id)).await.or_show(visit)
}

/// The pages of a workspace, of which one is open.
fn tabs(t: Texts, id: &str, here: &str) -> Vec<Tab> {
    let pages = [
        (t.overview(), ""),
        (t.ws_members(), "/members"),
        (t.ws_departments(), "/departments"),
        (t.ws_contacts(), "/contacts"),
        (t.ws_apps(), "/apps"),
        (t.ws_directory(), "/directory"),
        (t.ws_portal_tab(), "/portal"),
        (t.ws_accounts(), "/accounts"),
    ];
    let tab = |(name, path)| Tab { name, address: at!("/ui/workspaces/{}", id) + path, is_here: path == here };
    pages.into_iter().map(tab).collect()
}

/// The head of a page of a workspace.
fn head<'a>(visit: &Visit, title: &'a str, of: Option<&Workspace>) -> Head<'a> {
    let mut above = vec![(visit.t.workspaces().to_owned(), PLACE.to_owned())];
    above.extend(of.map(|one| (one.name.clone(), at!("/ui/workspaces/{}", one.id))));
    Head { title, above, place: PLACE, live: None }
}

/// How many names a sentence has at most.
const MOST_NAMED: usize = 10;

/// Names in a sentence, of which the last ones are counted when there are many.
fn listed<'a>(t: Texts, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let (first, rest) = names.split_at(names.len().min(MOST_NAMED));
    let first = first.join(t.comma());
    if rest.is_empty() { first } else { t.ws_and_more(first, rest.len()) }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "workspaces/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    workspaces: &'a [Workspace],
    next: Option<String>,
    may_create: bool,
}

impl List<'_> {
    /// Whether the visitor may read a workspace: its directory and the server of its portal know it, and read nothing.
    fn reads(&self, one: &Workspace) -> bool {
        self.visit.can(Action::Read, &scope(one))
    }
}

async fn list(visit: Visit, Query(ListQuery { cursor }): Query<ListQuery>) -> Answer {
    let path = with_query("/v1/workspaces", [("cursor", Some(cursor.as_str()))]);
    let page: ListPage<Workspace> = visit.api.page(&path).await.or_show(&visit)?;
    let next = page.next.as_deref().map(|next| with_query(PLACE, [("cursor", Some(next))]));
    let may_create = visit.can(Action::Administer, &Scope::Platform);
    let body = List { t: visit.t, visit: &visit, workspaces: &page.items, next, may_create };
    visit.page(Head { title: visit.t.workspaces(), place: PLACE, ..Head::default() }, &body)
}

#[derive(askama::Template)]
#[template(path = "workspaces/new.html")]
struct New<'a> {
    t: Texts,
    filled: &'a Filled,
}

async fn new(visit: Visit) -> Answer {
    show_new(&visit, &Filled::default())
}

fn show_new(visit: &Visit, filled: &Filled) -> Answer {
    visit.page(head(visit, visit.t.ws_new(), None), &New { t: visit.t, filled })
}

async fn create(visit: Visit, sent: Sent) -> Answer {
    match create_of(&visit, &sent).await {
        Ok(made) => done(&at!("/ui/workspaces/{}", made.id), &visit.t.ws_created(&made.name)),
        Err(refused) => show_new(&visit, &sent.again(&visit, refused)?),
    }
}

async fn create_of(visit: &Visit, sent: &Sent) -> Result<Workspace, Refused> {
    let new = NewWorkspace { name: sent.get("name").into(), id: sent.read_some("id")? };
    visit.api.tell(Method::POST, "/v1/workspaces", &new).await
}

/// How many there are of something, and where they are shown.
struct Count {
    name: &'static str,
    said: String,
    address: String,
}

/// Something that a new workspace needs.
struct Step {
    name: &'static str,
    address: String,
    is_done: bool,
}

#[derive(askama::Template)]
#[template(path = "workspaces/overview.html")]
struct OverviewPage<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    counts: Vec<Count>,
    steps: Vec<Step>,
    directory: Option<Directory>,
    sign_in: Option<SignIn>,
    /// Where the portal of this host is, if it is open.
    portal: Option<String>,
    events: Vec<Event>,
    names: &'a Names,
    may_edit: bool,
    filled: &'a Filled,
}

/// How many things are counted at most: a page of a list.
const MOST_COUNTED: usize = 200;

/// How many things a list has, as far as its first page says.
async fn count(visit: &Visit, path: &str) -> (usize, String) {
    let separator = if path.contains('?') { '&' } else { '?' };
    let page: Result<ListPage<IgnoredAny>, Refused> =
        visit.api.page(&format!("{path}{separator}limit={MOST_COUNTED}")).await;
    let Ok(page) = page else { return (0, "–".into()) };
    let more = if page.next.is_some() { "+" } else { "" };
    (page.items.len(), format!("{}{more}", page.items.len()))
}

/// How many members there are: all of them for whoever may ask the address book.
async fn count_members(visit: &Visit, it: &Workspace) -> (usize, String) {
    if visit.can(Action::Provision, &scope(it))
        && let Ok(total) = book::Book::of(visit, it.id.as_str()).count_members().await
    {
        return (total, grouped(total as u64));
    }
    count(visit, &at!("/v1/workspaces/{}/members", it.id)).await
}

async fn overview(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it = workspace(visit, id).await?;
    let list = |rest: &str| at!("/v1/workspaces/{}", it.id) + rest;
    let here = |rest: &str| at!("/ui/workspaces/{}", it.id) + rest;
    let members = count_members(visit, &it).await;
    let departments = count(visit, &list("/groups?kind=department")).await;
    let tags = count(visit, &list("/groups?kind=tag")).await;
    let contacts = count(visit, &list("/contacts")).await;
    let items = apps::items(visit, id).await.unwrap_or_default();
    let directory: Option<Directory> = visit.api.find(&list("/directory")).await.or_show(visit)?;
    let sign_in: Option<SignIn> = visit.api.get(&list("/sign-in")).await.ok();
    let provider = portal::provider(visit, id).await.ok().flatten();
    let has_sign_in = provider.is_some() || sign_in.as_ref().is_some_and(|sign_in| !sign_in.url.is_empty());
    let is_given = apps::is_any_given(visit, id, &items).await;
    let step = |name, rest: &str, is_done| Step { name, address: here(rest), is_done };
    let steps = [
        step(t.ws_step_book(), "/directory", members.0 > 0 || directory.is_some()),
        step(t.ws_step_items(), "/apps/new", !items.is_empty()),
        step(t.ws_step_give(), "/apps", is_given),
        step(t.ws_step_sign_in(), "/portal", has_sign_in),
    ];
    let counts = [
        (t.ws_members(), members.1, "/members"),
        (t.ws_departments(), departments.1, "/departments"),
        (t.ws_tags(), tags.1, "/departments"),
        (t.ws_contacts(), contacts.1, "/contacts"),
        (t.ws_apps(), items.len().to_string(), "/apps"),
    ];
    let events = with_query("/v1/events", [("workspace", Some(id)), ("before", Some("0")), ("limit", Some("8"))]);
    let events = visit.api.get::<EventPage>(&events).await.map(|page| page.items).unwrap_or_default();
    let names = Names::of(&visit.api, events.iter().map(|event| event.actor.as_str())).await;
    // What is to be done first is shown to those who can do it.
    let may_edit = visit.can(Action::Configure, &scope(&it));
    let mut head = head(visit, &it.name, None);
    head.live = Some(at!("/ui/live?workspace={}", it.id));
    let page = OverviewPage {
        t,
        visit,
        tabs: tabs(t, id, ""),
        counts: counts.into_iter().map(|(name, said, rest)| Count { name, said, address: here(rest) }).collect(),
        steps: if may_edit && !steps.iter().all(|step| step.is_done) { steps.into() } else { Vec::new() },
        directory,
        sign_in: sign_in.filter(|sign_in| !sign_in.url.is_empty()),
        portal: provider.map(|_| format!("{}{}", visit.origin, at!("/portal/{}", id))),
        events,
        names: &names,
        may_edit,
        filled,
        it: &it,
    };
    visit.page(head, &page)
}

async fn rename(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let edit = EditWorkspace { name: sent.get("name").into() };
    match visit.api.act(Method::PATCH, &at!("/v1/workspaces/{}", id), &edit).await {
        Ok(()) => done(&at!("/ui/workspaces/{}", id), visit.t.edited()),
        Err(refused) => show(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

//! What a workspace has for its people: applications, and MiniApps that it has linked, and to whom each is given.

mod access;
mod tool;

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};

use berth_base::{clock::Millis, page::Page as ListPage};
use berth_model::{
    access::Action,
    mini_app::ListedMiniApp,
    workspace::{
        Access, Application, ApplicationKind, Contact, EditApplication, LinkedMiniApp, NewApplication, Workspace,
    },
};

use super::{
    Tab,
    book::{self, Groups},
    head, listed, scope, tabs, workspace,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    pages::redirects::{self, Redirects},
    parts::{Badge, Filled, Tone},
    path::at,
    refused::{Refused, not_found},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};
use access::Choices;
use tool::Client;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/apps", get(list))
        .route("/ui/workspaces/{id}/apps/new", get(new).post(add))
        .route("/ui/workspaces/{id}/apps/link", post(link))
        .route("/ui/workspaces/{id}/apps/{item}", get(one).post(edit))
        .route("/ui/workspaces/{id}/apps/{item}/remove", get(confirm_remove).post(remove))
        .merge(access::routes())
        .merge(tool::routes())
}

/// The workspace and the application or MiniApp of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, item: &str) -> String {
    at!("/ui/workspaces/{}/apps/{}", id, item)
}

/// The address in the API. Only ids of applications have an underscore.
fn path_of(id: &str, item: &str) -> String {
    match item.contains('_') {
        true => at!("/v1/workspaces/{}/applications/{}", id, item),
        false => at!("/v1/workspaces/{}/mini-apps/{}", id, item),
    }
}

/// Something that members may open.
pub struct Item {
    pub id: String,
    pub name: String,
    /// The application; none for a MiniApp.
    pub application: Option<Application>,
    /// Whether it can be opened at all.
    pub is_online: bool,
    pub added_at: Millis,
}

impl From<Application> for Item {
    fn from(one: Application) -> Self {
        let (id, name, added_at) = (one.id.to_string(), one.name.clone(), one.added_at);
        Self { id, name, application: Some(one), is_online: true, added_at }
    }
}

impl From<LinkedMiniApp> for Item {
    fn from(one: LinkedMiniApp) -> Self {
        let LinkedMiniApp { mini_app, name, online, added_at } = one;
        Self { id: mini_app.to_string(), name, application: None, is_online: online, added_at }
    }
}

impl Item {
    /// What it is, for people.
    fn kind(&self, t: &Texts) -> &'static str {
        match self.application.as_ref().map(|application| application.kind) {
            None => t.mini_app(),
            Some(ApplicationKind::Link) => t.ws_link(),
            Some(ApplicationKind::InternalTool) => t.ws_tool(),
        }
    }

    /// Whether it is an internal tool, to which members are signed on.
    pub fn is_tool(&self) -> bool {
        self.application.as_ref().is_some_and(|application| application.kind == ApplicationKind::InternalTool)
    }
}

/// All that a workspace has, by name.
pub async fn items(visit: &Visit, id: &str) -> Result<Vec<Item>, Refused> {
    let applications: Vec<Application> = visit.api.list(&at!("/v1/workspaces/{}/applications", id)).await?;
    let mini_apps: Vec<LinkedMiniApp> = visit.api.list(&at!("/v1/workspaces/{}/mini-apps", id)).await?;
    let mut items: Vec<Item> = mini_apps.into_iter().map(Item::from).collect();
    items.extend(applications.into_iter().map(Item::from));
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// Something that members may open, and who.
pub struct Held {
    pub item: Item,
    pub access: Access,
}

impl Held {
    /// Whether it is given to a department or a tag itself.
    pub fn is_given_to(&self, group: &str) -> bool {
        self.access.departments.iter().chain(&self.access.tags).any(|given| given.as_str() == group)
    }
}

/// To whom something is given.
async fn access_of(visit: &Visit, id: &str, item: &str) -> Result<Access, Refused> {
    visit.api.get(&(path_of(id, item) + "/access")).await
}

/// All that a workspace has, with who may open it.
pub async fn held(visit: &Visit, id: &str) -> Vec<Held> {
    let mut held = Vec::new();
    for item in items(visit, id).await.unwrap_or_default() {
        let access = access_of(visit, id, &item.id).await.unwrap_or_default();
        held.push(Held { item, access });
    }
    held
}

/// Whether anything is given to anybody.
pub async fn is_any_given(visit: &Visit, id: &str, items: &[Item]) -> bool {
    for item in items {
        if access_of(visit, id, &item.id).await.is_ok_and(|access| !access.subjects().is_empty()) {
            return true;
        }
    }
    false
}

/// To whom something is given, in a sentence.
fn given_to(t: Texts, access: &Access, groups: &Groups) -> String {
    let mut parts: Vec<String> = access.everyone.then(|| t.ws_everyone().to_owned()).into_iter().collect();
    parts.extend(access.departments.iter().map(|id| groups.name(id.as_str()).to_owned()));
    parts.extend(access.tags.iter().map(|id| t.ws_tag_named(groups.name(id.as_str()))));
    if !access.members.is_empty() {
        parts.push(t.ws_count_members(access.members.len()));
    }
    if !access.contacts.is_empty() {
        parts.push(t.ws_count_contacts(access.contacts.len()));
    }
    if parts.is_empty() { t.ws_nobody().into() } else { listed(t, parts.iter().map(String::as_str)) }
}

#[derive(askama::Template)]
#[template(path = "workspaces/apps.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    held: Vec<Held>,
    groups: &'a Groups,
    may_edit: bool,
}

impl List<'_> {
    fn to_whom(&self, held: &Held) -> String {
        given_to(self.t, &held.access, self.groups)
    }

    fn state(&self, item: &Item) -> Option<Badge> {
        (!item.is_online).then(|| Badge { tone: Tone::Warn, mark: "⊘", word: self.t.ws_not_online() })
    }
}

async fn list(visit: Visit, Path(id): Path<String>) -> Answer {
    let it = workspace(&visit, &id).await?;
    let page = List {
        t: visit.t,
        visit: &visit,
        tabs: tabs(visit.t, &id, "/apps"),
        held: held(&visit, &id).await,
        groups: &Groups::of(&visit, &id).await.or_show(&visit)?,
        may_edit: visit.can(Action::Configure, &scope(&it)),
        it: &it,
    };
    visit.page(head(&visit, visit.t.ws_apps(), Some(&it)), &page)
}

/// The head of a page below the list of what there is to open.
fn below<'a>(visit: &Visit, title: &'a str, it: &Workspace) -> Head<'a> {
    let mut head = head(visit, title, Some(it));
    head.above.push((visit.t.ws_apps().to_owned(), at!("/ui/workspaces/{}/apps", it.id)));
    head
}

#[derive(askama::Template)]
#[template(path = "workspaces/new_app.html")]
struct New<'a> {
    t: Texts,
    it: &'a Workspace,
    /// MiniApps that are online and not linked yet.
    linkable: Vec<ListedMiniApp>,
    filled: &'a Filled,
}

impl New<'_> {
    fn is_kind(&self, kind: &str) -> bool {
        self.filled.or("kind", ApplicationKind::Link.as_str()) == kind
    }

    /// The commands that do what the page offers.
    fn commands(&self) -> String {
        let id = &self.it.id;
        let link = self.linkable.first().map(|one| format!("berth workspace link {id} {}", one.mini_app.id));
        let add = format!("berth workspace add-application {id} \"Wiki\" https://wiki.example.com/");
        link.into_iter().chain([add]).collect::<Vec<_>>().join("\n")
    }
}

async fn new(visit: Visit, Path(id): Path<String>) -> Answer {
    show_new(&visit, &id, &Filled::default()).await
}

async fn show_new(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let had = items(visit, id).await.or_show(visit)?;
    let apps: Result<ListPage<ListedMiniApp>, Refused> = visit.api.page("/v1/mini-apps?limit=200").await;
    let mut linkable = apps.map(|page| page.items).unwrap_or_default();
    let is_linked = |app: &ListedMiniApp| had.iter().any(|item| item.id == app.mini_app.id.as_str());
    linkable.retain(|app| app.online.is_some() && app.mini_app.on_shelf && !is_linked(app));
    let page = New { t: visit.t, it: &it, linkable, filled };
    visit.page(below(visit, visit.t.ws_add_app(), &it), &page)
}

async fn add(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match add_of(&visit, &id, &sent).await {
        Ok(made) => done(&page_of(&id, made.id.as_str()), &visit.t.ws_app_added(&made.name)),
        Err(refused) => show_new(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn add_of(visit: &Visit, id: &str, sent: &Sent) -> Result<Application, Refused> {
    let new = NewApplication {
        kind: sent.read("kind")?,
        name: sent.get("name").into(),
        description: sent.get("description").into(),
        url: sent.get("url").into(),
    };
    visit.api.tell(Method::POST, &at!("/v1/workspaces/{}/applications", id), &new).await
}

async fn link(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let app = sent.get("mini_app").to_owned();
    match visit.api.just(Method::PUT, &at!("/v1/workspaces/{}/mini-apps/{}", id, app)).await {
        Ok(()) => done(&page_of(&id, &app), &visit.t.ws_app_added(&app)),
        Err(refused) => show_new(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "workspaces/app.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    here: &'a str,
    item: &'a Item,
    choices: &'a Choices,
    /// The tag of to whom it was given when the form was made, and to whom that was.
    access_tag: &'a str,
    access_was: &'a str,
    client: Option<&'a Client>,
    redirects: Option<Redirects<'a>>,
    to_whom: String,
    may_edit: bool,
    filled: &'a Filled,
}

impl One<'_> {
    /// What the page shows and does, as commands.
    fn command(&self) -> String {
        let (id, item) = (&self.it.id, &self.item.id);
        let given =
            [format!("berth workspace access {id} {item}"), format!("berth workspace give {id} {item} --everyone")];
        let edit = self.item.application.as_ref().map(|application| {
            format!("berth workspace edit-application {id} {item} --url {}", quoted(&application.url))
        });
        let tool = self.client.map(|client| {
            let redirects = redirects::command(&format!("berth workspace tool redirects {id} {item}"), &client.set);
            format!("berth workspace tool show {id} {item}\n{redirects}")
        });
        given.into_iter().chain(edit).chain(tool).collect::<Vec<_>>().join("\n")
    }
}

/// Something that a workspace has, by its id.
async fn item(visit: &Visit, id: &str, item: &str) -> Result<Item, Shown> {
    let found = items(visit, id).await.or_show(visit)?.into_iter().find(|one| one.id == item);
    found.ok_or_else(|| visit.refuse(not_found()))
}

async fn one(visit: Visit, Path((id, item)): Of) -> Answer {
    show(&visit, &id, &item, None, &Filled::default()).await
}

/// The page of something that members may open; with the secret that was made just now, which is shown only here.
async fn show(visit: &Visit, id: &str, one: &str, secret: Option<String>, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let item = item(visit, id, one).await?;
    let (access, tag): (Access, String) = visit.api.tagged(&(path_of(id, one) + "/access")).await.or_show(visit)?;
    let was = serde_json::to_string(&access).unwrap_or_default();
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let contacts: Result<ListPage<Contact>, Refused> =
        visit.api.page(&at!("/v1/workspaces/{}/contacts?limit=200", id)).await;
    let contacts = contacts.map(|page| page.items).unwrap_or_default();
    let names = if access.members.is_empty() { Default::default() } else { book::member_names(visit, id).await };
    let client = if item.is_tool() { Some(tool::client(visit, id, one, secret).await.or_show(visit)?) } else { None };
    let may_edit = visit.can(Action::Configure, &scope(&it));
    let redirects = client.as_ref().map(|client| {
        Redirects::new(
            visit.t,
            page_of(id, one) + "/client",
            visit.t.ws_redirect_uris_hint(),
            &client.set,
            &client.tag,
            may_edit,
            filled,
        )
    });
    let page = One {
        t: visit.t,
        visit,
        here: &page_of(id, one),
        redirects,
        to_whom: given_to(visit.t, &access, &groups),
        choices: &Choices::of(&access, &groups, &contacts, &names, filled),
        access_tag: filled.made_of("access_tag", &tag),
        access_was: filled.made_of("access_was", &was),
        client: client.as_ref(),
        may_edit,
        filled,
        item: &item,
        it: &it,
    };
    visit.page(below(visit, &item.name, &it), &page)
}

async fn edit(visit: Visit, Path((id, item)): Of, sent: Sent) -> Answer {
    let text = |name: &str| Some(sent.get(name).to_owned());
    let edit = EditApplication { name: text("name"), description: text("description"), url: text("url") };
    match visit.api.act(Method::PATCH, &path_of(&id, &item), &edit).await {
        Ok(()) => done(&page_of(&id, &item), visit.t.edited()),
        Err(refused) => show(&visit, &id, &item, None, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove(visit: Visit, Path((id, item)): Of) -> Answer {
    show_remove(&visit, &id, &item, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, one: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it = workspace(visit, id).await?;
    let item = item(visit, id, one).await?;
    let access = access_of(visit, id, one).await.or_show(visit)?;
    let groups = Groups::of(visit, id).await.or_show(visit)?;
    let mut effects = vec![t.ws_take_app_effect(&item.name, given_to(t, &access, &groups))];
    if item.is_tool() {
        effects.push(t.ws_take_tool_effect().into());
    }
    let verb = if item.application.is_some() { "remove-application" } else { "unlink" };
    let confirm = Confirm {
        act: if item.application.is_some() { t.remove() } else { t.ws_unlink() }.into(),
        effects,
        is_dangerous: true,
        command: format!("berth workspace {verb} {id} {one}"),
        back: page_of(id, one),
        ..Confirm::default()
    };
    let title = format!("{} · {}", confirm.act, item.name);
    let mut head = below(visit, &title, &it);
    head.above.push((item.name.clone(), page_of(id, one)));
    confirm.show(visit, head, filled)
}

async fn remove(visit: Visit, Path((id, item)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &path_of(&id, &item)).await {
        Ok(()) => done(&at!("/ui/workspaces/{}/apps", id), visit.t.ws_app_removed()),
        Err(refused) => show_remove(&visit, &id, &item, &sent.again(&visit, refused)?).await,
    }
}

//! MiniApps: the list, a new one, what devices get of one now, and what is next.

pub mod bindings;
mod settings;
mod trial;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::Deserialize;

use berth_base::{ids::MiniAppId, page::Page, version::VersionNumber};
use berth_model::{
    access::{Action, NewTeam, Scope, Team},
    mini_app::{ListedMiniApp, MiniApp, NewMiniApp},
    overview::Overview,
    rollout::{GrayTask, State as GrayState},
    version::{Force, ForceCause, Release, ReleaseKind, Version, is_above},
};

use super::members;
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown},
    path::{at, with_query},
    refused::Refused,
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub use trial::open_address;

/// The place of these pages in the menu.
pub const PLACE: &str = "/ui/mini-apps";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps", get(list))
        .route("/ui/mini-apps/new", get(new).post(create))
        .route("/ui/mini-apps/{id}", get(overview))
        .merge(settings::routes())
        .merge(bindings::routes())
        .merge(trial::routes())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    team: String,
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "mini_apps/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    query: &'a ListQuery,
    teams: &'a [Team],
    apps: &'a [ListedMiniApp],
    next: Option<String>,
    is_filtered: bool,
}

impl List<'_> {
    /// What is next for a MiniApp, and where it is done.
    fn next_of(&self, listed: &ListedMiniApp) -> Option<Next> {
        let app = &listed.mini_app;
        let may_release = self.visit.can(Action::Release, &app.scope());
        let may_publish = |version: &&VersionNumber| may_release && is_above(version, listed.online.as_ref());
        let approved = listed.approved.as_ref().filter(|version| may_come_online(app, version));
        if let Some(version) = approved.filter(may_publish) {
            let address = at!("/ui/mini-apps/{}/versions/{}/publish", app.id, version);
            return Some(Next { said: self.t.next_publish(version), address });
        }
        let version = listed.auditing.as_ref()?;
        let address = at!("/ui/mini-apps/{}/versions/{}", app.id, version);
        Some(Next { said: self.t.next_audit(version), address })
    }

    fn team<'a>(&'a self, app: &'a MiniApp) -> &'a str {
        self.teams.iter().find(|team| team.id == app.team).map_or(app.team.as_str(), |team| &team.name)
    }
}

async fn list(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let ListQuery { q, team, cursor } = &query;
    let members = [("search", Some(q.as_str())), ("team", Some(team)), ("cursor", Some(cursor))];
    let page: Page<ListedMiniApp> = visit.api.page(&with_query("/v1/mini-apps", members)).await.or_show(&visit)?;
    let teams = visit.api.teams().await.or_show(&visit)?;
    let next = page
        .next
        .as_deref()
        .map(|next| with_query(PLACE, [("q", Some(q.as_str())), ("team", Some(team)), ("cursor", Some(next))]));
    let is_filtered = !(q.is_empty() && team.is_empty() && cursor.is_empty());
    let body = List { t: visit.t, visit: &visit, query: &query, teams: &teams, apps: &page.items, next, is_filtered };
    let live = visit.live_everywhere("/ui/live");
    visit.page(Head { title: visit.t.mini_apps(), place: PLACE, live, ..Head::default() }, &body)
}

#[derive(askama::Template)]
#[template(path = "mini_apps/new.html")]
struct New<'a> {
    t: Texts,
    teams: &'a [Team],
    /// The team that was made just now, though the MiniApp was refused.
    made: Option<&'a Team>,
    filled: &'a Filled,
}

async fn new(visit: Visit) -> Answer {
    show_new(&visit, None, &Filled::default()).await
}

async fn show_new(visit: &Visit, made: Option<&Team>, filled: &Filled) -> Answer {
    let mut teams = visit.api.teams().await.or_show(visit)?;
    // What the visitor may do was read before the team was made.
    let is_made = |team: &Team| made.is_some_and(|made| made.id == team.id);
    teams.retain(|team| is_made(team) || visit.can(Action::EditMiniApp, &Scope::Team(team.id.clone())));
    if let Some(made) = made.filter(|made| teams.iter().all(|team| team.id != made.id)) {
        teams.push(made.clone());
    }
    let t = visit.t;
    let above = vec![(t.mini_apps().to_owned(), PLACE.to_owned())];
    let page = New { t, teams: &teams, made, filled };
    visit.page(Head { title: t.new_mini_app(), above, place: PLACE, live: None }, &page)
}

async fn create(visit: Visit, mut sent: Sent) -> Answer {
    let made = match new_team(&visit, &sent).await {
        Ok(made) => made,
        Err(refused) => return show_new(&visit, None, &sent.again(&visit, refused)?).await,
    };
    if let Some(team) = &made {
        // Should the MiniApp be refused, the next try goes on with the team.
        sent.0.retain(|(name, _)| !["team", "team_name"].contains(&name.as_str()));
        sent.0.push(("team".into(), team.id.to_string()));
    }
    match create_in_team(&visit, &sent).await {
        Ok(app) => done(&at!("/ui/mini-apps/{}", app.id), &visit.t.mini_app_created(&app.name)),
        Err(refused) => show_new(&visit, made.as_ref(), &sent.again(&visit, refused)?).await,
    }
}

/// Makes the team that the form names, where it chooses none.
async fn new_team(visit: &Visit, sent: &Sent) -> Result<Option<Team>, Refused> {
    // What cannot be an id is told first.
    sent.read_some::<MiniAppId>("id")?;
    match (sent.get("team"), sent.get("team_name")) {
        ("", name) if !name.is_empty() => {
            visit.api.tell(Method::POST, "/v1/teams", &NewTeam { name: name.to_owned() }).await.map(Some)
        }
        _ => Ok(None),
    }
}

async fn create_in_team(visit: &Visit, sent: &Sent) -> Result<MiniApp, Refused> {
    let new = NewMiniApp {
        name: sent.get("name").into(),
        team: sent.read_some("team")?,
        id: sent.read_some("id")?,
        description: sent.get("description").into(),
    };
    visit.api.tell(Method::POST, "/v1/mini-apps", &new).await
}

/// A tab of a MiniApp's pages.
pub struct Tab {
    pub name: &'static str,
    pub address: String,
    pub is_here: bool,
}

/// The pages of a MiniApp that the visitor may see, of which one is open. Gray tasks and the trial are the team's own: whoever
/// sees the MiniApp through a host app has no page of them.
pub fn tabs(visit: &Visit, app: &MiniApp, here: &str) -> Vec<Tab> {
    let t = visit.t;
    let is_of_team = visit.caller.reads(&app.scope());
    let pages = [
        (t.overview(), "", true),
        (t.versions(), "/versions", true),
        (t.gray_tasks(), "/gray", is_of_team),
        (t.releases(), "/releases", true),
        (t.trial(), "/trial", is_of_team),
        (t.bindings(), "/bindings", true),
        (t.logs(), "/logs", is_of_team),
        (t.messages(), "/messages", is_of_team),
        (t.identities(), "/identity", is_of_team),
        (t.development(), "/domains", true),
        (t.settings(), "/settings", true),
    ];
    let address = |path| at!("/ui/mini-apps/{}", app.id) + path;
    let tab = |(name, path, _)| Tab { name, address: address(path), is_here: path == here };
    pages.into_iter().filter(|(.., is_offered)| *is_offered).map(tab).collect()
}

/// The head of a page of a MiniApp.
pub fn head<'a>(visit: &Visit, title: &'a str, app: Option<&MiniApp>) -> Head<'a> {
    let mut above = vec![(visit.t.mini_apps().to_owned(), PLACE.to_owned())];
    above.extend(app.map(|app| (app.name.clone(), at!("/ui/mini-apps/{}", app.id))));
    Head { title, above, place: PLACE, live: None }
}

/// A MiniApp by its id.
pub async fn mini_app(visit: &Visit, id: &str) -> Result<MiniApp, crate::visit::Shown> {
    visit.api.get(&at!("/v1/mini-apps/{}", id)).await.or_show(visit)
}

/// What is to be done next with a MiniApp: one thing.
struct Next {
    said: String,
    address: String,
}

#[derive(askama::Template)]
#[template(path = "mini_apps/overview.html")]
struct OverviewPage<'a> {
    t: Texts,
    visit: &'a Visit,
    tabs: Vec<Tab>,
    it: &'a Overview,
    next: Option<Next>,
    /// Whether an upload is offered besides what is next.
    may_upload: bool,
    hosts: usize,
    /// The team, with the page of its members, where the visitor may see them.
    team: Option<(String, String)>,
    releases: Vec<Row<'a>>,
    names: &'a Names,
}

impl OverviewPage<'_> {
    /// Why devices must update, where that is not said already: a MiniApp off the shelf has a message of its own.
    fn forced(&self, force: &Force) -> String {
        let why = match force.cause {
            ForceCause::OffShelf => return String::new(),
            ForceCause::MinVersion => self.t.forced_by_minimum(),
            ForceCause::ForcedRelease => self.t.forced_by_release(),
        };
        force.below.as_ref().map(|below| self.t.forced_devices(below, why)).unwrap_or_default()
    }

    /// Whether a task can be ended here, which somebody in trouble looks for first.
    fn may_end(&self, task: &GrayTask) -> bool {
        task.state != GrayState::Ended && self.visit.can(Action::Release, &self.it.mini_app.scope())
    }
}

/// A release in the history.
pub struct Row<'a> {
    pub release: &'a Release,
    /// How long it was, or is, online.
    pub active: String,
    pub is_online: bool,
    /// The way back to it, where the visitor may go it: what the act is called, and the address of its page.
    pub back: Option<(String, String)>,
}

/// Releases of a MiniApp with how long each was online, newest first.
pub fn rows<'a>(visit: &Visit, app: &MiniApp, releases: &'a [Release], online: Option<&Version>) -> Vec<Row<'a>> {
    let ends = std::iter::once(visit.now).chain(releases.iter().map(|release| release.released_at));
    let row = |(at, (release, end)): (usize, (&'a Release, berth_base::clock::Millis))| Row {
        release,
        active: show::stretch(end.0 - release.released_at.0, visit.t),
        is_online: at == 0 && online.is_some_and(|online| online.version == release.version),
        back: online.and_then(|online| way_back(visit, app, releases.first()?, &online.version, &release.version)),
    };
    releases.iter().zip(ends).enumerate().map(row).collect()
}

/// Whether a version of a MiniApp may come online at all, whatever is online: none does off the shelf (A2), and no pre-release
/// ever does (V7).
pub fn may_come_online(app: &MiniApp, version: &VersionNumber) -> bool {
    app.on_shelf && !version.is_prerelease()
}

/// How a version comes back that was online.
#[derive(Clone, Copy)]
pub enum Back {
    /// By a rollback to it.
    RollBack,
    /// By one more publish.
    PublishAgain,
}

/// How a version that was online comes back: what is above the online one by a publish, what is below it by a rollback, which
/// never follows another one (V9).
pub fn back_to(newest: &Release, online: &VersionNumber, version: &VersionNumber) -> Option<Back> {
    if version > online {
        return Some(Back::PublishAgain);
    }
    (version < online && newest.kind == ReleaseKind::Publish).then_some(Back::RollBack)
}

/// The way back to a version that was online, where the visitor may go it: what the act is called, and its address.
fn way_back(
    visit: &Visit,
    app: &MiniApp,
    newest: &Release,
    online: &VersionNumber,
    version: &VersionNumber,
) -> Option<(String, String)> {
    if !visit.can(Action::Release, &app.scope()) || !may_come_online(app, version) {
        return None;
    }
    let act = |said, path| Some((said, at!("/ui/mini-apps/{}/versions/{}", app.id, version) + path));
    match back_to(newest, online, version)? {
        Back::RollBack => act(visit.t.roll_back_to(version), "/rollback"),
        Back::PublishAgain => act(visit.t.publish_again(version), "/publish"),
    }
}

fn next(visit: &Visit, it: &Overview) -> Option<Next> {
    let t = visit.t;
    let app = &it.mini_app;
    let scope = app.scope();
    let one = |version: &Version, act: &str| at!("/ui/mini-apps/{}/versions/{}", app.id, version.version) + act;
    let online = it.online.as_ref().map(|online| &online.version);
    let to_publish = it.approved.iter().find(|version| is_above(&version.version, online));
    let to_publish = to_publish.filter(|version| may_come_online(app, &version.version));
    if let Some(version) = to_publish.filter(|_| visit.can(Action::Release, &scope)) {
        return Some(Next { said: t.next_publish(&version.version), address: one(version, "/publish") });
    }
    if let Some(audit) = it.auditing.first() {
        return Some(Next { said: t.next_audit(&audit.version), address: at!("/ui/audits/{}", audit.id) });
    }
    if !visit.can(Action::Develop, &scope) {
        return None;
    }
    // A pre-release stays in development.
    match it.development.iter().find(|version| !version.version.is_prerelease()) {
        Some(version) => Some(Next { said: t.next_submit(&version.version), address: one(version, "/submit") }),
        None => Some(Next { said: t.next_upload().into(), address: at!("/ui/mini-apps/{}/upload", app.id) }),
    }
}

/// The name of the team that has a MiniApp, and the page of its members; `None` where the visitor may not see them.
async fn team_of(visit: &Visit, app: &MiniApp) -> Option<(String, String)> {
    let members = members::address(visit, &app.scope())?;
    let team = visit.api.team(app.team.as_str()).await.ok().flatten();
    Some((team.map_or_else(|| app.team.to_string(), |team| team.name), members))
}

async fn overview(visit: Visit, Path(id): Path<String>) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(&visit)?;
    let releases: Vec<Release> = visit.api.list(&at!("/v1/mini-apps/{}/releases", id)).await.unwrap_or_default();
    let hosts = bindings::active(&visit, &it.mini_app).await.len();
    let names = Names::of(&visit.api, releases.iter().take(5).map(|release| release.released_by.as_str())).await;
    let mut shown = rows(&visit, &it.mini_app, &releases, it.online.as_ref());
    shown.truncate(5);
    let title = it.mini_app.name.clone();
    let mut head = head(&visit, &title, None);
    head.live = visit.live_of(&it.mini_app);
    let next = next(&visit, &it);
    let page = OverviewPage {
        t,
        visit: &visit,
        tabs: tabs(&visit, &it.mini_app, ""),
        may_upload: visit.can(Action::Develop, &it.mini_app.scope())
            && next.as_ref().is_some_and(|next| next.address != at!("/ui/mini-apps/{}/upload", it.mini_app.id)),
        next,
        it: &it,
        hosts,
        team: team_of(&visit, &it.mini_app).await,
        releases: shown,
        names: &names,
    };
    visit.page(head, &page)
}

//! The first page, the search, and the stream of what changes.

use axum::{
    Router,
    extract::{Query, RawQuery},
    http::Method,
    response::Response,
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::Team,
    event::Event,
    host_app::HostApp,
    mini_app::MiniApp,
};
use serde::Deserialize;

use crate::{
    Console,
    frame::Head,
    parts::Names,
    path::with_query,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui", get(home)).route("/ui/search", get(search)).route("/ui/live", get(live))
}

/// A step that a new installation needs.
struct Step {
    name: &'static str,
    address: &'static str,
    is_done: bool,
}

#[derive(askama::Template)]
#[template(path = "home/home.html")]
struct Home<'a> {
    t: Texts,
    visit: &'a Visit,
    steps: Vec<Step>,
    events: Vec<Event>,
    names: &'a Names,
}

/// How many of the newest events home shows.
const MOST_EVENTS: i64 = 8;

async fn steps(visit: &Visit) -> Vec<Step> {
    let t = visit.t;
    let api = &visit.api;
    let teams = api.page::<Team>("/v1/teams?limit=1");
    let apps = api.page::<MiniApp>("/v1/mini-apps?limit=1");
    let hosts = api.page::<HostApp>("/v1/host-apps?limit=1");
    let (teams, apps, hosts) = futures_util::join!(teams, apps, hosts);
    let any = |count: usize| count > 0;
    let count = |apps: &Result<ListPage<MiniApp>, _>| apps.as_ref().map_or(0, |page| page.items.len());
    let app = count(&apps);
    vec![
        Step { name: t.step_team(), address: "/ui/mini-apps/new", is_done: any(teams.map_or(0, |page| page.items.len())) },
        Step { name: t.step_mini_app(), address: "/ui/mini-apps/new", is_done: any(app) },
        Step { name: t.step_host_app(), address: "/ui/host-apps", is_done: any(hosts.map_or(0, |page| page.items.len())) },
    ]
}

async fn home(visit: Visit) -> Answer {
    let mut steps = steps(&visit).await;
    if steps.iter().all(|step| step.is_done) {
        steps.clear();
    }
    let events = newest(&visit).await;
    let names = Names::of(&visit.api, events.iter().map(|event| event.actor.as_str())).await;
    let title = visit.t.home();
    let page = Home { t: visit.t, visit: &visit, steps, events, names: &names };
    visit.page(Head { title, place: "/ui", live: Some("/ui/live".into()), ..Head::default() }, &page)
}

/// The newest events that the visitor may read, newest first.
async fn newest(visit: &Visit) -> Vec<Event> {
    super::access::newest_events(visit, MOST_EVENTS).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sought {
    q: String,
}

#[derive(askama::Template)]
#[template(path = "home/search.html")]
struct Found<'a> {
    t: Texts,
    q: &'a str,
    apps: Vec<MiniApp>,
}

async fn search(visit: Visit, Query(Sought { q }): Query<Sought>) -> Answer {
    let path = with_query("/v1/mini-apps", [("search", Some(q.as_str())), ("limit", Some("50"))]);
    let apps: ListPage<MiniApp> = visit.api.page(&path).await.or_show(&visit)?;
    let title = visit.t.search_results(&q);
    let page = Found { t: visit.t, q: &q, apps: apps.items };
    visit.page(Head { title: &title, ..Head::default() }, &page)
}

/// The events of what a page shows, for its script: the stream of the API, in the name of the visitor.
async fn live(visit: Visit, RawQuery(query): RawQuery) -> Result<Response, Shown> {
    let path = match query {
        Some(query) => format!("/v1/events/stream?{query}"),
        None => "/v1/events/stream".into(),
    };
    visit.api.ask(Method::GET, &path, axum::body::Body::empty(), None).await.or_show(&visit)
}

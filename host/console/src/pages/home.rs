//! The first page, the search, and the stream of what changes.

mod waits;

use axum::{
    Router,
    body::Body,
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
    mini_app::ListedMiniApp,
    rollout::{GrayTask, State as GrayState},
    search::{Found, FoundKind, FoundList},
    waiting::WaitingList,
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde::Deserialize;

use super::events::{newest, numbered};
use crate::{
    Console,
    api::Api,
    frame::Head,
    parts::Names,
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};
use waits::Wait;

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
    waits: Vec<Wait>,
    more: bool,
    /// The gray tasks that deliver, newest first, as many as home shows.
    in_gray: Vec<GrayTask>,
    steps: Vec<Step>,
    events: Vec<Event>,
    names: &'a Names,
}

/// How many gray tasks home shows.
const MOST_IN_GRAY: usize = 5;

/// How many of the newest events home shows.
const MOST_EVENTS: usize = 8;

/// How many of a list there are, as far as its first page says.
fn count<T>(page: &Result<ListPage<T>, Refused>) -> usize {
    page.as_ref().map_or(0, |page| page.items.len())
}

/// The steps that a new installation needs, or none once all of them are done.
async fn steps(t: Texts, api: &Api) -> Vec<Step> {
    let teams = api.page::<Team>("/v1/teams?limit=1");
    let apps = api.page::<ListedMiniApp>("/v1/mini-apps?limit=5");
    let hosts = api.page::<HostApp>("/v1/host-apps?limit=1");
    let (teams, apps, hosts) = futures_util::join!(teams, apps, hosts);
    let is_online = apps.as_ref().is_ok_and(|page| page.items.iter().any(|app| app.online.is_some()));
    let (teams, apps, hosts) = (count(&teams) > 0, count(&apps) > 0, count(&hosts) > 0);
    let step = |name, address, is_done| Step { name, address, is_done };
    let steps = vec![
        step(t.step_team(), "/ui/mini-apps/new", teams),
        step(t.step_mini_app(), "/ui/mini-apps/new", apps),
        step(t.step_host_app(), "/ui/host-apps", hosts),
        step(t.step_upload(), "/ui/mini-apps", is_online),
    ];
    if steps.iter().all(|step| step.is_done) { Vec::new() } else { steps }
}

async fn home(visit: Visit) -> Answer {
    let t = visit.t;
    let waiting: WaitingList = visit.api.get("/v1/waiting").await.or_show(&visit)?;
    let mut events = newest(&visit, 4 * MOST_EVENTS).await;
    events.retain(|event| !event.kind.starts_with("session."));
    events.truncate(MOST_EVENTS);
    let mut waits: Vec<Wait> = waiting.items.iter().map(|waiting| waits::wait(&visit, waiting)).collect();
    waits.extend(super::workspaces::stuck(&visit).await.into_iter().map(|stuck| waits::stuck(t, stuck)));
    let path = format!("/v1/gray-tasks?state={}&limit={MOST_IN_GRAY}", GrayState::Delivering);
    let page = Home {
        t,
        visit: &visit,
        waits,
        more: waiting.more,
        in_gray: visit.api.page(&path).await.or_show(&visit)?.items,
        steps: steps(t, &visit.api).await,
        names: &Names::of(&visit.api, events.iter().map(|event| event.actor.as_str())).await,
        events,
    };
    visit
        .page(Head { title: t.home(), place: "/ui", live: visit.live_everywhere("/ui/live"), ..Head::default() }, &page)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sought {
    q: String,
}

#[derive(askama::Template)]
#[template(path = "home/search.html")]
struct Results<'a> {
    t: Texts,
    q: &'a str,
    found: Vec<Found>,
    /// The event with this number.
    event: Option<Event>,
}

impl Results<'_> {
    fn address(&self, found: &Found) -> String {
        let app = found.mini_app.as_ref().map_or("", |id| id.as_str());
        let merchant = found.merchant.as_ref().map_or("", |id| id.as_str());
        match found.kind {
            FoundKind::MiniApp => at!("/ui/mini-apps/{}", found.id),
            FoundKind::Version => at!("/ui/mini-apps/{}/versions/{}", app, found.id),
            FoundKind::GrayTask => at!("/ui/gray/{}", found.id),
            FoundKind::Audit => at!("/ui/audits/{}", found.id),
            FoundKind::HostApp => at!("/ui/host-apps/{}", found.id),
            FoundKind::Team => with_query("/ui/mini-apps", [("team", Some(found.id.as_str()))]),
            FoundKind::Merchant => at!("/ui/merchants/{}", found.id),
            FoundKind::Workspace => at!("/ui/workspaces/{}", found.id),
            FoundKind::Webhook => at!("/ui/webhooks/{}", found.id),
            FoundKind::Permit => at!("/ui/permits/{}", found.id),
            FoundKind::Fulfilment => at!("/ui/fulfilments/{}", found.id),
            FoundKind::EndpointApp => at!("/ui/merchants/{}/endpoint-apps/{}", merchant, found.id),
            FoundKind::Channel => at!("/ui/merchants/{}/channels/{}", merchant, found.id),
            FoundKind::OrgNode => at!("/ui/merchants/{}/nodes/{}", merchant, found.id),
            // It stands in a list of its merchant.
            FoundKind::ProductInstance => at!("/ui/merchants/{}", merchant) + "#products",
        }
    }
}

async fn search(visit: Visit, Query(Sought { q }): Query<Sought>) -> Answer {
    let found = match q.trim() {
        "" => Vec::new(),
        q => visit.api.get::<FoundList>(&with_query("/v1/search", [("q", Some(q))])).await.or_show(&visit)?.items,
    };
    let event = match q.trim().trim_start_matches('#').parse() {
        Ok(seq) => numbered(&visit, seq).await,
        Err(_) => None,
    };
    let title = visit.t.search_results(&q);
    let page = Results { t: visit.t, q: &q, found, event };
    visit.page(Head { title: &title, ..Head::default() }, &page)
}

/// Says to the script of a page that something of what it shows has changed: the stream of events of the API, in the name of
/// the visitor, without what it tells. An event with a name would be heard only by those who know its name.
async fn live(visit: Visit, RawQuery(query): RawQuery) -> Result<Response, Shown> {
    let path = format!("/v1/events/stream?{}", query.unwrap_or_default());
    let response = visit.api.ask(Method::GET, &path, Body::empty(), None).await.or_show(&visit)?;
    let (parts, body) = response.into_parts();
    let told = |piece: Bytes| {
        let tells = piece.windows(5).any(|five| five == b"data:");
        Bytes::from_static(if tells { b"data: changed\n\n" } else { b":\n\n" })
    };
    let stream = body.into_data_stream().map_ok(told);
    Ok(Response::from_parts(parts, Body::from_stream(stream)))
}

//! What happened.

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use berth_base::{ids::HostAppId, page::Page as ListPage};
use berth_model::{
    access::{Action, Scope, ScopeKind},
    event::{Event, EventPage},
    mini_app::ListedMiniApp,
};
use serde::Deserialize;

use crate::{
    Console,
    frame::Head,
    parts::Names,
    path::with_query,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/events";

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/events", get(list)).route("/ui/events/{seq}", get(one))
}

/// Of how many things of their own the newest events are gathered for people who may not read all events.
const MOST_OWN: usize = 5;

/// Events that the visitor may read, as a query wants them: for readers of the platform of everything, and otherwise of some
/// MiniApps, host apps, merchants and workspaces of theirs, one thing after the other.
async fn readable(visit: &Visit, query: &[(&str, &str)]) -> Vec<Event> {
    let ask = async |member: Option<(&str, &str)>| {
        let members = query.iter().copied().chain(member).map(|(name, value)| (name, Some(value)));
        let page: Result<EventPage, Refused> = visit.api.get(&with_query("/v1/events", members)).await;
        page.map(|page| page.items).unwrap_or_default()
    };
    if visit.can(Action::Read, &Scope::Platform) {
        return ask(None).await;
    }
    let mut events = Vec::new();
    let apps: Result<ListPage<ListedMiniApp>, Refused> =
        visit.api.page(&format!("/v1/mini-apps?limit={MOST_OWN}")).await;
    for app in apps.map(|page| page.items).unwrap_or_default() {
        events.extend(ask(Some(("mini_app", app.mini_app.id.as_str()))).await);
    }
    let kinds =
        [(ScopeKind::HostApp, "host_app"), (ScopeKind::Merchant, "merchant"), (ScopeKind::Workspace, "workspace")];
    for (kind, member) in kinds {
        for id in visit.scopes(kind).take(MOST_OWN) {
            events.extend(ask(Some((member, id))).await);
        }
    }
    events
}

/// The newest events that the visitor may read, newest first.
pub async fn newest(visit: &Visit, count: usize) -> Vec<Event> {
    let mut events = readable(visit, &[("before", "0"), ("limit", &count.to_string())]).await;
    events.sort_by_key(|event| std::cmp::Reverse(event.seq));
    events.dedup_by_key(|event| event.seq);
    events.truncate(count);
    events
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    mini_app: String,
    host_app: String,
    merchant: String,
    workspace: String,
    before: String,
}

impl ListQuery {
    fn members(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("mini_app", Some(&self.mini_app)),
            ("host_app", Some(&self.host_app)),
            ("merchant", Some(&self.merchant)),
            ("workspace", Some(&self.workspace)),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.members().iter().any(|(_, value)| value.is_some_and(|value| !value.is_empty()))
    }
}

#[derive(askama::Template)]
#[template(path = "events/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    query: &'a ListQuery,
    events: &'a [Event],
    names: &'a Names,
    older: Option<String>,
}

async fn list(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let (events, last) = if query.is_filtered() || visit.can(Action::Read, &Scope::Platform) {
        let before = if query.before.is_empty() { "0" } else { &query.before };
        let more = [("before", Some(before)), ("limit", Some("50"))];
        let path = with_query("/v1/events", query.members().into_iter().chain(more));
        let page: EventPage = visit.api.get(&path).await.or_show(&visit)?;
        (page.items, page.last)
    } else {
        (newest(&visit, 50).await, 0)
    };
    let older = (last > 0).then(|| {
        let last = last.to_string();
        with_query(PLACE, query.members().into_iter().chain([("before", Some(last.as_str()))]))
    });
    let names = Names::of(&visit.api, events.iter().map(|event| event.actor.as_str())).await;
    let page = List { t: visit.t, visit: &visit, query: &query, events: &events, names: &names, older };
    visit.page(Head { title: visit.t.events(), place: PLACE, ..Head::default() }, &page)
}

#[derive(askama::Template)]
#[template(path = "events/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    event: &'a Event,
    names: &'a Names,
    data: String,
}

impl One<'_> {
    /// Whether the visitor may know a host app.
    fn knows(&self, id: &HostAppId) -> bool {
        self.visit.caller.knows(&Scope::HostApp(id.clone()))
    }
}

/// The event with a number, where the visitor may read it. The API lists events of what one may read, and has no address for
/// a single one.
pub async fn numbered(visit: &Visit, seq: i64) -> Option<Event> {
    let after = seq.checked_sub(1)?.to_string();
    let events = readable(visit, &[("after", &after), ("limit", "1")]).await;
    events.into_iter().find(|event| event.seq == seq)
}

async fn one(visit: Visit, Path(seq): Path<i64>) -> Answer {
    let Some(event) = numbered(&visit, seq).await else {
        return Err(visit.refuse(crate::refused::not_found()));
    };
    let data = serde_json::from_str::<serde_json::Value>(event.data.get())
        .and_then(|data| serde_json::to_string_pretty(&data))
        .unwrap_or_default();
    let names = Names::of(&visit.api, [event.actor.as_str()]).await;
    let page = One { t: visit.t, visit: &visit, event: &event, names: &names, data };
    let title = visit.t.event_number(seq);
    let above = vec![(visit.t.events().to_owned(), PLACE.to_owned())];
    visit.page(Head { title: &title, above, place: PLACE, live: None }, &page)
}

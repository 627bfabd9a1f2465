//! Who did what, and from where.

use axum::{
    Router,
    body::Body,
    extract::{Path, Query},
    http::{Method, header},
    response::{IntoResponse, Response},
    routing::get,
};
use berth_base::{clock::Millis, page::Page as ListPage};
use berth_model::{
    access::{Action, Scope},
    act::{Act, ActDetail, Outcome, Place, PlaceKind},
    event::Event,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::accounts::{Choice, scopes};
use crate::{
    Console,
    frame::Head,
    parts::{Badge, Names, Tone},
    path::{at, with_query},
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/acts";

pub fn routes() -> Router<Console> {
    Router::new().route(PLACE, get(list)).route("/ui/acts.csv", get(export)).route("/ui/acts/{id}", get(one))
}

/// What the fields of the filter say, as they were typed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    /// A scope, as `team/team_01…`.
    place: String,
    mini_app: String,
    actor: String,
    operation: String,
    outcome: String,
    address: String,
    from: String,
    until: String,
    cursor: String,
}

impl ListQuery {
    /// The members as the page itself takes them.
    fn members(&self) -> [(&'static str, &str); 8] {
        [
            ("place", &self.place),
            ("mini_app", &self.mini_app),
            ("actor", &self.actor),
            ("operation", &self.operation),
            ("outcome", &self.outcome),
            ("address", &self.address),
            ("from", &self.from),
            ("until", &self.until),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.members().iter().any(|(_, value)| !value.is_empty())
    }

    /// The address of the page of the same acts that begins after `cursor`.
    fn page_after(&self, cursor: &str) -> String {
        let members = self.members().into_iter().chain([("cursor", cursor)]);
        with_query(PLACE, members.map(|(name, value)| (name, Some(value))))
    }

    /// The address of the API for these acts, whose moments are those of the visitor's zone.
    fn asked(&self, visit: &Visit) -> String {
        let moment = |text: &str| show::from_field(text, &visit.taste.zone).as_ref().map(Millis::to_string);
        let (from, until) = (moment(&self.from), moment(&self.until));
        let place = self.place.split_once('/').map(|(kind, id)| (kind, Some(id)));
        let own = self.members().into_iter().filter(|(name, _)| !["place", "from", "until"].contains(name));
        let own = own.map(|(name, value)| (name, Some(value)));
        let span = [("from", from.as_deref()), ("until", until.as_deref()), ("cursor", Some(self.cursor.as_str()))];
        with_query("/v1/acts", own.chain(place).chain(span))
    }
}

/// Who may not read all acts reads their own, or those about one place at a time, at first of the first one.
async fn places(visit: &Visit, query: &mut ListQuery) -> Vec<Choice> {
    let mut places = scopes(visit, Action::ReadActs).await;
    places.retain(|choice| !choice.value.starts_with("platform/"));
    let reads_all = visit.can(Action::ReadActs, &Scope::Platform);
    if query.place.is_empty()
        && query.mini_app.is_empty()
        && query.actor != visit.me.account.id.as_str()
        && !reads_all
        && let Some(first) = places.first()
    {
        query.place.clone_from(&first.value);
    }
    if !query.place.is_empty() && !places.iter().any(|choice| choice.value == query.place) {
        places.push(Choice { name: query.place.replacen('/', " ", 1), value: query.place.clone() });
    }
    places
}

#[derive(askama::Template)]
#[template(path = "acts/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    query: &'a ListQuery,
    places: &'a [Choice],
    acts: &'a [Act],
    names: &'a Names,
    older: Option<String>,
    reads_all: bool,
}

async fn list(visit: Visit, Query(mut query): Query<ListQuery>) -> Answer {
    let places = places(&visit, &mut query).await;
    let page: ListPage<Act> = visit.api.page(&query.asked(&visit)).await.or_show(&visit)?;
    let older = page.next.map(|next| query.page_after(&next));
    let names = Names::of(&visit.api, page.items.iter().map(|act| act.actor.as_str())).await;
    let list = List {
        t: visit.t,
        visit: &visit,
        query: &query,
        places: &places,
        acts: &page.items,
        names: &names,
        older,
        reads_all: visit.can(Action::ReadActs, &Scope::Platform),
    };
    visit.page(Head { title: visit.t.acts(), place: PLACE, ..Head::default() }, &list)
}

/// Passes the table of the API on as it comes.
async fn export(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let query = ListQuery { cursor: String::new(), ..query };
    let table = visit.api.clone().accepting("text/csv");
    let answer = table.ask(Method::GET, &query.asked(&visit), Body::empty(), None).await.or_show(&visit)?;
    let (parts, body) = answer.into_parts();
    let kept = [header::CONTENT_TYPE, header::CONTENT_DISPOSITION];
    let mut response = Response::new(body);
    for name in kept {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response.into_response())
}

impl List<'_> {
    fn badge(&self, act: &Act) -> Badge {
        outcome(self.t, act)
    }
}

fn outcome(t: Texts, act: &Act) -> Badge {
    match act.outcome {
        Outcome::Done => Badge { tone: Tone::Ok, mark: "✓", word: t.act_done() },
        Outcome::Refused => Badge { tone: Tone::Bad, mark: "✕", word: t.act_refused() },
    }
}

/// The page of a thing in the console, where there is one.
fn address(place: &Place) -> Option<String> {
    match place.kind {
        PlaceKind::MiniApp => Some(at!("/ui/mini-apps/{}", place.id)),
        PlaceKind::HostApp => Some(at!("/ui/host-apps/{}", place.id)),
        PlaceKind::Merchant => Some(at!("/ui/merchants/{}", place.id)),
        PlaceKind::Workspace => Some(at!("/ui/workspaces/{}", place.id)),
        PlaceKind::Team => None,
    }
}

/// What an event says of now or of before, to be read by people.
fn shown(data: &RawValue) -> String {
    let read = serde_json::from_str::<serde_json::Value>(data.get());
    read.and_then(|data| serde_json::to_string_pretty(&data)).unwrap_or_default()
}

#[derive(askama::Template)]
#[template(path = "acts/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    act: &'a Act,
    events: &'a [Event],
    names: &'a Names,
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let ActDetail { act, events } = visit.api.get(&at!("/v1/acts/{}", id)).await.or_show(&visit)?;
    let names = Names::of(&visit.api, [act.actor.as_str()]).await;
    let page = One { t: visit.t, visit: &visit, act: &act, events: &events, names: &names };
    let above = vec![(visit.t.acts().to_owned(), PLACE.to_owned())];
    visit.page(Head { title: &act.operation, above, place: PLACE, live: None }, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_filter_is_asked_of_the_next_page() {
        let query = ListQuery { place: "team/team_1".into(), operation: "access.*".into(), ..Default::default() };
        let next = query.page_after("act_1");
        assert_eq!(next, "/ui/acts?place=team%2Fteam_1&operation=access.*&cursor=act_1");
        assert!(query.is_filtered() && !ListQuery { cursor: "act_1".into(), ..Default::default() }.is_filtered());
    }
}

//! Who did what, and from where.

use axum::{
    Router,
    body::Body,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::page::Page as ListPage;
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
    api::file,
    frame::Head,
    parts::{Badge, Filled, Names, Tone},
    path::{at, with_query},
    refused::{Refused, invalid},
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
    /// A thing, as `team:team_01…`.
    place: String,
    /// The MiniApp that the acts are about, as addresses of other pages say it.
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
    fn members(&self) -> [(&'static str, &str); 7] {
        [
            ("place", &self.place),
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

    /// The same with one field for what the acts are about.
    fn with_one_place(mut self) -> Self {
        let mini_app = std::mem::take(&mut self.mini_app);
        if self.place.is_empty() && !mini_app.is_empty() {
            self.place = named(PlaceKind::MiniApp, &mini_app);
        }
        self
    }

    /// The address of the page of the same acts that begins after `cursor`.
    fn page_after(&self, cursor: &str) -> String {
        let members = self.members().into_iter().chain([("cursor", cursor)]);
        with_query(PLACE, members.map(|(name, value)| (name, Some(value))))
    }

    /// What the acts are about, as the API names it.
    fn about(&self, t: Texts) -> Result<Option<(&'static str, &str)>, Refused> {
        let place = self.place.trim();
        if place.is_empty() {
            return Ok(None);
        }
        let named = place.split_once([':', '/']).filter(|(_, id)| !id.is_empty());
        let named = named.and_then(|(kind, id)| Some((kind.parse::<PlaceKind>().ok()?.as_str(), id)));
        named.map(Some).ok_or_else(|| invalid(t, "place", t.act_no_place()))
    }

    /// The address of the API for these acts, whose moments are those of the visitor's zone.
    fn asked(&self, visit: &Visit) -> Result<String, Refused> {
        let (from, until) = (moment(visit, "from", &self.from)?, moment(visit, "until", &self.until)?);
        let about = self.about(visit.t)?.map(|(kind, id)| (kind, Some(id)));
        let own = self.members().into_iter().filter(|(name, _)| !["place", "from", "until"].contains(name));
        let own = own.map(|(name, value)| (name, Some(value)));
        let span = [("from", from.as_deref()), ("until", until.as_deref()), ("cursor", Some(self.cursor.as_str()))];
        Ok(with_query("/v1/acts", own.chain(about).chain(span)))
    }

    /// The form with what was typed.
    fn filled(&self) -> Filled {
        Filled::with(self.members().map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

/// The moment that a field says, as the API takes it.
fn moment(visit: &Visit, field: &str, text: &str) -> Result<Option<String>, Refused> {
    Ok(visit.moment(field, text)?.map(|at| at.to_string()))
}

/// A thing as the field for it takes it.
fn named(kind: PlaceKind, id: &str) -> String {
    format!("{kind}:{id}")
}

/// What the field for a thing offers. Who may not read all acts reads their own, or those about one place at a time, at first
/// of the first one that there is.
async fn places(visit: &Visit, query: &mut ListQuery) -> Vec<Choice> {
    let places = scopes(visit, Action::ReadActs).await.into_iter();
    let places = places.filter(|choice| !choice.value.starts_with("platform/"));
    let places: Vec<_> =
        places.map(|choice| Choice { value: choice.value.replacen('/', ":", 1), name: choice.name }).collect();
    let reads_all = visit.can(Action::ReadActs, &Scope::Platform);
    let own = visit.me.account.id.as_str();
    if !reads_all && query.place.is_empty() && query.actor != own {
        match places.first() {
            Some(first) => query.place.clone_from(&first.value),
            None => own.clone_into(&mut query.actor),
        }
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
    filled: &'a Filled,
}

async fn found(visit: &Visit, query: &ListQuery) -> Result<ListPage<Act>, Refused> {
    visit.api.page(&query.asked(visit)?).await
}

async fn list(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let mut query = query.with_one_place();
    let places = places(&visit, &mut query).await;
    let (page, filled) = match found(&visit, &query).await {
        Ok(page) => (page, query.filled()),
        Err(Refused::ByApi(refusal)) if refusal.field().is_some() => {
            (ListPage { items: Vec::new(), next: None }, query.filled().said(*refusal))
        }
        Err(refused) => return Err(visit.refuse(refused)),
    };
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
        filled: &filled,
    };
    visit.page(Head { title: visit.t.acts(), place: PLACE, ..Head::default() }, &list)
}

/// Passes the table of the API on as it comes.
async fn export(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let query = ListQuery { cursor: String::new(), ..query.with_one_place() };
    let asked = query.asked(&visit).or_show(&visit)?;
    let table = visit.api.clone().accepting("text/csv");
    let answer = table.ask(Method::GET, &asked, Body::empty(), None).await.or_show(&visit)?;
    Ok(file(answer))
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
        let query = ListQuery { place: "team:team_1".into(), operation: "access.*".into(), ..Default::default() };
        let next = query.page_after("act_1");
        assert_eq!(next, "/ui/acts?place=team%3Ateam_1&operation=access.*&cursor=act_1");
        assert!(query.is_filtered() && !ListQuery { cursor: "act_1".into(), ..Default::default() }.is_filtered());
    }

    #[test]
    fn what_acts_are_about_is_a_kind_and_an_id() {
        let t = Texts(crate::texts::Language::English);
        let query = |place: &str| ListQuery { place: place.into(), ..Default::default() };
        let about = |place: &str| query(place).about(t).map(|about| about.map(|(kind, id)| format!("{kind} {id}")));
        assert_eq!(about("").ok(), Some(None));
        assert_eq!(about(" host_app:super-app ").ok(), Some(Some("host_app super-app".into())));
        assert_eq!(about("team/team_1").ok(), Some(Some("team team_1".into())));
        assert!(["team_1", "team:", "shop:one"].iter().all(|place| about(place).is_err()));
        let of_link = ListQuery { mini_app: "coffee".into(), ..Default::default() }.with_one_place();
        assert_eq!(of_link.place, "mini_app:coffee");
    }
}

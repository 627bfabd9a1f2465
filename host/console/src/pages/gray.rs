//! Gray tasks: those of a MiniApp, a new one, and one task with how it goes and what stops it. With them the lists that their
//! conditions name, the record of the devices that ask, and asking as a device.

mod brakes;
mod chart;
mod check;
mod edit;
mod fitting;
mod like;
mod lists;
mod new;
mod one;
mod policies;
mod preview;
pub mod record;
mod shares;

use std::str::FromStr;

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use berth_base::{clock::Millis, page::Page};
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    rollout::{GrayTask, State},
};
use serde::Deserialize;

use super::mini_apps::{Tab, head, mini_app, tabs};
use crate::{
    Console,
    act::Sent,
    parts::Shown,
    path::{Cursor, at, at_cursor, with_query},
    refused::{Refused, invalid},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/gray", get(list_all))
        .route("/ui/mini-apps/{id}/gray", get(list))
        .merge(new::routes())
        .merge(one::routes())
        .merge(edit::routes())
        .merge(brakes::routes())
        .merge(lists::routes())
        .merge(record::routes())
        .merge(check::routes())
}

#[derive(askama::Template)]
#[template(path = "gray/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    tasks: &'a [GrayTask],
    next: Option<String>,
    may_release: bool,
}

async fn list(visit: Visit, Path(id): Path<String>, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let path = at_cursor(&at!("/v1/mini-apps/{}/gray-tasks", id), &cursor);
    let page: Page<GrayTask> = visit.api.page(&path).await.or_show(&visit)?;
    let here = at!("/ui/mini-apps/{}/gray", id);
    let body = List {
        t: visit.t,
        visit: &visit,
        app: &app,
        tabs: tabs(&visit, &app, "/gray"),
        tasks: &page.items,
        next: page.next.map(|next| at_cursor(&here, &next)),
        may_release: app.on_shelf && visit.can(Action::Release, &app.scope()),
    };
    let mut head = head(&visit, visit.t.gray_tasks(), Some(&app));
    head.live = visit.live_of(&app);
    visit.page(head, &body)
}

/// Which gray tasks of all MiniApps are shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AllQuery {
    state: String,
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "gray/all.html")]
struct All<'a> {
    t: Texts,
    visit: &'a Visit,
    query: &'a AllQuery,
    tasks: &'a [GrayTask],
    next: Option<String>,
}

impl All<'_> {
    /// The address of the list of the tasks in a state.
    fn in_state(&self, state: &str) -> String {
        with_query(PLACE, [("state", Some(state))])
    }

    /// The same list as a command.
    fn command(&self) -> String {
        match self.query.state.as_str() {
            "" => "berth gray list".into(),
            state => format!("berth gray list --state {state}"),
        }
    }
}

/// The list of the gray tasks of all MiniApps.
const PLACE: &str = "/ui/gray";

async fn list_all(visit: Visit, Query(query): Query<AllQuery>) -> Answer {
    let t = visit.t;
    let members = [("state", Some(query.state.as_str())), ("cursor", Some(query.cursor.as_str()))];
    let page: Page<GrayTask> = visit.api.page(&with_query("/v1/gray-tasks", members)).await.or_show(&visit)?;
    let onward = |next: &str| with_query(PLACE, [("state", Some(query.state.as_str())), ("cursor", Some(next))]);
    let body = All { t, visit: &visit, query: &query, tasks: &page.items, next: page.next.as_deref().map(onward) };
    let mut head = head(&visit, t.gray_tasks(), None);
    head.live = visit.live_everywhere("/ui/live?types=gray_task.*");
    visit.page(head, &body)
}

/// The moment in a field that must be filled in.
fn moment(visit: &Visit, sent: &Sent, field: &str) -> Result<Millis, Refused> {
    sent.moment(visit, field)?.ok_or_else(|| invalid(visit.t, field, visit.t.no_moment()))
}

/// The number in a field that may be left empty.
fn number<T: FromStr>(visit: &Visit, sent: &Sent, field: &str) -> Result<Option<T>, Refused> {
    let Some(text) = sent.some(field) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| invalid(visit.t, field, visit.t.no_number()))
}

//! Gray tasks: those of a MiniApp, a new one, and one task with how it goes and what stops it. With them the lists that their
//! conditions name, the record of the devices that ask, and asking as a device.

mod brakes;
mod chart;
mod check;
mod edit;
mod like;
mod lists;
mod new;
mod one;
mod policies;
pub mod record;
mod shares;

use std::str::FromStr;

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use berth_base::{clock::Millis, page::Page};
use berth_model::{access::Action, mini_app::MiniApp, rollout::GrayTask};
use serde::Deserialize;

use super::mini_apps::{Tab, head, mini_app, tabs};
use crate::{
    Console,
    act::Sent,
    parts::Shown,
    path::{at, with_query},
    refused::{Refused, invalid},
    texts::{Texts, grouped},
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/gray", get(list))
        .merge(new::routes())
        .merge(one::routes())
        .merge(edit::routes())
        .merge(brakes::routes())
        .merge(lists::routes())
        .merge(record::routes())
        .merge(check::routes())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursor {
    cursor: String,
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

impl List<'_> {
    fn admitted(&self, task: &GrayTask) -> String {
        admitted(self.t, task)
    }
}

async fn list(visit: Visit, Path(id): Path<String>, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let path = with_query(&at!("/v1/mini-apps/{}/gray-tasks", id), [("cursor", Some(cursor.as_str()))]);
    let page: Page<GrayTask> = visit.api.page(&path).await.or_show(&visit)?;
    let here = at!("/ui/mini-apps/{}/gray", id);
    let body = List {
        t: visit.t,
        visit: &visit,
        app: &app,
        tabs: tabs(&visit, &app, "/gray"),
        tasks: &page.items,
        next: page.next.map(|next| with_query(&here, [("cursor", Some(next.as_str()))])),
        may_release: visit.can(Action::Release, &app.scope()),
    };
    let mut head = head(&visit, visit.t.gray_tasks(), Some(&app));
    head.live = visit.live_of(&app);
    visit.page(head, &body)
}

/// How many devices a task has admitted, and of how many.
fn admitted(t: Texts, task: &GrayTask) -> String {
    match task.max_users {
        Some(cap) => t.admitted_of(grouped(task.admitted), grouped(cap)),
        None => t.admitted_devices(grouped(task.admitted)),
    }
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

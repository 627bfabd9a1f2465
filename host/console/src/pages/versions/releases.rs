//! What was online when.

use axum::{Router, extract::Path, routing::get};
use berth_model::{
    access::Action,
    overview::Overview,
    version::{Release, ReleaseKind},
};

use super::super::mini_apps::{Row, Tab, head, rows, tabs};
use crate::{
    Console,
    parts::Names,
    path::at,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/mini-apps/{id}/releases", get(show))
}

#[derive(askama::Template)]
#[template(path = "versions/releases.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Overview,
    tabs: Vec<Tab>,
    releases: Vec<Row<'a>>,
    names: &'a Names,
    /// The version to which a rollback leads: the one before the online one.
    before: Option<String>,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(&visit)?;
    let releases: Vec<Release> = visit.api.list(&at!("/v1/mini-apps/{}/releases", id)).await.or_show(&visit)?;
    let names = Names::of(&visit.api, releases.iter().map(|release| release.released_by.as_str())).await;
    let online = it.online.as_ref().map(|online| &online.version);
    let below = releases
        .iter()
        .map(|release| &release.version)
        .filter(|version| online.is_some_and(|online| *version < online));
    let before = below.max().filter(|_| visit.can(Action::Release, &it.mini_app.scope())).map(ToString::to_string);
    let page = Page {
        t,
        visit: &visit,
        tabs: tabs(&visit, &it.mini_app, "/releases"),
        releases: rows(&releases, it.online.as_ref(), visit.now, t),
        names: &names,
        before,
        it: &it,
    };
    visit.page(head(&visit, t.releases(), Some(&it.mini_app)), &page)
}

//! What was online when.

use axum::{Router, extract::Path, routing::get};
use berth_model::{
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
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(&visit)?;
    let releases: Vec<Release> = visit.api.list(&at!("/v1/mini-apps/{}/releases", id)).await.or_show(&visit)?;
    let names = Names::of(&visit.api, releases.iter().map(|release| release.released_by.as_str())).await;
    let page = Page {
        t,
        visit: &visit,
        tabs: tabs(&visit, &it.mini_app, "/releases"),
        releases: rows(&visit, &it.mini_app, &releases, it.online.as_ref()),
        names: &names,
        it: &it,
    };
    visit.page(head(&visit, t.releases(), Some(&it.mini_app)), &page)
}

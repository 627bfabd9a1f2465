//! The trial of a MiniApp: a version for named accounts.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    version::{State, Trial, Version},
};
use serde::Deserialize;

use super::{Tab, head, mini_app, tabs};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::Filled,
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/trial", get(show).post(set))
        .route("/ui/mini-apps/{id}/trial/end", get(confirm_end).post(end))
}

#[derive(askama::Template)]
#[template(path = "mini_apps/trial.html")]
struct Page<'a> {
    t: Texts,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    trial: Option<Trial>,
    versions: Vec<Version>,
    chosen: String,
    entries: Vec<String>,
    may_set: bool,
    filled: &'a Filled,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    version: String,
}

async fn show(visit: Visit, Path(id): Path<String>, Query(Chosen { version }): Query<Chosen>) -> Answer {
    show_with(&visit, &id, version, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, chosen: String, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let trial: Option<Trial> = visit.api.find(&at!("/v1/mini-apps/{}/trial", id)).await.or_show(visit)?;
    let versions: ListPage<Version> = visit.api.page(&at!("/v1/mini-apps/{}/versions", id)).await.or_show(visit)?;
    let mut versions = versions.items;
    versions.retain(|version| !matches!(version.state, State::Rejected | State::Deleted | State::Historical));
    let chosen = [
        chosen,
        filled.get("version").to_owned(),
        trial.as_ref().map(|trial| trial.version.to_string()).unwrap_or_default(),
    ]
    .into_iter()
    .find(|version| !version.is_empty())
    .or_else(|| versions.first().map(|version| version.version.to_string()))
    .unwrap_or_default();
    let page = Page {
        t: visit.t,
        app: &app,
        tabs: tabs(visit, &app, "/trial"),
        entries: entries(visit, id, &chosen).await,
        may_set: visit.can(Action::Develop, &app.scope()),
        trial,
        versions,
        chosen,
        filled,
    };
    visit.page(head(visit, visit.t.trial(), Some(&app)), &page)
}

/// The pages that a version has, as choices for where it opens.
async fn entries(visit: &Visit, id: &str, version: &str) -> Vec<String> {
    let detail = visit.api.get::<Version>(&at!("/v1/mini-apps/{}/versions/{}", id, version)).await;
    detail.map(|detail| detail.manifest.pages).unwrap_or_default()
}

async fn set(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match set_trial(&visit, &id, &sent).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/trial", id), visit.t.trial_saved()),
        Err(refused) => {
            let filled = sent.again(&visit, refused)?;
            show_with(&visit, &id, String::new(), &filled).await
        }
    }
}

async fn set_trial(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let version = sent.read("version")?;
    let accounts = sent.get("accounts").lines().map(str::trim).filter(|line| !line.is_empty());
    let trial =
        Trial { version, entry_path: sent.get("entry_path").into(), accounts: accounts.map(str::to_owned).collect() };
    visit.api.act(Method::PUT, &at!("/v1/mini-apps/{}/trial", id), &trial).await
}

async fn confirm_end(visit: Visit, Path(id): Path<String>) -> Answer {
    show_end(&visit, &id, &Filled::default()).await
}

async fn show_end(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let trial: Option<Trial> = visit.api.find(&at!("/v1/mini-apps/{}/trial", id)).await.or_show(visit)?;
    let confirm = Confirm {
        act: t.trial_end().into(),
        effects: trial.map(|trial| t.trial_end_effect(trial.accounts.len())).into_iter().collect(),
        command: format!("berth version trial {id} --clear"),
        back: at!("/ui/mini-apps/{}/trial", id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.trial_end(), Some(&app)), filled)
}

async fn end(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/mini-apps/{}/trial", id)).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/trial", id), visit.t.trial_ended()),
        Err(refused) => show_end(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

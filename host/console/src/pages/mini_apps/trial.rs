//! The trial of a MiniApp: a version for named accounts.

use axum::{
    Router,
    extract::{Path, Query},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
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
    frame::{alone, done},
    parts::Filled,
    path::at,
    qr::Qr,
    refused::Refused,
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
    visitor::Taste,
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/trial", get(show).post(set))
        .route("/ui/mini-apps/{id}/trial/end", get(confirm_end).post(end))
        .route("/ui/open/{id}", get(open))
}

#[derive(askama::Template)]
#[template(path = "mini_apps/trial.html")]
struct Page<'a> {
    t: Texts,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    trial: Option<Trial>,
    /// Its tag; empty where there is none.
    tag: &'a str,
    /// Its accounts, a line each.
    accounts: String,
    /// Where the code of the trial leads, and the code.
    open: String,
    qr: Option<Qr>,
    versions: Vec<Version>,
    chosen: String,
    entries: Vec<String>,
    may_set: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    /// The page at which it opens: that of the trial, if the chosen version is on trial.
    fn entry(&self) -> &str {
        let first = self.entries.first().map_or("", String::as_str);
        let trial = self.trial.as_ref().filter(|trial| trial.version.to_string() == self.chosen);
        trial.map_or(first, |trial| &trial.entry_path)
    }

    /// The command that sets the trial to what the form says; that shows it where there is no version to try.
    fn command(&self) -> String {
        let (id, chosen, entry) = (&self.app.id, &self.chosen, self.entry());
        match chosen.is_empty() || entry.is_empty() {
            true => format!("berth version trial {id}"),
            false => format!("berth version trial {id} {chosen} --entry {} --account ACCOUNT", quoted(entry)),
        }
    }
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
    let (trial, tag) = found(visit, id).await.or_show(visit)?;
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
    let open = open_address(&visit.origin, id);
    let page = Page {
        t: visit.t,
        app: &app,
        tabs: tabs(visit, &app, "/trial"),
        qr: trial.as_ref().and_then(|_| Qr::of(&open)),
        open,
        entries: entries(visit, id, &chosen).await,
        may_set: visit.can(Action::Develop, &app.scope()),
        tag: filled.tag(&tag),
        accounts: trial.as_ref().map(|trial| trial.accounts.join("\n")).unwrap_or_default(),
        trial,
        versions,
        chosen,
        filled,
    };
    visit.page(head(visit, visit.t.trial(), Some(&app)), &page)
}

/// The trial of a MiniApp and its tag; nothing and an empty tag where there is none.
async fn found(visit: &Visit, id: &str) -> Result<(Option<Trial>, String), Refused> {
    match visit.api.tagged(&at!("/v1/mini-apps/{}/trial", id)).await {
        Ok((trial, tag)) => Ok((Some(trial), tag)),
        Err(Refused::ByApi(refusal)) if refusal.status == 404 => Ok((None, String::new())),
        Err(refused) => Err(refused),
    }
}

/// The address that a code says: a host app takes the MiniApp out of it, and everybody else is told to open it there.
pub fn open_address(origin: &str, id: &str) -> String {
    format!("{origin}{}", at!("/ui/open/{}", id))
}

#[derive(askama::Template)]
#[template(path = "mini_apps/open.html")]
struct Open<'a> {
    t: Texts,
    id: &'a str,
}

/// For whoever scanned a code with a camera instead of a host app. It says nothing of the MiniApp, not even that it is there.
async fn open(headers: HeaderMap, Path(id): Path<String>) -> Response {
    let taste = Taste::of(&headers);
    let t = taste.t;
    alone(&taste, StatusCode::OK, t.open_heading(), &Open { t, id: &id })
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
    let trial = Trial {
        version,
        entry_path: sent.get("entry_path").into(),
        accounts: sent.lines("accounts").map(str::to_owned).collect(),
    };
    visit.api.only_if(sent.get("tag")).act(Method::PUT, &at!("/v1/mini-apps/{}/trial", id), &trial).await
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

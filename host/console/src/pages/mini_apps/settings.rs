//! What describes a MiniApp, the minimum version, and the recall.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::{
    access::Action,
    mini_app::{EditMiniApp, MinVersion, MiniApp, Shelf},
    overview::Overview,
    rollout::State as GrayState,
};

use super::{Tab, bindings, head, mini_app, tabs};
use crate::{
    Console,
    act::{Confirm, Sent, Tick},
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, invalid},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/settings", get(show).post(edit))
        .route("/ui/mini-apps/{id}/min-version", get(minimum_form).post(set_minimum))
        .route("/ui/mini-apps/{id}/shelf", get(confirm_shelf).post(set_shelf))
}

#[derive(askama::Template)]
#[template(path = "mini_apps/settings.html")]
struct Page<'a> {
    t: Texts,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    minimum: String,
    may_edit: bool,
    reads_acts: bool,
    may_release: bool,
    filled: &'a Filled,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let scope = app.scope();
    let page = Page {
        t: visit.t,
        app: &app,
        tabs: tabs(visit, &app, "/settings"),
        minimum: minimum(&app),
        may_edit: visit.can(Action::EditMiniApp, &scope),
        reads_acts: visit.can(Action::ReadActs, &scope),
        may_release: visit.can(Action::Release, &scope),
        filled,
    };
    visit.page(head(visit, visit.t.settings(), Some(&app)), &page)
}

async fn edit(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let edit = EditMiniApp { name: Some(sent.get("name").into()), description: Some(sent.get("description").into()) };
    let edited = visit.api.act(Method::PATCH, &at!("/v1/mini-apps/{}", id), &edit).await;
    match edited {
        Ok(()) => done(&at!("/ui/mini-apps/{}/settings", id), visit.t.edited()),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "mini_apps/min_version.html")]
struct Minimum<'a> {
    t: Texts,
    app: &'a MiniApp,
    /// The present minimum; empty for none.
    minimum: String,
    online: String,
    filled: &'a Filled,
}

impl Minimum<'_> {
    /// The command that sets it to the online version; that takes it away where none is online.
    fn command(&self) -> String {
        let bound = if self.online.is_empty() { "--none" } else { &self.online };
        format!("berth app min-version {} {bound}", self.app.id)
    }
}

async fn minimum_form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_minimum(&visit, &id, &Filled::default()).await
}

async fn show_minimum(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(visit)?;
    let app = &it.mini_app;
    let page = Minimum {
        t: visit.t,
        app,
        minimum: minimum(app),
        online: it.online.as_ref().map(|online| online.version.to_string()).unwrap_or_default(),
        filled,
    };
    visit.page(head(visit, visit.t.minimum_version(), Some(app)), &page)
}

async fn set_minimum(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match set_minimum_to(&visit, &id, &sent).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/settings", id), visit.t.edited()),
        Err(refused) => show_minimum(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// The minimum version of a MiniApp; empty for none.
fn minimum(app: &MiniApp) -> String {
    app.min_version.as_ref().map(ToString::to_string).unwrap_or_default()
}

async fn set_minimum_to(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let version = sent.read_some("version")?;
    visit.api.act(Method::PUT, &at!("/v1/mini-apps/{}/min-version", id), &MinVersion { version }).await
}

async fn confirm_shelf(visit: Visit, Path(id): Path<String>) -> Answer {
    show_shelf(&visit, &id, &Filled::default()).await
}

async fn show_shelf(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(visit)?;
    let app = &it.mini_app;
    let back = at!("/ui/mini-apps/{}/settings", id);
    let confirm = if app.on_shelf {
        let delivering = it.gray_tasks.iter().filter(|task| task.state != GrayState::Suspended).count();
        let mut effects = vec![t.off_shelf_effect(bindings::active(visit, app).await.len())];
        effects.extend((delivering > 0).then(|| t.off_shelf_gray(delivering)));
        Confirm {
            act: t.take_off_shelf().into(),
            effects,
            is_dangerous: true,
            note: Some(t.shelf_note()),
            typed: Some(id.to_owned()),
            command: format!("berth app shelf {id} off --note '…'"),
            back,
            ..Confirm::default()
        }
    } else {
        let suspended = it.gray_tasks.iter().any(|task| task.state == GrayState::Suspended);
        let tick = || Tick { name: "resume", label: t.resume_tasks().into(), hint: t.resume_tasks_hint().into() };
        Confirm {
            act: t.put_on_shelf().into(),
            effects: vec![t.on_shelf_effect().into()],
            ticks: suspended.then(tick).into_iter().collect(),
            hidden: vec![("on".into(), "on".into())],
            command: format!("berth app shelf {id} on"),
            back,
            ..Confirm::default()
        }
    };
    let title = confirm.act.clone();
    confirm.show(visit, head(visit, &title, Some(app)), filled)
}

async fn set_shelf(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let on = sent.is_on("on");
    let said = if on { visit.t.is_back_on_shelf() } else { visit.t.took_off_shelf() };
    let result = if !on && sent.get("typed") != id {
        Err(invalid(visit.t, "typed", &visit.t.type_to_confirm(&id)))
    } else {
        let shelf = Shelf { on, note: sent.get("note").into(), resume: sent.is_on("resume") };
        visit.api.act(Method::POST, &at!("/v1/mini-apps/{}/shelf", id), &shelf).await
    };
    match result {
        Ok(()) => done(&at!("/ui/mini-apps/{}", id), said),
        Err(refused) => show_shelf(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

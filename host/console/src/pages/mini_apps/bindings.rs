//! The host apps that run a MiniApp, and asking for one.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::{
    access::{Action, Scope},
    binding::{Binding, BindingState},
    mini_app::MiniApp,
};

use super::{Tab, head, mini_app, tabs};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Filled, Shown},
    path::at,
    texts::Texts,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/bindings", get(show).post(ask))
        .route("/ui/mini-apps/{id}/bindings/{host_app}/end", get(confirm_end).post(end))
}

/// The host apps that run a MiniApp, as far as the visitor may know.
pub async fn active(visit: &Visit, app: &MiniApp) -> Vec<Binding> {
    let mut all = all(visit, app).await;
    all.retain(|binding| binding.state == BindingState::Active);
    all
}

async fn all(visit: &Visit, app: &MiniApp) -> Vec<Binding> {
    visit.api.list(&at!("/v1/mini-apps/{}/bindings", app.id)).await.unwrap_or_default()
}

#[derive(askama::Template)]
#[template(path = "mini_apps/bindings.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    bindings: &'a [Binding],
    may_ask: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    /// Whether the visitor may know the host app of a binding.
    fn knows(&self, binding: &Binding) -> bool {
        self.visit.caller.knows(&Scope::HostApp(binding.host_app.clone()))
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let bindings = all(visit, &app).await;
    let may_ask = visit.can(Action::Configure, &app.scope());
    let tabs = tabs(visit, &app, "/bindings");
    let page = Page { t: visit.t, visit, app: &app, tabs, bindings: &bindings, may_ask, filled };
    visit.page(head(visit, visit.t.bindings(), Some(&app)), &page)
}

/// Asks for a binding, or agrees to one that the host app has asked for: it is the same act.
async fn ask(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let path = at!("/v1/host-apps/{}/bindings/{}", sent.get("host_app"), id);
    match visit.api.just(Method::PUT, &path).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/bindings", id), visit.t.binding_asked()),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_end(visit: Visit, Path((id, host_app)): Path<(String, String)>) -> Answer {
    show_end(&visit, &id, &host_app, &Filled::default()).await
}

async fn show_end(visit: &Visit, id: &str, host_app: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.end_binding().into(),
        effects: vec![t.end_binding_effect(&app.name, host_app)],
        is_dangerous: true,
        command: format!("berth host-app unbind {host_app} {id}"),
        back: at!("/ui/mini-apps/{}/bindings", id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.end_binding(), Some(&app)), filled)
}

async fn end(visit: Visit, Path((id, host_app)): Path<(String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/host-apps/{}/bindings/{}", host_app, id)).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/bindings", id), visit.t.binding_ended()),
        Err(refused) => show_end(&visit, &id, &host_app, &sent.again(&visit, refused)?).await,
    }
}

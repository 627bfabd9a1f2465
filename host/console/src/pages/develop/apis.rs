//! The sensitive APIs of the host apps that run a MiniApp, and where the MiniApp stands with each.

use axum::{Router, extract::Path, routing::get};
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    settings::{ApiStanding, PermitState, SensitiveApisOf},
};

use super::{
    super::mini_apps::{Tab, mini_app},
    Others, TAB, head, sections, tabs,
};
use crate::{
    Console,
    parts::Shown,
    path::{at, with_query},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/mini-apps/{id}/apis", get(show))
}

#[derive(askama::Template)]
#[template(path = "develop/apis.html")]
struct Page<'a> {
    t: Texts,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    sections: Vec<Tab>,
    hosts: &'a [SensitiveApisOf],
    others: &'a Others,
    may_apply: bool,
}

impl Page<'_> {
    /// Where one applies for an API, unless that is done already or not for the visitor to do.
    fn apply(&self, host: &SensitiveApisOf, one: &ApiStanding) -> Option<String> {
        let is_live = one.state.is_some_and(PermitState::is_live);
        let members = [("host_app", Some(host.host_app.as_str())), ("api", Some(one.api.as_str()))];
        let address = || with_query(&at!("/ui/mini-apps/{}/permits/new", self.app.id), members);
        (self.may_apply && !is_live).then(address)
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let hosts: Vec<SensitiveApisOf> =
        visit.api.list(&at!("/v1/mini-apps/{}/sensitive-apis", id)).await.or_show(&visit)?;
    let page = Page {
        t: visit.t,
        app: &app,
        tabs: tabs(&visit, &app, TAB),
        sections: sections(&visit, &app, "/apis"),
        hosts: &hosts,
        others: &Others::host_apps(&visit).await,
        may_apply: visit.can(Action::Develop, &app.scope()),
    };
    let mut head = head(&visit, visit.t.sensitive_apis(), Some(&app));
    head.live = visit.live_of(&app);
    visit.page(head, &page)
}

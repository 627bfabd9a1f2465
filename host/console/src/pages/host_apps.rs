//! Host apps: their keys, what they run, and agreeing to bindings.

mod keys;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    binding::{Binding, BindingState},
    download::BundleRequest,
    host_app::{FormerKey, HostApp, NewHostApp},
    policy::registry::Level,
};

use super::policies::trust_address;
use crate::{
    Console,
    act::{Confirm, Sent},
    api::file,
    frame::{Head, done},
    parts::{Filled, Names, Shown},
    path::{Cursor, at, at_cursor, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
pub const PLACE: &str = "/ui/host-apps";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/host-apps", get(list).post(create))
        .route("/ui/host-apps/{id}", get(one))
        .route("/ui/host-apps/{id}/bundle", post(bundle))
        .route("/ui/host-apps/{id}/agree", post(agree))
        .route("/ui/host-apps/{id}/bindings/{mini_app}/end", get(confirm_end).post(end))
        .merge(keys::routes())
}

#[derive(askama::Template)]
#[template(path = "host_apps/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    hosts: &'a [HostApp],
    next: Option<String>,
    may_create: bool,
    filled: &'a Filled,
}

async fn list(visit: Visit, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    show_list(&visit, &cursor, &Filled::default()).await
}

async fn show_list(visit: &Visit, cursor: &str, filled: &Filled) -> Answer {
    let page: ListPage<HostApp> = visit.api.page(&at_cursor("/v1/host-apps", cursor)).await.or_show(visit)?;
    let next = page.next.map(|next| at_cursor(PLACE, &next));
    let may_create = visit.can(Action::Administer, &Scope::Platform);
    let body = List { t: visit.t, visit, hosts: &page.items, next, may_create, filled };
    visit.page(Head { title: visit.t.host_apps(), place: PLACE, ..Head::default() }, &body)
}

async fn create(visit: Visit, sent: Sent) -> Answer {
    match created(&visit, &sent).await {
        Ok(host) => done(&at!("/ui/host-apps/{}", host.id), visit.t.host_app_created()),
        Err(refused) => show_list(&visit, "", &sent.again(&visit, refused)?).await,
    }
}

async fn created(visit: &Visit, sent: &Sent) -> Result<HostApp, Refused> {
    let id = sent.read_some("id")?;
    visit.api.tell(Method::POST, "/v1/host-apps", &NewHostApp { name: sent.get("name").into(), id }).await
}

#[derive(askama::Template)]
#[template(path = "host_apps/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    host: &'a HostApp,
    bindings: &'a [Binding],
    next: Option<String>,
    names: &'a Names,
    may_bind: bool,
    may_see_members: bool,
    /// Whether the visitor may speak for users of the host app, as its server does.
    may_speak: bool,
}

impl One<'_> {
    fn has_ended(&self, former: &FormerKey) -> bool {
        former.ends_at <= self.visit.now
    }

    /// Where the keys are that it trusts to sign policies.
    fn trust(&self) -> String {
        trust_address(Level::HostApp, &self.host.id)
    }

    /// What stands on pages of its own, as far as the visitor may see it: path and name.
    fn places(&self) -> Vec<(&'static str, &'static str)> {
        let t = self.t;
        let places = [
            ("apis", t.sensitive_apis(), self.may_see_members),
            ("domains", t.domains(), self.may_see_members),
            ("logins", t.users(), self.may_speak),
            ("users", t.users_of_host_app(), self.may_speak),
            ("logs", t.logs(), self.may_see_members),
            ("members", t.members(), self.may_see_members),
        ];
        places.into_iter().filter(|(.., is_offered)| *is_offered).map(|(path, name, _)| (path, name)).collect()
    }
}

/// A page of the bindings in a state; none for a visitor who may not read the host app.
pub async fn bindings(visit: &Visit, id: &str, state: BindingState, limit: &str, cursor: &str) -> ListPage<Binding> {
    let members = [("state", Some(state.as_str())), ("limit", Some(limit)), ("cursor", Some(cursor))];
    let found = visit.api.page(&with_query(&at!("/v1/host-apps/{}/bindings", id), members)).await;
    found.unwrap_or(ListPage { items: Vec::new(), next: None })
}

/// What waits, and a page of what the host app runs.
async fn shown(visit: &Visit, id: &str, cursor: &str) -> ListPage<Binding> {
    let mut shown = Vec::new();
    if cursor.is_empty() {
        for state in [BindingState::WaitsForHostApp, BindingState::WaitsForTeam] {
            shown.extend(bindings(visit, id, state, "50", "").await.items);
        }
    }
    let active = bindings(visit, id, BindingState::Active, "50", cursor).await;
    shown.extend(active.items);
    ListPage { items: shown, next: active.next }
}

async fn one(visit: Visit, Path(id): Path<String>, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    let host = host_app(&visit, &id).await?;
    let bindings = shown(&visit, &id, &cursor).await;
    let scope = Scope::HostApp(host.id.clone());
    let page = One {
        t: visit.t,
        visit: &visit,
        host: &host,
        next: bindings.next.map(|next| at_cursor(&at!("/ui/host-apps/{}", id), &next)),
        bindings: &bindings.items,
        names: &Names::of(&visit.api, host.former_keys.iter().map(|former| former.replaced_by.as_str())).await,
        may_bind: visit.can(Action::Configure, &scope),
        may_see_members: visit.can(Action::Read, &scope),
        may_speak: visit.can(Action::Vouch, &scope),
    };
    let above = vec![(visit.t.host_apps().to_owned(), PLACE.to_owned())];
    let live = Some(at!("/ui/live?host_app={}", id));
    visit.page(Head { title: &host.name, above, place: PLACE, live }, &page)
}

/// The packages that the app embeds, as the API hands them out.
async fn bundle(visit: Visit, Path(id): Path<String>) -> Answer {
    let host_app = host_app(&visit, &id).await?.id;
    let request = BundleRequest { host_app, mini_apps: None, cid: None };
    Ok(file(visit.api.send(Method::POST, "/v1/bundles", &request).await.or_show(&visit)?))
}

/// A host app by its id.
pub async fn host_app(visit: &Visit, id: &str) -> Result<HostApp, crate::visit::Shown> {
    visit.api.get(&at!("/v1/host-apps/{}", id)).await.or_show(visit)
}

/// The head of a page below a host app.
pub fn head<'a>(visit: &Visit, title: &'a str, host: &HostApp) -> Head<'a> {
    let of_host = (host.name.clone(), at!("/ui/host-apps/{}", host.id));
    let above = vec![(visit.t.host_apps().to_owned(), PLACE.to_owned()), of_host];
    Head { title, above, place: PLACE, live: None }
}

async fn agree(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let path = at!("/v1/host-apps/{}/bindings/{}", id, sent.get("mini_app"));
    visit.api.just(Method::PUT, &path).await.or_show(&visit)?;
    done(&at!("/ui/host-apps/{}", id), visit.t.binding_asked())
}

async fn confirm_end(visit: Visit, Path((id, mini_app)): Path<(String, String)>) -> Answer {
    show_end(&visit, &id, &mini_app, &Filled::default()).await
}

async fn show_end(visit: &Visit, id: &str, mini_app: &str, filled: &Filled) -> Answer {
    let host = host_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.end_binding().into(),
        effects: vec![t.end_binding_effect(mini_app, &host.name)],
        is_dangerous: true,
        command: format!("berth host-app unbind {id} {mini_app}"),
        back: at!("/ui/host-apps/{}", id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.end_binding(), &host), filled)
}

async fn end(visit: Visit, Path((id, mini_app)): Path<(String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/host-apps/{}/bindings/{}", id, mini_app)).await {
        Ok(()) => done(&at!("/ui/host-apps/{}", id), visit.t.binding_ended()),
        Err(refused) => show_end(&visit, &id, &mini_app, &sent.again(&visit, refused)?).await,
    }
}

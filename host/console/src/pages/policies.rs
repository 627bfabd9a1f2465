//! Policies: what is installed, what each takes as its config, and where it is bound.

mod bindings;
mod replay;
mod trust;
mod upload;

pub use trust::address as trust_address;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::Deserialize;

use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, BERTH, Scope},
    host_app::HostApp,
    mini_app::MiniApp,
    policy::{
        PolicyKind,
        figures::{BindingFigures, PolicyFigures},
        is_link,
        registry::{InstalledPolicy, Level, Mode, OnError, PolicyBinding, PolicyScope, ScopeKind, Signer},
    },
};

use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Filled, Names, Shown},
    path::{at, with_query},
    refused::Refused,
    schema::{self, Field},
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
pub const PLACE: &str = "/ui/policies";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/policies", get(list))
        .route("/ui/policies/{policy}", get(one))
        .route("/ui/policies/{policy}/remove", get(confirm_remove).post(remove))
        .merge(bindings::routes())
        .merge(replay::routes())
        .merge(trust::routes())
        .merge(upload::routes())
}

fn head<'a>(visit: &Visit, title: &'a str, policy: Option<&str>) -> Head<'a> {
    let mut above = vec![(visit.t.policies().to_owned(), PLACE.to_owned())];
    above.extend(policy.map(|name| (name.to_owned(), at!("/ui/policies/{}", name))));
    Head { title, above, place: PLACE, live: None }
}

/// Installed policies of one kind.
struct OfKind {
    name: &'static str,
    hint: &'static str,
    policies: Vec<InstalledPolicy>,
}

#[derive(askama::Template)]
#[template(path = "policies/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    kinds: Vec<OfKind>,
    names: &'a Names,
    may_install: bool,
    is_built_in: bool,
}

impl List<'_> {
    /// The beginning of the digest, by which people tell versions apart.
    fn short(&self, policy: &InstalledPolicy) -> String {
        policy.digest.to_string().chars().take(12).collect()
    }
}

async fn list(visit: Visit) -> Answer {
    let t = visit.t;
    let policies: Vec<InstalledPolicy> = visit.api.list("/v1/policies?places=true").await.or_show(&visit)?;
    let names = Names::of(&visit.api, policies.iter().map(|policy| policy.installed_by.as_str())).await;
    let kinds = PolicyKind::ALL.iter().map(|kind| OfKind {
        name: t.policy_kind(kind),
        hint: t.policy_kind_hint(kind),
        policies: policies.iter().filter(|policy| policy.kind == *kind).cloned().collect(),
    });
    let body = List {
        t,
        visit: &visit,
        is_built_in: policies.iter().all(|policy| policy.installed_by == BERTH),
        kinds: kinds.collect(),
        names: &names,
        may_install: visit.can(Action::Administer, &Scope::Platform),
    };
    visit.page(Head { title: t.policies(), place: PLACE, ..Head::default() }, &body)
}

async fn policy(visit: &Visit, which: &str) -> Result<InstalledPolicy, crate::visit::Shown> {
    visit.api.get(&at!("/v1/policies/{}", which)).await.or_show(visit)
}

/// A place where a policy may be bound.
struct Place {
    /// What a form sends for it: the kind, and the id after a colon.
    value: String,
    name: String,
}

impl Place {
    /// Whether it is a MiniApp, of which a record of checks may be kept.
    fn has_record(&self) -> bool {
        self.value.strip_prefix(ScopeKind::MiniApp.as_str()).is_some_and(|id| id.starts_with(':'))
    }
}

/// The places where the visitor may bind policies.
async fn places(visit: &Visit) -> Vec<Place> {
    let t = visit.t;
    let mut places = Vec::new();
    if visit.can(Action::Configure, &Scope::Platform) {
        places.push(Place { value: "platform".into(), name: t.scope_platform().into() });
    }
    // A page without choices is better than none.
    let hosts = visit.api.page::<HostApp>("/v1/host-apps?limit=200").await.map(|page| page.items).unwrap_or_default();
    let hosts = hosts.into_iter().filter(|host| visit.can(Action::Configure, &Scope::HostApp(host.id.clone())));
    places.extend(hosts.map(|host| Place {
        value: format!("host_app:{}", host.id),
        name: format!("{} · {}", t.scope_host_app(), host.name),
    }));
    let apps = visit.api.page::<MiniApp>("/v1/mini-apps?limit=200").await.map(|page| page.items).unwrap_or_default();
    let apps = apps.into_iter().filter(|app| visit.can(Action::Configure, &app.scope()));
    places.extend(
        apps.map(|app| Place {
            value: format!("mini_app:{}", app.id),
            name: format!("{} · {}", t.mini_app(), app.name),
        }),
    );
    places
}

/// The value that a form sends for a place.
fn value_of(scope: &PolicyScope) -> String {
    match scope.kind {
        ScopeKind::Platform => "platform".into(),
        kind => format!("{kind}:{}", scope.id),
    }
}

/// Where a page about a place is.
fn address_of(scope: &PolicyScope) -> Option<String> {
    match scope.kind {
        ScopeKind::Platform => None,
        ScopeKind::HostApp => Some(at!("/ui/host-apps/{}", scope.id)),
        ScopeKind::MiniApp => Some(at!("/ui/mini-apps/{}", scope.id)),
        ScopeKind::GrayTask => Some(at!("/ui/gray/{}", scope.id)),
    }
}

/// A binding in a list.
struct Bound<'a> {
    binding: &'a PolicyBinding,
    place: &'static str,
    address: Option<String>,
    may_change: bool,
}

/// Bindings as the visitor may change them: at the places where they may bind, but not those of the platform, which its
/// admins alone change. Policies of gray tasks are changed on the task's page.
fn bound<'a>(visit: &Visit, bindings: &'a [PolicyBinding], places: &[Place]) -> Vec<Bound<'a>> {
    let is_open = |binding: &PolicyBinding| binding.level != Level::Platform || visit.caller.is_platform_admin();
    let one = |binding: &'a PolicyBinding| Bound {
        binding,
        place: visit.t.policy_place(&binding.scope.kind),
        address: address_of(&binding.scope),
        may_change: is_open(binding) && places.iter().any(|place| place.value == value_of(&binding.scope)),
    };
    bindings.iter().map(one).collect()
}

#[derive(askama::Template)]
#[template(path = "policies/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a InstalledPolicy,
    versions: &'a [InstalledPolicy],
    /// The schema of its config, to be read.
    format: Option<String>,
    /// The fields for its config where it is bound.
    fields: Vec<Field>,
    bound: Vec<Bound<'a>>,
    /// How many bindings there are in all, and where the next ones are.
    bindings: u64,
    next: Option<String>,
    /// How its bindings ran on this host; none without it when the API does not say.
    figures: Option<PolicyFigures>,
    places: &'a [Place],
    names: &'a Names,
    /// Whether the visitor may try it on the devices of a record.
    may_replay: bool,
    may_remove: bool,
    filled: &'a Filled,
}

impl One<'_> {
    /// At how many places it is bound.
    fn count(&self) -> String {
        show::grouped(self.bindings)
    }

    /// Whether an address that the makers of the policy have written is a link.
    fn is_link(&self, address: &str) -> bool {
        is_link(address)
    }

    fn is_auditor(&self) -> bool {
        self.it.kind == PolicyKind::Auditor
    }

    /// Whom a certificate names, or the beginning of a key's fingerprint, by which people tell keys apart.
    fn short(&self, signer: &Signer) -> String {
        match &signer.identity {
            Some(identity) => identity.subject.clone(),
            None => signer.fingerprint.as_str().chars().take(12).collect(),
        }
    }

    /// The place of a binding and the version of the policy, as one line.
    fn counted(&self, one: &BindingFigures) -> String {
        let place = self.t.policy_place(&one.scope.kind);
        let version = one.policy_version.as_deref().unwrap_or("–");
        [place, &one.scope.id, version].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    cursor: String,
}

async fn one(visit: Visit, Path(which): Path<String>, Query(Part { cursor }): Query<Part>) -> Answer {
    show_page(&visit, &which, &cursor, &Filled::default()).await
}

async fn show_one(visit: &Visit, which: &str, filled: &Filled) -> Answer {
    show_page(visit, which, "", filled).await
}

/// A page of the places where a policy is bound, whatever its version.
async fn bound_at(visit: &Visit, name: &str, cursor: &str) -> Result<ListPage<PolicyBinding>, Refused> {
    let asked = [("policy", Some(name)), ("limit", Some("50")), ("cursor", Some(cursor))];
    visit.api.page(&with_query("/v1/policy-bindings", asked)).await
}

async fn show_page(visit: &Visit, which: &str, cursor: &str, filled: &Filled) -> Answer {
    let it = policy(visit, which).await?;
    let mut versions: Vec<InstalledPolicy> = visit.api.list("/v1/policies?places=true").await.or_show(visit)?;
    versions.retain(|policy| policy.name == it.name);
    let ListPage { items: shown, next } = bound_at(visit, &it.name, cursor).await.or_show(visit)?;
    let accounts = shown.iter().map(|binding| binding.bound_by.as_str()).chain([it.installed_by.as_str()]);
    let names = Names::of(&visit.api, accounts).await;
    let places = places(visit).await;
    let page = One {
        t: visit.t,
        visit,
        it: &it,
        versions: &versions,
        format: it.config_schema.as_ref().map(|schema| format!("{schema:#}")),
        fields: schema::fields(visit.t, it.config_schema.as_ref(), &serde_json::Value::Null, "config"),
        bound: bound(visit, &shown, &places),
        bindings: versions.iter().filter_map(|version| version.places).sum(),
        next: next.map(|next| with_query(&at!("/ui/policies/{}", which), [("cursor", Some(next.as_str()))])),
        figures: visit.api.get(&at!("/v1/policies/{}/figures", it.digest)).await.ok(),
        places: &places,
        names: &names,
        may_replay: it.kind == PolicyKind::Grayscale && places.iter().any(Place::has_record),
        may_remove: visit.can(Action::Administer, &Scope::Platform) && it.installed_by != BERTH,
        filled,
    };
    visit.page(head(visit, &it.name, None), &page)
}

async fn confirm_remove(visit: Visit, Path(which): Path<String>) -> Answer {
    show_remove(&visit, &which, &Filled::default()).await
}

async fn show_remove(visit: &Visit, which: &str, filled: &Filled) -> Answer {
    let it = policy(visit, which).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.remove_policy().into(),
        effects: vec![t.remove_policy_effect(&it.name, &it.version)],
        is_dangerous: true,
        command: format!("berth policy remove {}@{}", it.name, it.version),
        back: at!("/ui/policies/{}", it.digest),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.remove_policy(), Some(&it.name)), filled)
}

async fn remove(visit: Visit, Path(which): Path<String>, sent: Sent) -> Answer {
    let digest = policy(&visit, &which).await?.digest;
    match visit.api.just(Method::DELETE, &at!("/v1/policies/{}", digest)).await {
        Ok(()) => done(PLACE, visit.t.policy_removed()),
        Err(refused) => show_remove(&visit, &which, &sent.again(&visit, refused)?).await,
    }
}

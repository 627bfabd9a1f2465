//! The domains with which a MiniApp may communicate, and in which host apps they are not verified.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    host_app::HostApp,
    mini_app::MiniApp,
    settings::{Domain, DomainChange, DomainKind, DomainSettings, Permit, PermitKind, SetDomains},
};

use super::{
    super::{
        host_apps,
        mini_apps::{Tab, bindings, mini_app},
    },
    Others, TAB, head,
    permits::{Queue, QueueQuery},
    sections, tabs,
};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::{Filled, Names, Shown},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/domains", get(show).post(set))
        .route("/ui/host-apps/{id}/domains", get(asked))
}

/// The domains of one kind, as the form has them.
struct Kind {
    kind: DomainKind,
    name: &'static str,
    hint: &'static str,
    text: String,
    /// What stands against lines of it, in the words of the API.
    faults: Vec<String>,
}

/// A host app in which a MiniApp may apply to skip the verification.
struct Offer {
    name: String,
    address: String,
}

#[derive(askama::Template)]
#[template(path = "develop/domains.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    sections: Vec<Tab>,
    settings: &'a DomainSettings,
    kinds: Vec<Kind>,
    tag: &'a str,
    /// What saving what was typed would change, where that is not what the visitor has seen before.
    changes: Vec<DomainChange>,
    permits: &'a [Permit],
    others: &'a Others,
    offers: Vec<Offer>,
    names: &'a Names,
    may_edit: bool,
    is_of_team: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    fn kind_name(&self, kind: &DomainKind) -> &'static str {
        words(self.t, *kind).0
    }
}

/// What people call a kind of domains, and what it is for.
fn words(t: Texts, kind: DomainKind) -> (&'static str, &'static str) {
    match kind {
        DomainKind::Request => (t.domain_request(), t.domain_request_hint()),
        DomainKind::Upload => (t.domain_upload(), t.domain_upload_hint()),
        DomainKind::Download => (t.domain_download(), t.domain_download_hint()),
        DomainKind::Socket => (t.domain_socket(), t.domain_socket_hint()),
        DomainKind::Udp => (t.domain_udp(), t.domain_udp_hint()),
        DomainKind::Tcp => (t.domain_tcp(), t.domain_tcp_hint()),
        DomainKind::Business => (t.domain_business(), t.domain_business_hint()),
    }
}

/// The lines of a text that say something.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn kind_of(t: Texts, kind: DomainKind, settings: &DomainSettings, filled: &Filled) -> Kind {
    let set: Vec<&str> = settings.domains.of(kind).iter().map(Domain::as_str).collect();
    let (name, hint) = words(t, kind);
    let text = filled.or(kind.as_str(), &set.join("\n")).to_owned();
    let typed = lines(&text);
    let fault = |(place, rule): (&str, &str)| match place.parse().ok().and_then(|at: usize| typed.get(at)) {
        Some(line) => format!("{line}: {rule}"),
        None => rule.to_owned(),
    };
    let faults = filled.faults(kind.as_str()).map(fault).collect();
    Kind { kind, name, hint, text, faults }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let (t, scope) = (visit.t, app.scope());
    let (settings, tag): (DomainSettings, String) =
        visit.api.tagged(&at!("/v1/mini-apps/{}/domains", id)).await.or_show(visit)?;
    let is_of_team = visit.can(Action::Read, &scope);
    let permits = if is_of_team { skips(visit, id).await.or_show(visit)? } else { Vec::new() };
    let others = Others::host_apps(visit).await;
    let may_edit = visit.can(Action::Develop, &scope);
    let typed = (!filled.is_new()).then(|| typed(|kind| lines(filled.get(kind))).read().ok()).flatten();
    let page = Page {
        t,
        visit,
        app: &app,
        tabs: tabs(visit, &app, TAB),
        sections: sections(visit, &app, "/domains"),
        kinds: DomainKind::ALL.iter().map(|kind| kind_of(t, *kind, &settings, filled)).collect(),
        tag: filled.tag(&tag),
        changes: typed.map(|typed| settings.domains.changes(&typed)).unwrap_or_default(),
        offers: if may_edit { offers(visit, &app, &permits, &others).await } else { Vec::new() },
        permits: &permits,
        others: &others,
        names: &Names::of(&visit.api, settings.changed_by.as_deref()).await,
        settings: &settings,
        may_edit,
        is_of_team,
        filled,
    };
    visit.page(head(visit, t.domains(), Some(&app)), &page)
}

/// What a MiniApp has applied for to skip the verification of its domains, newest first.
async fn skips(visit: &Visit, id: &str) -> Result<Vec<Permit>, Refused> {
    let kind = Some(PermitKind::SkipDomains.as_str());
    let page: ListPage<Permit> =
        visit.api.page(&with_query(&at!("/v1/mini-apps/{}/permits", id), [("kind", kind)])).await?;
    Ok(page.items)
}

/// The host apps in which it can be applied for.
async fn offers(visit: &Visit, app: &MiniApp, permits: &[Permit], others: &Others) -> Vec<Offer> {
    let live: Vec<_> = permits.iter().filter(|permit| permit.state.is_live()).map(|permit| &permit.host_app).collect();
    let bound = bindings::active(visit, app).await.into_iter().map(|binding| binding.host_app);
    let offer = |host: berth_base::ids::HostAppId| Offer {
        name: others.name(host.as_str()).to_owned(),
        address: with_query(&at!("/ui/mini-apps/{}/permits/new", app.id), [("host_app", Some(host.as_str()))]),
    };
    bound.filter(|host| !live.contains(&host)).map(offer).collect()
}

/// The domains of all kinds, each by the name of its field.
fn typed(of: impl Fn(&str) -> Vec<String>) -> SetDomains {
    let mut set = SetDomains::default();
    for kind in DomainKind::ALL {
        *set.of_mut(*kind) = of(kind.as_str());
    }
    set
}

async fn set(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match set_to(&visit, &id, &sent).await {
        Ok(said) => done(&at!("/ui/mini-apps/{}/domains", id), &said),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// Sets the domains, and says what has changed.
async fn set_to(visit: &Visit, id: &str, sent: &Sent) -> Result<String, Refused> {
    let path = at!("/v1/mini-apps/{}/domains", id);
    let before: DomainSettings = visit.api.get(&path).await?;
    let set = typed(|kind| lines(sent.get(kind)));
    let after: DomainSettings = visit.api.only_if(sent.get("tag")).tell(Method::PUT, &path, &set).await?;
    Ok(told(visit.t, &before.domains.changes(&after.domains)))
}

/// Changes in a sentence.
fn told(t: Texts, changes: &[DomainChange]) -> String {
    let all = |of: fn(&DomainChange) -> &Vec<Domain>| few(changes.iter().flat_map(of));
    match (all(|change| &change.added), all(|change| &change.removed)) {
        (None, None) => t.domains_same().into(),
        (Some(added), None) => t.domains_added(added),
        (None, Some(removed)) => t.domains_removed(removed),
        (Some(added), Some(removed)) => format!("{} {}", t.domains_added(added), t.domains_removed(removed)),
    }
}

/// How many domains a sentence names.
const FEW: usize = 5;

/// The first of some domains, and whether there are more; `None` when there is none.
fn few<'a>(domains: impl Iterator<Item = &'a Domain>) -> Option<String> {
    let all: Vec<&str> = domains.map(Domain::as_str).collect();
    let more = if all.len() > FEW { " …" } else { "" };
    (!all.is_empty()).then(|| all.iter().take(FEW).copied().collect::<Vec<_>>().join(", ") + more)
}

#[derive(askama::Template)]
#[template(path = "develop/host_domains.html")]
struct Asked<'a> {
    t: Texts,
    visit: &'a Visit,
    host: &'a HostApp,
    queue: &'a Queue,
    permits: &'a [Permit],
    others: &'a Others,
}

async fn asked(visit: Visit, Path(id): Path<String>, Query(query): Query<QueueQuery>) -> Answer {
    let host = host_apps::host_app(&visit, &id).await?;
    let here = at!("/ui/host-apps/{}/domains", id);
    let queue = Queue::of(&visit, &id, PermitKind::SkipDomains, &query, &here).await?;
    let others = Others::mini_apps(&visit).await;
    let page =
        Asked { t: visit.t, visit: &visit, host: &host, permits: &queue.permits, queue: &queue, others: &others };
    let mut head = host_apps::head(&visit, visit.t.domains(), &host);
    head.live = Some(at!("/ui/live?host_app={}", id));
    visit.page(head, &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn what_was_typed_is_read_by_lines() {
        assert_eq!(
            lines(" https://a.example.com \r\n\n https://b.example.com"),
            ["https://a.example.com", "https://b.example.com"]
        );
    }

    #[test]
    fn what_has_changed_is_said_with_the_first_domains() {
        let t = Texts(Language::English);
        assert_eq!(told(t, &[]), t.domains_same());
        let many: Vec<_> =
            (0..7).filter_map(|at| Domain::read(DomainKind::Tcp, &format!("tcp://a{at}.example.com")).ok()).collect();
        let change = DomainChange { kind: DomainKind::Tcp, added: many, removed: Vec::new() };
        assert!(told(t, &[change]).ends_with("tcp://a4.example.com …."));
    }
}

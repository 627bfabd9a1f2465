//! Versions of a MiniApp: the list, one version with all that is known of it, and what is done with it.

mod acts;
mod audits;
mod compare;
mod files;
mod releases;
mod upload;

use std::collections::BTreeSet;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::{page::Page as ListPage, version::VersionNumber};
use berth_model::{
    access::Action,
    audit::{Audit, Findings, NamedFinding},
    mini_app::MiniApp,
    overview::Overview,
    policy::Severity,
    rollout::GrayTask,
    version::{Release, State, Version, VersionDetail, is_above},
};
use serde::Deserialize;

use super::mini_apps::{Back, Tab, back_to, head, may_come_online, mini_app, tabs};
use crate::{
    Console,
    api::file,
    parts::{Names, Shown},
    path::{Cursor, at, at_cursor, with_query},
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/versions", get(list))
        .route("/ui/mini-apps/{id}/versions/{version}", get(one))
        .route("/ui/mini-apps/{id}/versions/{version}/findings", get(findings))
        .route("/ui/mini-apps/{id}/versions/{version}/findings.sarif", get(sarif))
        .merge(upload::routes())
        .merge(acts::routes())
        .merge(files::routes())
        .merge(compare::routes())
        .merge(releases::routes())
        .merge(audits::routes())
}

#[derive(askama::Template)]
#[template(path = "versions/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    versions: &'a [Version],
    names: &'a Names,
    next: Option<String>,
    may_upload: bool,
}

async fn list(visit: Visit, Path(id): Path<String>, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let path = at_cursor(&at!("/v1/mini-apps/{}/versions", id), &cursor);
    let page: ListPage<Version> = visit.api.page(&path).await.or_show(&visit)?;
    let names = Names::of(&visit.api, page.items.iter().map(|version| version.uploaded_by.as_str())).await;
    let here = at!("/ui/mini-apps/{}/versions", id);
    let body = List {
        t: visit.t,
        visit: &visit,
        app: &app,
        tabs: tabs(&visit, &app, "/versions"),
        versions: &page.items,
        names: &names,
        next: page.next.map(|next| at_cursor(&here, &next)),
        may_upload: visit.can(Action::Develop, &app.scope()),
    };
    visit.page(head(&visit, visit.t.versions(), Some(&app)), &body)
}

/// An act that a page offers: done on a page of its own, which says what it will do.
struct Act {
    name: String,
    address: String,
    class: &'static str,
}

#[derive(askama::Template)]
#[template(path = "versions/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    version: &'a Version,
    audit: Option<&'a Audit>,
    /// The audits before that one, the newest first.
    earlier: &'a [Audit],
    counts: Vec<(Severity, usize)>,
    /// The gray tasks that give it to devices, or will.
    gray_tasks: Vec<GrayTask>,
    acts: Vec<Act>,
    names: &'a Names,
}

/// How many findings there are of each severity, the worst first.
fn counts(findings: &[NamedFinding]) -> Vec<(Severity, usize)> {
    let count = |severity| findings.iter().filter(|named| named.finding.severity == severity).count();
    let all = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| (severity, count(severity)));
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// What may be done with a version beside the one that is online: nothing that the host would always refuse. `back` is how it
/// comes back, if it was online.
fn acts_of(
    visit: &Visit,
    app: &MiniApp,
    version: &Version,
    online: Option<&VersionNumber>,
    back: Option<Back>,
) -> Vec<Act> {
    let t = visit.t;
    let develops = visit.can(Action::Develop, &app.scope());
    let releases = visit.can(Action::Release, &app.scope()) && may_come_online(app, &version.version);
    let act = |name: &str, path: &str, class| Act {
        name: name.to_owned(),
        address: at!("/ui/mini-apps/{}/versions/{}", app.id, version.version) + path,
        class,
    };
    let mut acts = Vec::new();
    match version.state {
        State::Development if develops => {
            // A pre-release stays in development.
            if !version.version.is_prerelease() {
                acts.push(act(t.submit(), "/submit", "primary"));
            }
            acts.push(act(t.delete_version(), "/delete", ""));
        }
        State::Rejected if develops => acts.push(act(t.submit(), "/submit", "")),
        State::Auditing if develops => acts.push(act(t.withdraw(), "/withdraw", "")),
        State::Approved if releases && is_above(&version.version, online) => {
            acts.push(act(t.publish(), "/publish", "primary"));
            // The devices outside of a grayscale have to run something.
            if online.is_some() {
                let address = at!("/ui/mini-apps/{}/gray/new?version={}", app.id, version.version);
                acts.push(Act { name: t.new_gray_task().into(), address, class: "" });
            }
        }
        State::Historical if releases => acts.extend(back.map(|back| match back {
            Back::RollBack => act(t.roll_back(), "/rollback", ""),
            Back::PublishAgain => act(&t.publish_again(&version.version), "/publish", ""),
        })),
        _ => {}
    }
    acts
}

/// The MiniApp at one look, where what is online decides what may be done with a version.
async fn beside(visit: &Visit, version: &Version) -> Option<Overview> {
    if !matches!(version.state, State::Approved | State::Historical) {
        return None;
    }
    visit.api.get(&at!("/v1/mini-apps/{}/overview", version.mini_app)).await.ok()
}

/// How a version comes back that was online.
async fn back(visit: &Visit, version: &Version, online: Option<&VersionNumber>) -> Option<Back> {
    let online = online.filter(|_| version.state == State::Historical)?;
    let releases: Vec<Release> = visit.api.list(&at!("/v1/mini-apps/{}/releases", version.mini_app)).await.ok()?;
    back_to(releases.first()?, online, &version.version)
}

/// The gray tasks of a version that have not ended; only an approved one has any.
fn gray_tasks_of(it: Option<Overview>, version: &Version) -> Vec<GrayTask> {
    let tasks = it.into_iter().flat_map(|it| it.gray_tasks);
    tasks.filter(|task| task.version == version.version).collect()
}

/// The audits before the newest one. A page is better without them than not at all.
async fn earlier(visit: &Visit, detail: &VersionDetail) -> Vec<Audit> {
    let Some(newest) = &detail.audit else { return Vec::new() };
    let path = at!("/v1/mini-apps/{}/versions/{}/audits", newest.mini_app, newest.version);
    let mut audits: Vec<Audit> = visit.api.list(&path).await.unwrap_or_default();
    audits.retain(|audit| audit.id != newest.id);
    audits
}

async fn one(visit: Visit, Path((id, number)): Path<(String, String)>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let detail: VersionDetail =
        visit.api.get(&at!("/v1/mini-apps/{}/versions/{}", id, number)).await.or_show(&visit)?;
    let found = visit.api.get::<Findings>(&at!("/v1/mini-apps/{}/versions/{}/findings", id, number)).await.ok();
    let audit = detail.audit.as_ref();
    let earlier = earlier(&visit, &detail).await;
    let mut people = vec![detail.version.uploaded_by.as_str()];
    for audit in audit.into_iter().chain(&earlier) {
        people.push(&audit.submitted_by);
        people.extend(audit.items.iter().filter_map(|item| item.decided_by.as_deref()));
    }
    let names = Names::of(&visit.api, people).await;
    let it = beside(&visit, &detail.version).await;
    let online = it.as_ref().and_then(|it| it.online.as_ref()).map(|online| &online.version);
    let way_back = back(&visit, &detail.version, online).await;
    let mut acts = acts_of(&visit, &app, &detail.version, online, way_back);
    if let Some(audit) = audit.filter(|audit| audits::mine(&visit, audit).next().is_some()) {
        let address = at!("/ui/audits/{}", audit.id);
        acts.insert(0, Act { name: visit.t.decide().into(), address, class: "primary" });
    }
    let page = One {
        t: visit.t,
        visit: &visit,
        app: &app,
        version: &detail.version,
        audit,
        earlier: &earlier,
        counts: counts(found.as_ref().map_or(&[], |found| &found.findings)),
        gray_tasks: gray_tasks_of(it, &detail.version),
        acts,
        names: &names,
    };
    let title = format!("{} {}", app.name, detail.version.version);
    let mut head = head(&visit, &title, Some(&app));
    head.above.push((visit.t.versions().into(), at!("/ui/mini-apps/{}/versions", id)));
    head.live = Some(at!("/ui/live?mini_app={}", id));
    visit.page(head, &page)
}

#[derive(askama::Template)]
#[template(path = "versions/findings.html")]
struct FindingsPage<'a> {
    t: Texts,
    app: &'a MiniApp,
    number: &'a str,
    found: &'a Findings,
    counts: Vec<(Severity, usize)>,
    /// The policies that found something, by name.
    policies: BTreeSet<&'a str>,
    query: &'a FindingsQuery,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FindingsQuery {
    severity: String,
    policy: String,
}

impl FindingsPage<'_> {
    fn shown(&self) -> impl Iterator<Item = &NamedFinding> {
        let FindingsQuery { severity, policy } = self.query;
        let is_shown = move |named: &&NamedFinding| {
            (severity.is_empty() || named.finding.severity.as_str() == severity)
                && (policy.is_empty() || named.policy == *policy)
        };
        self.found.findings.iter().filter(is_shown)
    }

    fn is_policy(&self, policy: &str) -> bool {
        self.query.policy == policy
    }

    /// The findings of a severity, of the policy that is chosen; of all severities for an empty one.
    fn of_severity(&self, severity: &str) -> String {
        let base = at!("/ui/mini-apps/{}/versions/{}/findings", self.app.id, self.number);
        with_query(&base, [("severity", Some(severity)), ("policy", Some(self.query.policy.as_str()))])
    }

    /// The address of the file of a finding, at its line.
    fn address(&self, named: &NamedFinding) -> Option<String> {
        let place = named.finding.place.as_ref()?;
        let base = at!("/ui/mini-apps/{}/versions/{}/files", self.app.id, self.number);
        Some(with_query(&base, [("path", Some(place.path.as_str()))]) + &format!("#L{}", place.line))
    }

    fn place(&self, named: &NamedFinding) -> String {
        named.finding.place.as_ref().map_or_else(|| "–".into(), ToString::to_string)
    }
}

async fn findings(
    visit: Visit,
    Path((id, number)): Path<(String, String)>,
    Query(query): Query<FindingsQuery>,
) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let found: Findings =
        visit.api.get(&at!("/v1/mini-apps/{}/versions/{}/findings", id, number)).await.or_show(&visit)?;
    let page = FindingsPage {
        t: visit.t,
        app: &app,
        number: &number,
        counts: counts(&found.findings),
        found: &found,
        policies: found.findings.iter().map(|named| named.policy.as_str()).collect(),
        query: &query,
    };
    let title = visit.t.findings_of(&number);
    let mut head = head(&visit, &title, Some(&app));
    head.above.push((number.clone(), at!("/ui/mini-apps/{}/versions/{}", id, number)));
    visit.page(head, &page)
}

/// The findings as SARIF, as a file.
async fn sarif(visit: Visit, Path((id, number)): Path<(String, String)>) -> Answer {
    let address = at!("/v1/mini-apps/{}/versions/{}/findings", id, number);
    let api = visit.api.clone().accepting("application/sarif+json");
    Ok(file(api.ask(Method::GET, &address, Body::empty(), None).await.or_show(&visit)?))
}

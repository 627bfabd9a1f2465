//! Versions of a MiniApp: the list, one version with all that is known of it, and what is done with it.

mod acts;
mod audits;
mod files;
mod releases;
mod upload;

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    audit::{Audit, Findings, NamedFinding},
    mini_app::MiniApp,
    overview::Overview,
    policy::Severity,
    rollout::GrayTask,
    version::{State, Version, VersionDetail},
};
use serde::Deserialize;

use super::mini_apps::{Tab, head, mini_app, tabs};
use crate::{
    Console,
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
        .merge(upload::routes())
        .merge(acts::routes())
        .merge(files::routes())
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
    name: &'static str,
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

fn acts_of(visit: &Visit, app: &MiniApp, version: &Version) -> Vec<Act> {
    let t = visit.t;
    let develops = visit.can(Action::Develop, &app.scope());
    let releases = visit.can(Action::Release, &app.scope());
    let act = |name, path: &str, class| Act {
        name,
        address: at!("/ui/mini-apps/{}/versions/{}", app.id, version.version) + path,
        class,
    };
    let mut acts = Vec::new();
    match version.state {
        State::Development if develops => {
            acts.push(act(t.submit(), "/submit", "primary"));
            acts.push(act(t.delete_version(), "/delete", ""));
        }
        State::Rejected if develops => acts.push(act(t.submit(), "/submit", "")),
        State::Auditing if develops => acts.push(act(t.withdraw(), "/withdraw", "")),
        State::Approved if releases => {
            acts.push(act(t.publish(), "/publish", "primary"));
            let address = at!("/ui/mini-apps/{}/gray/new?version={}", app.id, version.version);
            acts.push(Act { name: t.new_gray_task(), address, class: "" });
        }
        State::Historical if releases => acts.push(act(t.roll_back(), "/rollback", "")),
        _ => {}
    }
    acts
}

/// The gray tasks of a version that have not ended; only an approved one has any.
async fn gray_tasks_of(visit: &Visit, version: &Version) -> Vec<GrayTask> {
    if version.state != State::Approved {
        return Vec::new();
    }
    let it: Option<Overview> = visit.api.get(&at!("/v1/mini-apps/{}/overview", version.mini_app)).await.ok();
    let tasks = it.into_iter().flat_map(|it| it.gray_tasks);
    tasks.filter(|task| task.version == version.version).collect()
}

async fn one(visit: Visit, Path((id, number)): Path<(String, String)>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let detail: VersionDetail =
        visit.api.get(&at!("/v1/mini-apps/{}/versions/{}", id, number)).await.or_show(&visit)?;
    let found = visit.api.get::<Findings>(&at!("/v1/mini-apps/{}/versions/{}/findings", id, number)).await.ok();
    let audit = detail.audit.as_ref();
    let mut people = vec![detail.version.uploaded_by.as_str()];
    if let Some(audit) = audit {
        people.push(&audit.submitted_by);
        people.extend(audit.items.iter().filter_map(|item| item.decided_by.as_deref()));
    }
    let names = Names::of(&visit.api, people).await;
    let mut acts = acts_of(&visit, &app, &detail.version);
    if let Some(audit) = audit.filter(|audit| audits::mine(&visit, audit).next().is_some()) {
        let address = at!("/ui/audits/{}", audit.id);
        acts.insert(0, Act { name: visit.t.decide(), address, class: "primary" });
    }
    let page = One {
        t: visit.t,
        visit: &visit,
        app: &app,
        version: &detail.version,
        audit,
        counts: counts(found.as_ref().map_or(&[], |found| &found.findings)),
        gray_tasks: gray_tasks_of(&visit, &detail.version).await,
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
    severity: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FindingsQuery {
    severity: String,
}

impl FindingsPage<'_> {
    fn shown(&self) -> impl Iterator<Item = &NamedFinding> {
        let is_shown =
            |named: &&NamedFinding| self.severity.is_empty() || named.finding.severity.as_str() == self.severity;
        self.found.findings.iter().filter(is_shown)
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
        severity: &query.severity,
    };
    let title = visit.t.findings_of(&number);
    let mut head = head(&visit, &title, Some(&app));
    head.above.push((number.clone(), at!("/ui/mini-apps/{}/versions/{}", id, number)));
    visit.page(head, &page)
}

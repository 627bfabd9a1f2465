//! Audits: what waits for the auditors of host apps, and one audit with its decisions.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    audit::{Audit, AuditItem, AuditState, Decide, Evaluation, OutcomeKind, objects},
    host_app::HostApp,
    mini_app::MiniApp,
    policy::{Severity, registry::Mode},
    version::Version,
    waiting::{WaitingList, What},
};
use serde::Deserialize;

use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/audits";

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/audits", get(queue)).route("/ui/audits/{id}", get(show).post(decide))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct QueueQuery {
    state: String,
    host_app: String,
    cursor: String,
}

impl QueueQuery {
    /// The address of another part of the queue.
    fn at(&self, host_app: &str, cursor: &str) -> String {
        let members = [("state", self.state.as_str()), ("host_app", host_app), ("cursor", cursor)];
        with_query(PLACE, members.map(|(name, value)| (name, Some(value))))
    }

    /// The same in another state.
    fn in_state(&self, state: &str) -> String {
        Self { state: state.into(), ..Self::default() }.at(&self.host_app, "")
    }
}

/// The queue of one host app, as far as it is shown.
struct HostQueue<'a> {
    host: &'a HostApp,
    audits: Vec<Audit>,
    /// Where it goes on.
    next: Option<String>,
}

/// How many host apps are shown beside each other. Of more, one is chosen.
const MOST_HOSTS: usize = 4;

#[derive(askama::Template)]
#[template(path = "versions/queue.html")]
struct Queue<'a> {
    t: Texts,
    visit: &'a Visit,
    /// The host apps among which one may be chosen.
    hosts: &'a [HostApp],
    queues: Vec<HostQueue<'a>>,
    query: &'a QueueQuery,
}

impl Queue<'_> {
    fn is_state(&self, state: &AuditState) -> bool {
        self.query.state == state.as_str()
    }

    fn is_host(&self, host: &HostApp) -> bool {
        self.query.host_app == host.id.as_str()
    }

    /// How many findings an audit has.
    fn findings(&self, audit: &Audit) -> usize {
        audit.evaluations.iter().map(|one| one.findings.len()).sum()
    }

    /// How many of its findings reject the version.
    fn errors(&self, audit: &Audit) -> usize {
        let enforced = audit.evaluations.iter().filter(|one| one.mode == Mode::Enforce);
        enforced.flat_map(|one| &one.findings).filter(|finding| finding.severity == Severity::Error).count()
    }
}

/// The host apps for which the visitor may decide; all that they may know where none is.
async fn host_apps(visit: &Visit) -> Result<Vec<HostApp>, crate::visit::Shown> {
    let all: ListPage<HostApp> = visit.api.page("/v1/host-apps?limit=200").await.or_show(visit)?;
    let (decides, others): (Vec<_>, Vec<_>) =
        all.items.into_iter().partition(|host| visit.can(Action::Decide, &Scope::HostApp(host.id.clone())));
    Ok(if decides.is_empty() { others } else { decides })
}

/// The host apps whose queues are shown: the chosen one; all where they are few; else those for which something waits.
async fn chosen<'a>(visit: &Visit, query: &QueueQuery, hosts: &'a [HostApp]) -> Result<Vec<&'a HostApp>, Refused> {
    if !query.host_app.is_empty() {
        return Ok(hosts.iter().filter(|host| query.host_app == host.id.as_str()).collect());
    }
    if hosts.len() <= MOST_HOSTS {
        return Ok(hosts.iter().collect());
    }
    let waiting: WaitingList = visit.api.get("/v1/waiting").await?;
    let asks = |host: &&HostApp| {
        waiting.items.iter().any(|one| matches!(&one.what, What::Audit(audit) if audit.host_app == host.id))
    };
    let first: Vec<_> = hosts.iter().filter(asks).take(MOST_HOSTS).collect();
    Ok(if first.is_empty() { hosts.iter().take(1).collect() } else { first })
}

async fn queue_of<'a>(visit: &Visit, query: &QueueQuery, host: &'a HostApp) -> Result<HostQueue<'a>, Refused> {
    let limit = if query.host_app.is_empty() { "20" } else { "50" };
    let members = [("state", query.state.as_str()), ("limit", limit), ("cursor", &query.cursor)];
    let members = members.map(|(name, value)| (name, Some(value)));
    let page: ListPage<Audit> = visit.api.page(&with_query(&at!("/v1/host-apps/{}/audits", host.id), members)).await?;
    let next = page.next.map(|next| query.at(host.id.as_str(), &next));
    Ok(HostQueue { host, audits: page.items, next })
}

async fn queue(visit: Visit, Query(query): Query<QueueQuery>) -> Answer {
    let hosts = host_apps(&visit).await?;
    let mut queues = Vec::new();
    for host in chosen(&visit, &query, &hosts).await.or_show(&visit)? {
        queues.push(queue_of(&visit, &query, host).await.or_show(&visit)?);
    }
    let mut head = Head { title: visit.t.audits(), place: PLACE, ..Head::default() };
    head.live = match queues.as_slice() {
        [only] => Some(at!("/ui/live?host_app={}", only.host.id)),
        _ => visit.live_everywhere("/ui/live?types=audit.*"),
    };
    visit.page(head, &Queue { t: visit.t, visit: &visit, hosts: &hosts, queues, query: &query })
}

#[derive(askama::Template)]
#[template(path = "versions/audit.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    audit: &'a Audit,
    app: Option<MiniApp>,
    /// The version that everybody has, with which this one is compared.
    online: Option<Version>,
    names: &'a Names,
    filled: &'a Filled,
}

/// What of an audit the visitor may decide now: for host apps that have not decided.
pub fn mine<'a>(visit: &'a Visit, audit: &'a Audit) -> impl Iterator<Item = &'a AuditItem> {
    let may = |item: &&AuditItem| {
        item.decision.is_none() && visit.can(Action::Decide, &Scope::HostApp(item.host_app.clone()))
    };
    audit.items.iter().filter(|_| audit.state == AuditState::Deciding).filter(may)
}

impl One<'_> {
    fn mine(&self) -> impl Iterator<Item = &AuditItem> {
        mine(self.visit, self.audit)
    }

    fn name(&self) -> &str {
        self.app.as_ref().map_or(self.audit.mini_app.as_str(), |app| &app.name)
    }

    /// What came of one policy: its outcome, or where it gave a verdict that verdict.
    fn verdict(&self, one: &Evaluation) -> Badge {
        match one.outcome {
            OutcomeKind::Verdict => Badge::verdict(&self.visit.t, !objects(one)),
            other => other.badge(&self.visit.t),
        }
    }

    /// How many findings of a severity one policy has.
    fn count(&self, at: &usize, severity: Severity) -> usize {
        self.audit.evaluations[*at].findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let audit: Audit = visit.api.get(&at!("/v1/audits/{}", id)).await.or_show(visit)?;
    let overview: Option<berth_model::overview::Overview> =
        visit.api.find(&at!("/v1/mini-apps/{}/overview", audit.mini_app)).await.or_show(visit)?;
    let mut people = vec![audit.submitted_by.as_str()];
    people.extend(audit.items.iter().filter_map(|item| item.decided_by.as_deref()));
    let names = Names::of(&visit.api, people).await;
    let (app, online) = overview.map_or((None, None), |it| (Some(it.mini_app), it.online));
    let online = online.filter(|online| online.version != audit.version);
    // Who decides for a host app knows its events, and not those of the team.
    let mut hosts = audit.items.iter().map(|item| &item.host_app);
    let host = hosts.find(|host| visit.can(Action::Read, &Scope::HostApp((*host).clone())));
    let of_host = || host.map(|host| at!("/ui/live?host_app={}", host));
    let live = app.as_ref().and_then(|app| visit.live_of(app)).or_else(of_host);
    let page = One { t: visit.t, visit, audit: &audit, app, online, names: &names, filled };
    let title = visit.t.audit_of(page.name(), &audit.version);
    let above = vec![(visit.t.audits().to_owned(), PLACE.to_owned())];
    visit.page(Head { title: &title, above, place: PLACE, live }, &page)
}

async fn decide(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let approve = sent.is_on("approve");
    let host = sent.get("host_app").to_owned();
    match decide_as(&visit, &id, &sent, approve).await {
        Ok(()) => {
            let said = if approve { visit.t.decided_approved(host) } else { visit.t.decided_rejected(host) };
            done(&at!("/ui/audits/{}", id), &said)
        }
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn decide_as(visit: &Visit, id: &str, sent: &Sent, approve: bool) -> Result<(), Refused> {
    let decide = Decide { host_app: sent.read("host_app")?, approve, note: sent.get("note").into() };
    visit.api.act(Method::POST, &at!("/v1/audits/{}/decisions", id), &decide).await
}

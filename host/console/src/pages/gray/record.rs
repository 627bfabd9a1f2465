//! The record of the devices that ask for a MiniApp: what it holds, its beginning and its end (G25). Grayscale policies are tried
//! on it (G26).

use std::collections::BTreeSet;

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_base::ids::CohortId;
use berth_model::{
    access::Action,
    check::{CheckRecord, KEPT_DAYS, MOST_DAYS, SetCheckRecord},
    mini_app::MiniApp,
    policy::{PolicyKind, registry::InstalledPolicy},
    rollout::Cohort,
};

use super::{
    super::mini_apps::{Tab, head, mini_app, tabs},
    moment, number,
    policies::installed,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Tone},
    path::{at, with_query},
    refused::{Refused, invalid, read},
    show,
    texts::{Texts, grouped},
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/record", get(show_one))
        .route("/ui/mini-apps/{id}/record/begin", get(form).post(begin))
        .route("/ui/mini-apps/{id}/record/end", get(confirm_end).post(end))
}

/// How long a record lasts if nobody says otherwise, in seconds.
const A_WEEK: i64 = 7 * 24 * 3600;
/// How many percent of the devices are recorded if nobody says otherwise.
const PERCENT: f64 = 1.0;
/// How many policies are offered to be tried.
const MOST_TRIED: usize = 40;

/// The address of the page about the record of a MiniApp.
pub fn address(mini_app: impl ToString) -> String {
    at!("/ui/mini-apps/{}/record", mini_app.to_string())
}

fn path(id: &str) -> String {
    at!("/v1/mini-apps/{}/check-record", id)
}

async fn record(visit: &Visit, id: &str) -> Result<CheckRecord, Shown> {
    visit.api.get(&path(id)).await.or_show(visit)
}

/// The lists of a MiniApp, which a record may name.
async fn lists(visit: &Visit, id: &str) -> Result<Vec<Cohort>, Shown> {
    visit.api.list(&at!("/v1/mini-apps/{}/cohorts", id)).await.or_show(visit)
}

/// The head of a page about the record, or below it.
fn head_of<'a>(visit: &Visit, title: &'a str, app: &MiniApp) -> Head<'a> {
    let mut head = head(visit, title, Some(app));
    head.above.push((visit.t.gray_tasks().into(), at!("/ui/mini-apps/{}/gray", app.id)));
    head
}

fn below<'a>(visit: &Visit, title: &'a str, app: &MiniApp) -> Head<'a> {
    let mut head = head_of(visit, title, app);
    head.above.push((visit.t.record().into(), address(&app.id)));
    head
}

#[derive(askama::Template)]
#[template(path = "gray/record.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    it: &'a CheckRecord,
    /// The names of the lists that it names.
    lists: String,
    names: &'a Names,
    /// What may be tried on it by this visitor: the newest version of each grayscale policy.
    policies: &'a [InstalledPolicy],
    may_change: bool,
}

impl Page<'_> {
    fn badge(&self) -> Badge {
        match self.it.recording {
            true => Badge { tone: Tone::Ok, mark: "●", word: self.t.record_on() },
            false => Badge { tone: Tone::Neutral, mark: "■", word: self.t.record_over() },
        }
    }

    fn attributes(&self) -> String {
        self.it.attributes.join(", ")
    }

    /// Where a policy is tried on this record.
    fn replay(&self, policy: &InstalledPolicy) -> String {
        let place = format!("mini_app:{}", self.app.id);
        with_query(&at!("/ui/policies/{}/replay", policy.digest), [("place", Some(place.as_str()))])
    }
}

async fn show_one(visit: Visit, Path(id): Path<String>) -> Answer {
    let t = visit.t;
    let app = mini_app(&visit, &id).await?;
    let it = record(&visit, &id).await?;
    let may_change = visit.can(Action::Configure, &app.scope());
    let page = Page {
        t,
        visit: &visit,
        app: &app,
        tabs: tabs(&visit, &app, "/gray"),
        lists: names_of(&visit, &it).await?,
        names: &Names::of(&visit.api, it.started_by.as_deref()).await,
        policies: &if may_change { tried(&visit).await? } else { Vec::new() },
        it: &it,
        may_change,
    };
    let mut head = head_of(&visit, t.record(), &app);
    head.live = visit.live_of(&app);
    visit.page(head, &page)
}

/// The names of the lists that a record names.
async fn names_of(visit: &Visit, it: &CheckRecord) -> Result<String, Shown> {
    if it.lists.is_empty() {
        return Ok(String::new());
    }
    let lists = lists(visit, it.mini_app.as_str()).await?;
    let name = |id: &CohortId| {
        lists.iter().find(|list| list.id == *id).map_or_else(|| id.to_string(), |list| list.name.clone())
    };
    Ok(it.lists.iter().map(name).collect::<Vec<_>>().join(", "))
}

/// The newest version of each grayscale policy, by name.
async fn tried(visit: &Visit) -> Result<Vec<InstalledPolicy>, Shown> {
    let (mut newest, mut names) = (installed(visit).await?, BTreeSet::new());
    newest.retain(|policy| policy.kind == PolicyKind::Grayscale && names.insert(policy.name.clone()));
    newest.truncate(MOST_TRIED);
    newest.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(newest)
}

#[derive(askama::Template)]
#[template(path = "gray/record_begin.html")]
struct Form<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    /// The record that the new one takes the place of.
    before: &'a CheckRecord,
    lists: &'a [Cohort],
    end: String,
    percent: String,
    attributes: String,
    filled: &'a Filled,
}

impl Form<'_> {
    fn is_kept(&self, list: &Cohort) -> bool {
        if self.filled.is_new() {
            self.before.lists.contains(&list.id)
        } else {
            self.filled.has("lists", list.id.as_str())
        }
    }
}

async fn form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_form(&visit, &id, &Filled::default()).await
}

async fn show_form(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    if !visit.can(Action::Configure, &app.scope()) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let before = record(visit, id).await?;
    let page = Form {
        t: visit.t,
        visit,
        app: &app,
        lists: &lists(visit, id).await?,
        end: show::for_field(visit.now.plus_seconds(A_WEEK), &visit.taste.zone),
        percent: before.percent.unwrap_or(PERCENT).to_string(),
        attributes: before.attributes.join("\n"),
        before: &before,
        filled,
    };
    visit.page(below(visit, visit.t.record_begin(), &app), &page)
}

async fn begin(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match begin_as(&visit, &id, &sent).await {
        Ok(()) => done(&address(&id), visit.t.record_begun()),
        Err(refused) => show_form(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn begin_as(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let percent = number(visit, sent, "percent")?.unwrap_or(PERCENT);
    if !percent.is_finite() {
        return Err(invalid(visit.t, "percent", visit.t.no_number()));
    }
    let set = SetCheckRecord {
        percent,
        ends_at: moment(visit, sent, "ends_at")?,
        attributes: sent.lines("attributes").map(str::to_owned).collect(),
        lists: sent.all("lists").map(|list| read("lists", list)).collect::<Result<_, _>>()?,
    };
    visit.api.act(Method::PUT, &path(id), &set).await
}

async fn confirm_end(visit: Visit, Path(id): Path<String>) -> Answer {
    show_end(&visit, &id, &Filled::default()).await
}

async fn show_end(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let app = mini_app(visit, id).await?;
    let it = record(visit, id).await?;
    let confirm = Confirm {
        act: t.record_end().into(),
        effects: vec![t.record_end_effect(grouped(it.devices)), t.record_end_final().into()],
        is_dangerous: true,
        command: format!("berth gray record {id} --delete"),
        back: address(id),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit, t.record_end(), &app), filled)
}

async fn end(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &path(&id)).await {
        Ok(()) => done(&address(&id), visit.t.record_ended()),
        Err(refused) => show_end(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

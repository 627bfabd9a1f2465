//! Permits: what a MiniApp applies for in a host app, and what the host app decides.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    host_app::HostApp,
    mini_app::MiniApp,
    settings::{Approve, NewPermit, Permit, PermitDetail, PermitKind, PermitState, PermitStep, Reason},
};
use serde::Deserialize;

use super::{
    super::{
        host_apps,
        mini_apps::{self, mini_app},
    },
    head, moment_for_field,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown, Tone},
    path::{at, with_query},
    refused::{Refused, not_found},
    show::quoted,
    texts::Texts,
    visit::{self, Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/permits/new", get(form).post(apply))
        .route("/ui/permits/{id}", get(show))
        .route("/ui/permits/{id}/approve", get(approve_form).post(approve))
        .route("/ui/permits/{id}/{step}", get(confirm).post(take))
}

impl Shown for PermitState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Waiting => (Tone::Warn, "◷", t.permit_waiting()),
            Self::Approved => (Tone::Ok, "✓", t.permit_approved()),
            Self::Refused => (Tone::Bad, "✕", t.permit_refused()),
            Self::Revoked => (Tone::Bad, "⊘", t.permit_revoked()),
            Self::Withdrawn => (Tone::Neutral, "↩", t.permit_withdrawn()),
            Self::Expired => (Tone::Neutral, "■", t.permit_expired()),
        };
        Badge { tone, mark, word }
    }
}

/// What a permit allows, in words.
pub fn purpose(t: Texts, api: Option<&str>) -> String {
    api.map_or_else(|| t.permit_skip().to_owned(), |api| t.permit_call(api))
}

/// Which permits of a host app a page shows.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct QueueQuery {
    state: String,
    cursor: String,
}

/// A tab of the permits of a host app: those in one state.
pub struct StateTab {
    pub name: &'static str,
    pub address: String,
    pub is_here: bool,
}

/// The permits of one kind in a host app, by state; those that wait come first.
pub struct Queue {
    pub states: Vec<StateTab>,
    pub permits: Vec<Permit>,
    pub next: Option<String>,
}

impl Queue {
    /// What `query` asks for, on the page at `here`.
    pub async fn of(
        visit: &Visit,
        id: &str,
        kind: PermitKind,
        query: &QueueQuery,
        here: &str,
    ) -> Result<Self, visit::Shown> {
        let state = query.state.parse().unwrap_or(PermitState::Waiting);
        let members =
            [("kind", Some(kind.as_str())), ("state", Some(state.as_str())), ("cursor", Some(query.cursor.as_str()))];
        let path = with_query(&at!("/v1/host-apps/{}/permits", id), members);
        let page: ListPage<Permit> = visit.api.page(&path).await.or_show(visit)?;
        let address = |of: PermitState, cursor| with_query(here, [("state", Some(of.as_str())), ("cursor", cursor)]);
        let tab = |of: &PermitState| StateTab {
            name: of.badge(&visit.t).word,
            address: address(*of, None),
            is_here: *of == state,
        };
        Ok(Self {
            states: PermitState::ALL.iter().map(tab).collect(),
            next: page.next.as_deref().map(|next| address(state, Some(next))),
            permits: page.items,
        })
    }
}

/// What is applied for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    host_app: String,
    api: String,
}

impl Wanted {
    fn api(&self) -> Option<&str> {
        Some(self.api.as_str()).filter(|api| !api.is_empty())
    }

    /// The page of the MiniApp from which one applies.
    fn back(&self, id: &str) -> String {
        at!("/ui/mini-apps/{}", id) + if self.api().is_some() { "/apis" } else { "/domains" }
    }
}

#[derive(askama::Template)]
#[template(path = "develop/apply.html")]
struct Form<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    wanted: &'a Wanted,
    purpose: String,
    back: String,
    command: String,
    filled: &'a Filled,
}

async fn form(visit: Visit, Path(id): Path<String>, Query(wanted): Query<Wanted>) -> Answer {
    show_form(&visit, &id, &wanted, &Filled::default()).await
}

async fn show_form(visit: &Visit, id: &str, wanted: &Wanted, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let what = wanted.api().map_or_else(|| "--skip-domains".to_owned(), |api| format!("--api {}", quoted(api)));
    let form = Form {
        t: visit.t,
        visit,
        app: &app,
        wanted,
        purpose: purpose(visit.t, wanted.api()),
        back: wanted.back(id),
        command: format!(
            "berth permit apply {id} --host-app {} {what} --reason '…' --until +30d",
            quoted(&wanted.host_app)
        ),
        filled,
    };
    visit.page(head(visit, visit.t.permit_apply(), Some(&app)), &form)
}

async fn apply(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let wanted = Wanted { host_app: sent.get("host_app").into(), api: sent.get("api").into() };
    match apply_for(&visit, &id, &sent).await {
        Ok(permit) => done(&at!("/ui/permits/{}", permit.id), visit.t.permit_applied()),
        Err(refused) => show_form(&visit, &id, &wanted, &sent.again(&visit, refused)?).await,
    }
}

async fn apply_for(visit: &Visit, id: &str, sent: &Sent) -> Result<Permit, Refused> {
    let api = sent.read_some("api")?;
    let kind = if api.is_some() { PermitKind::SensitiveApi } else { PermitKind::SkipDomains };
    let (host_app, reason) = (sent.read("host_app")?, sent.get("reason").into());
    let new = NewPermit { host_app, kind, api, reason, until: sent.moment(visit, "until")? };
    visit.api.tell(Method::POST, &at!("/v1/mini-apps/{}/permits", id), &new).await
}

/// A permit, with those whom it is about as far as the visitor may know them.
struct Known {
    detail: PermitDetail,
    app: Option<MiniApp>,
    host: Option<HostApp>,
}

impl Known {
    async fn at(visit: &Visit, id: &str) -> Result<Self, visit::Shown> {
        let detail: PermitDetail = visit.api.get(&at!("/v1/permits/{}", id)).await.or_show(visit)?;
        let app = mini_app(visit, detail.permit.mini_app.as_str()).await.ok();
        let host = host_apps::host_app(visit, detail.permit.host_app.as_str()).await.ok();
        Ok(Self { detail, app, host })
    }

    fn permit(&self) -> &Permit {
        &self.detail.permit
    }

    fn app_name(&self) -> &str {
        self.app.as_ref().map_or(self.permit().mini_app.as_str(), |app| &app.name)
    }

    fn host_name(&self) -> &str {
        self.host.as_ref().map_or(self.permit().host_app.as_str(), |host| &host.name)
    }

    fn purpose(&self, t: &Texts) -> String {
        purpose(*t, self.permit().api.as_ref().map(|api| api.as_str()))
    }

    fn title(&self, t: Texts) -> String {
        t.permit_title(self.app_name(), self.purpose(&t), self.host_name())
    }

    /// The page of settings to which it belongs, at the end of an address.
    fn section(&self) -> &'static str {
        match self.permit().kind {
            PermitKind::SkipDomains => "/domains",
            PermitKind::SensitiveApi => "/apis",
        }
    }

    /// Whether the visitor may decide in the name of the host app.
    fn may_decide(&self, visit: &Visit) -> bool {
        visit.can(self.permit().kind.decided_by(), &Scope::HostApp(self.permit().host_app.clone()))
    }

    /// Whether the visitor may withdraw in the name of the MiniApp.
    fn may_withdraw(&self, visit: &Visit) -> bool {
        self.app.as_ref().is_some_and(|app| visit.can(Action::Develop, &app.scope()))
    }

    /// The head: below the MiniApp for people of its team, below the host app for all others.
    fn head<'a>(&self, visit: &Visit, title: &'a str) -> Head<'a> {
        let t = visit.t;
        let name = if self.permit().kind == PermitKind::SkipDomains { t.domains() } else { t.sensitive_apis() };
        let is_of_team = self.app.as_ref().is_some_and(|app| visit.can(Action::Read, &app.scope()));
        let (place, places, of, who) = if is_of_team {
            (mini_apps::PLACE, t.mini_apps(), self.app_name(), self.permit().mini_app.as_str())
        } else {
            (host_apps::PLACE, t.host_apps(), self.host_name(), self.permit().host_app.as_str())
        };
        let one = format!("{place}/{}", crate::path::escape(who));
        let section = format!("{one}{}", self.section());
        let above = vec![(places.into(), place.into()), (of.to_owned(), one), (name.into(), section)];
        Head { title, above, place, live: None }
    }
}

#[derive(askama::Template)]
#[template(path = "develop/permit.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    known: &'a Known,
    permit: &'a Permit,
    title: &'a str,
    names: &'a Names,
    may_decide: bool,
    may_withdraw: bool,
}

impl One<'_> {
    fn step(&self, step: &PermitStep) -> &'static str {
        match step {
            PermitStep::Apply => self.t.permit_step_apply(),
            PermitStep::Approve => self.t.permit_step_approve(),
            PermitStep::Refuse => self.t.permit_step_refuse(),
            PermitStep::Revoke => self.t.permit_step_revoke(),
            PermitStep::Withdraw => self.t.permit_step_withdraw(),
            PermitStep::Expire => self.t.permit_step_expire(),
        }
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    let known = Known::at(&visit, &id).await?;
    let actors = known.detail.moves.iter().map(|one| one.actor.as_str());
    let names = Names::of(&visit.api, actors.chain([known.permit().applied_by.as_str()])).await;
    let title = known.title(visit.t);
    let page = One {
        t: visit.t,
        visit: &visit,
        permit: known.permit(),
        title: &title,
        names: &names,
        may_decide: known.may_decide(&visit),
        may_withdraw: known.may_withdraw(&visit),
        known: &known,
    };
    visit.page(known.head(&visit, &title), &page)
}

fn head_of<'a>(visit: &Visit, title: &'a str, known: &Known) -> Head<'a> {
    let mut head = known.head(visit, title);
    head.above.push((known.title(visit.t), at!("/ui/permits/{}", known.permit().id)));
    head
}

#[derive(askama::Template)]
#[template(path = "develop/approve.html")]
struct ApproveForm<'a> {
    t: Texts,
    visit: &'a Visit,
    known: &'a Known,
    permit: &'a Permit,
    until: String,
    /// The end of which the form was made.
    was: String,
    filled: &'a Filled,
}

async fn approve_form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_approve(&visit, &Known::at(&visit, &id).await?, &Filled::default())
}

fn show_approve(visit: &Visit, known: &Known, filled: &Filled) -> Answer {
    let permit = known.permit();
    let until = moment_for_field(visit, permit.until);
    let was = filled.or("was", &until).to_owned();
    let form = ApproveForm { t: visit.t, visit, known, permit, until, was, filled };
    visit.page(head_of(visit, visit.t.approve(), known), &form)
}

async fn approve(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let known = Known::at(&visit, &id).await?;
    match approve_as(&visit, &id, &sent).await {
        Ok(()) => done(&at!("/ui/permits/{}", id), visit.t.permit_is_approved()),
        Err(refused) => show_approve(&visit, &known, &sent.again(&visit, refused)?),
    }
}

/// Approves until the end in the form. An end that nobody has touched in it is left as it is: a field knows no seconds, and
/// somebody else may have set another one since the form was made.
async fn approve_as(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let is_as_before = sent.get("until") == sent.get("was");
    let until = if is_as_before { None } else { sent.moment(visit, "until")? };
    let approve = Approve { note: sent.get("note").into(), no_end: !is_as_before && until.is_none(), until };
    visit.api.act(Method::POST, &at!("/v1/permits/{}/approve", id), &approve).await
}

async fn confirm(visit: Visit, Path((id, step)): Path<(String, String)>) -> Answer {
    show_confirm(&visit, &id, &step, &Filled::default()).await
}

/// The step that an address names, if people take it with a note only.
fn step_of(visit: &Visit, step: &str) -> Result<PermitStep, visit::Shown> {
    let step = step.parse().ok();
    let step = step.filter(|step| matches!(step, PermitStep::Refuse | PermitStep::Revoke | PermitStep::Withdraw));
    step.ok_or_else(not_found).or_show(visit)
}

async fn show_confirm(visit: &Visit, id: &str, step: &str, filled: &Filled) -> Answer {
    let step = step_of(visit, step)?;
    let known = Known::at(visit, id).await?;
    let t = visit.t;
    let (app, host) = (known.app_name(), known.host_name());
    let (act, effect) = match step {
        PermitStep::Refuse => (t.permit_refuse(), t.permit_refuse_effect(app)),
        PermitStep::Revoke => (t.permit_revoke(), t.permit_loses(app, known.purpose(&t), host)),
        _ if known.permit().state == PermitState::Approved => {
            (t.permit_give_up(), t.permit_loses(app, known.purpose(&t), host))
        }
        _ => (t.permit_withdraw(), t.permit_withdraw_effect(host)),
    };
    let is_note_needed = step != PermitStep::Withdraw;
    let note = if is_note_needed { " --note '…'" } else { "" };
    let confirm = Confirm {
        act: act.into(),
        effects: vec![effect],
        is_dangerous: known.permit().state == PermitState::Approved,
        note: Some(if is_note_needed { t.permit_why() } else { t.note() }),
        is_note_needed,
        command: format!("berth permit {step} {id}{note}"),
        back: at!("/ui/permits/{}", id),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, act, &known), filled)
}

async fn take(visit: Visit, Path((id, step)): Path<(String, String)>, sent: Sent) -> Answer {
    let path = at!("/v1/permits/{}/{}", id, step_of(&visit, &step)?.as_str());
    match visit.api.act(Method::POST, &path, &Reason { note: sent.get("note").into() }).await {
        Ok(()) => done(&at!("/ui/permits/{}", id), visit.t.permit_step_taken()),
        Err(refused) => show_confirm(&visit, &id, &step, &sent.again(&visit, refused)?).await,
    }
}

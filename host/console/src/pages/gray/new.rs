//! A new gray task, on one page that reads as a sentence: give this version to these devices, from then until then.

use std::collections::BTreeSet;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    response::{IntoResponse, Redirect},
    routing::get,
};
use berth_base::clock::Millis;
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    overview::Overview,
    policy::registry::{InstalledPolicy, Mode, OnError},
    rollout::{
        Cohort, GrayTask, HostAppRange, NewGrayTask, ObjectKind, ObjectList, Platform, PlatformRange, share::POLICY,
    },
    version::Version,
};

use super::{
    super::mini_apps::{bindings, head},
    like, moment, number,
    one::task,
    policies::{self, Offered},
    preview::{self, PREVIEW, Preview},
    shares,
};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::{Filled, Shown},
    path::{at, with_query},
    refused::{Refused, not_found, read},
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/mini-apps/{id}/gray/new", get(form).post(create))
}

/// The networks that are offered as boxes. Others are typed.
pub const NETWORKS: [&str; 4] = ["wifi", "5g", "4g", "3g"];

/// For how many host apps a form is offered that is filled in for one of them.
const MOST_PRESET_HOSTS: usize = 3;

/// How long a task lasts if nobody says otherwise, in seconds.
const A_WEEK: i64 = 7 * 24 * 3600;

#[derive(askama::Template)]
#[template(path = "gray/new.html")]
struct Form<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    online: Option<&'a Version>,
    /// The gray tasks that have not ended.
    running: &'a [GrayTask],
    /// The versions that a task may give: approved, and above the online one.
    versions: Vec<&'a Version>,
    chosen: &'a str,
    hosts: Vec<String>,
    lists: &'a [Cohort],
    /// The policies that are ticked, and the guard that most tasks want.
    usual: Vec<Offered>,
    others: Vec<Offered>,
    /// How many more policies there are.
    further: usize,
    start: String,
    end: String,
    filled: &'a Filled,
    /// What the task would say, once it is filled in.
    preview: Option<Preview>,
}

impl Form<'_> {
    /// Whether something was chosen in a part of the form, or stands against it, so that it must be seen.
    fn is_said(&self, field: &str) -> bool {
        self.filled.all(field).any(|value| !value.is_empty()) || self.filled.is_wrong(field)
    }

    /// The same of a part that has fields whose names begin so, besides.
    fn is_said_with(&self, field: &str, beginnings: &[&str; 2]) -> bool {
        self.is_said(field) || beginnings.iter().any(|beginning| self.filled.has_any(beginning))
    }

    /// Whether something of the other policies must be seen.
    fn names_others(&self) -> bool {
        self.is_said("admits") || self.others.iter().any(|one| one.is_set(self.filled))
    }

    /// What was typed into one of several fields of a kind.
    fn typed(&self, of: &str, one: &str) -> &str {
        self.filled.get(&format!("{of}.{one}"))
    }

    /// Forms that are filled in for what many tasks are, as links.
    fn presets(&self) -> Vec<(String, String)> {
        let here = at!("/ui/mini-apps/{}/gray/new", self.app.id);
        let guard = self.usual.iter().find(|one| one.is_rate()).map(|one| one.name.as_str());
        let address = |field: &str, value: &str| {
            let members = [("version", Some(self.chosen)), (field, Some(value)), ("policies", guard)];
            with_query(&here, members)
        };
        let share = (self.t.gray_preset_percent().to_owned(), address("percent", "1"));
        let list = self
            .lists
            .first()
            .map(|list| (self.t.gray_preset_list(&list.name), address("list.guid", list.id.as_str())));
        let hosts = self.hosts.iter().take(MOST_PRESET_HOSTS);
        let hosts = hosts.map(|host| (self.t.gray_preset_host(host), address("host_apps", host)));
        [share].into_iter().chain(list).chain(hosts).collect()
    }

    /// What a person who knows the command would write for the same.
    fn command(&self) -> String {
        format!(
            "berth gray create {} --name canary --version {} --for 7d --percent 10 --max-users 1000 \\\n    --platform android:10.. --network wifi --guard error-rate",
            self.app.id, self.chosen
        )
    }
}

/// Shows the form as its address fills it in. `like` names a task that the new one is to be like.
async fn form(visit: Visit, Path(id): Path<String>, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    let installed = policies::installed(&visit).await?;
    let mut asked = Sent(asked);
    let (version, like) = (asked.get("version").to_owned(), asked.get("like").to_owned());
    if !like.is_empty() {
        let task = task(&visit, &like).await?;
        if task.mini_app.as_str() != id {
            return Err(visit.refuse(not_found()));
        }
        let filled = Filled::with(like::typed(&visit, &installed, &task));
        return show_with(&visit, &id, &version, installed, &filled, None).await;
    }
    // Devices and accounts stand in no address.
    asked.0.retain(|(name, value)| name != "version" && !name.starts_with("typed.") && !value.is_empty());
    if asked.0.is_empty() {
        return show_with(&visit, &id, &version, installed, &Filled::default(), None).await;
    }
    asked.0.extend([("version".to_owned(), version.clone())]);
    if !asked.is_on("end") {
        asked.0.push(("end".into(), show::for_field(visit.now.plus_seconds(A_WEEK), &visit.taste.zone)));
    }
    show_preview(&visit, &id, installed, asked).await
}

/// Shows the form as it was filled in, with what the task would say.
async fn show_preview(visit: &Visit, id: &str, installed: Vec<InstalledPolicy>, sent: Sent) -> Answer {
    let (preview, filled) = match new_task(visit, &installed, &sent) {
        Ok(new) => (Some(Preview::of(visit, id, &installed, &new, &sent).await), sent.filled()),
        Err(refused) => (None, sent.again(visit, refused)?),
    };
    show_with(visit, id, "", installed, &filled, preview).await
}

async fn show_with(
    visit: &Visit,
    id: &str,
    version: &str,
    installed: Vec<InstalledPolicy>,
    filled: &Filled,
    preview: Option<Preview>,
) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(visit)?;
    let app = &it.mini_app;
    if !visit.can(Action::Release, &app.scope()) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let lists: Vec<Cohort> = visit.api.list(&at!("/v1/mini-apps/{}/cohorts", id)).await.or_show(visit)?;
    let hosts = bindings::active(visit, app).await;
    let online = it.online.as_ref();
    let may_give = |version: &&Version| {
        version.online_at.is_none() && online.is_some_and(|online| version.version > online.version)
    };
    let versions: Vec<&Version> = it.approved.iter().filter(may_give).collect();
    // What the field shows when nothing was chosen, as browsers do.
    let first = versions.first().map(|version| version.version.to_string()).unwrap_or_default();
    let chosen = Some(filled.or("version", version)).filter(|version| !version.is_empty());
    let offered = policies::offered(visit, installed, filled);
    let (offered, further) = policies::shown(offered);
    let (usual, others) = offered.into_iter().partition(|one| one.is_asked || one.is_rate());
    let now = visit.now;
    let page = Form {
        t,
        visit,
        app,
        online,
        running: &it.gray_tasks,
        versions,
        chosen: chosen.unwrap_or(&first),
        hosts: hosts.iter().map(|binding| binding.host_app.to_string()).collect(),
        lists: &lists,
        usual,
        others,
        further,
        start: show::for_field(now, &visit.taste.zone),
        end: show::for_field(now.plus_seconds(A_WEEK), &visit.taste.zone),
        filled,
        preview,
    };
    let mut head = head(visit, t.new_gray_task(), Some(app));
    head.above.push((t.gray_tasks().into(), at!("/ui/mini-apps/{}/gray", id)));
    visit.page(head, &page)
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let installed = policies::installed(&visit).await?;
    if sent.is_on(PREVIEW) {
        return match preview::as_address(&id, &sent) {
            Some(address) => Ok(Redirect::to(&(address + "#preview")).into_response()),
            None => show_preview(&visit, &id, installed, sent).await,
        };
    }
    match create_as(&visit, &id, &installed, &sent).await {
        Ok(task) => done(&at!("/ui/gray/{}", task.id), &visit.t.gray_created(&task.name)),
        Err(refused) => {
            let filled = sent.again(&visit, shares::at_its_field(refused))?;
            show_with(&visit, &id, "", installed, &filled, None).await
        }
    }
}

async fn create_as(visit: &Visit, id: &str, installed: &[InstalledPolicy], sent: &Sent) -> Result<GrayTask, Refused> {
    let new = new_task(visit, installed, sent)?;
    visit.api.tell(Method::POST, &at!("/v1/mini-apps/{}/gray-tasks", id), &new).await
}

/// The task that was typed.
fn new_task(visit: &Visit, installed: &[InstalledPolicy], sent: &Sent) -> Result<NewGrayTask, Refused> {
    let share = shares::read(visit, sent)?.map(|config| policies::plain(POLICY, config));
    Ok(NewGrayTask {
        name: sent.get("name").into(),
        version: sent.read("version")?,
        start: start(visit, sent)?,
        end: moment(visit, sent, "end")?,
        max_users: number(visit, sent, "max_users")?,
        host_apps: host_apps(sent)?,
        platforms: platforms(sent)?,
        networks: networks(sent),
        objects: objects(sent)?,
        policies: share.into_iter().chain(policies::asked(visit, installed, sent)?).collect(),
        admits: policies::admits(visit, sent)?,
    })
}

/// When the task begins: now where nothing is said.
fn start(visit: &Visit, sent: &Sent) -> Result<Millis, Refused> {
    if sent.get("start").is_empty() { Ok(visit.now) } else { moment(visit, sent, "start") }
}

fn host_apps(sent: &Sent) -> Result<Vec<HostAppRange>, Refused> {
    let range = |(id, min_version, max_version): Ranged| {
        Ok(HostAppRange { id: read("host_apps", &id)?, min_version, max_version })
    };
    ranged(sent, "host_apps", ["host_min.", "host_max."]).map(range).collect()
}

fn platforms(sent: &Sent) -> Result<Vec<PlatformRange>, Refused> {
    let range =
        |(name, min_os, max_os): Ranged| Ok(PlatformRange { platform: read("platforms", &name)?, min_os, max_os });
    ranged(sent, "platforms", ["os_min.", "os_max."]).map(range).collect()
}

/// What a version range is typed for, with its ends.
type Ranged = (String, Option<String>, Option<String>);

/// What is ticked under a name, or has one end of a range at least: who types one means it.
fn ranged<'a>(sent: &'a Sent, ticked: &'a str, [min, max]: [&'a str; 2]) -> impl Iterator<Item = Ranged> {
    let typed = sent.0.iter().filter(|(_, value)| !value.trim().is_empty());
    let of_range = typed.filter_map(move |(name, _)| name.strip_prefix(min).or_else(|| name.strip_prefix(max)));
    let all: BTreeSet<&str> = sent.all(ticked).chain(of_range).collect();
    all.into_iter().map(move |of| (of.to_owned(), sent.some(&format!("{min}{of}")), sent.some(&format!("{max}{of}"))))
}

fn networks(sent: &Sent) -> Vec<String> {
    let others = sent.get("other_networks").split([',', '，', '、']).map(str::trim).filter(|name| !name.is_empty());
    sent.all("networks").chain(others).map(str::to_owned).collect()
}

/// The typed and the uploaded lists of each kind.
fn objects(sent: &Sent) -> Result<Vec<ObjectList>, Refused> {
    let mut all = Vec::new();
    for kind in ObjectKind::ALL.iter().copied() {
        let values: Vec<_> = sent.lines(&format!("typed.{kind}")).map(str::to_owned).collect();
        if !values.is_empty() {
            all.push(ObjectList { kind, values, cohort: None });
        }
        if let Some(list) = sent.some(&format!("list.{kind}")) {
            all.push(ObjectList { kind, values: Vec::new(), cohort: Some(read("objects", &list)?) });
        }
    }
    Ok(all)
}

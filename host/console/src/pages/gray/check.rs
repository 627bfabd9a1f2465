//! Asks as a device would, and shows every rule that led to the answer. The address holds the whole question, so that it can
//! be sent to somebody else, unless the question names the account of a user.

use std::time::{Duration, Instant};

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    response::{IntoResponse, Redirect},
    routing::get,
};
use berth_base::ids::GrayTaskId;
use berth_model::{
    check::{
        Branch, CheckRequest, CheckResult, Device, Explained, Explanation, Had, Having, Outcome, Reason, Status, Step,
    },
    mini_app::MiniApp,
    overview::Overview,
    rollout::{GrayTask, Platform},
};

use super::{
    super::mini_apps::{Tab, bindings, head, mini_app, tabs},
    fitting,
};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, not_found, read},
    show::{self, quoted},
    texts::Texts,
    tree::{self, Piece},
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/mini-apps/{id}/check", get(ask).post(ask_by_form))
}

/// What a device says of itself, field by field, with the option of the command for it.
const FIELDS: [(&str, &str); 8] = [
    ("host_app", "--host-app"),
    ("guid", "--guid"),
    ("platform", "--platform"),
    ("os_version", "--os-version"),
    ("host_version", "--host-version"),
    ("network", "--network"),
    ("account", "--account"),
    ("device_id", "--device-id"),
];

#[derive(askama::Template)]
#[template(path = "gray/check.html")]
struct Page<'a> {
    t: Texts,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    hosts: Vec<String>,
    answer: Option<Explained>,
    /// The gray tasks that have not ended.
    tasks: Vec<GrayTask>,
    filled: &'a Filled,
}

impl Page<'_> {
    /// What the device does.
    fn said(&self, result: &CheckResult) -> String {
        let version = result.version.as_ref().map(ToString::to_string).unwrap_or_default();
        match result.status {
            Status::Update => self.t.ask_update(version),
            Status::Current => self.t.ask_current(version),
            Status::Removed => self.t.ask_removed().into(),
            Status::Unknown => self.t.ask_unknown().into(),
        }
    }

    fn because(&self, reason: &Reason) -> &'static str {
        match reason {
            Reason::Online => self.t.ask_because_online(),
            Reason::Gray => self.t.ask_because_gray(),
            Reason::Trial => self.t.ask_because_trial(),
        }
    }

    /// What a task is called, as far as it has not ended.
    fn name<'s>(&'s self, task: &'s GrayTaskId) -> &'s str {
        self.tasks.iter().find(|known| known.id == *task).map_or(task.as_str(), |known| &known.name)
    }

    /// The rules, with those of one task together.
    fn branches<'s>(&self, steps: &'s [Step]) -> Vec<&'s [Step]> {
        steps.chunk_by(|a, b| a.gray_task.is_some() && a.gray_task == b.gray_task).collect()
    }

    /// What became of each part of what a task admits.
    fn parts<'s>(&self, branch: &'s Branch) -> Vec<Piece<'s, Branch>> {
        tree::nested(branch, &|branch: &Branch| branch.of.as_slice())
    }

    /// The same question as a command.
    fn command(&self) -> String {
        let mut command = format!("berth check --app {}", self.app.id);
        let current = [("version", "--current")];
        for (field, option) in FIELDS.into_iter().chain(current) {
            match (field, self.filled.get(field)) {
                ("host_app", "") => command += " --host-app HOST_APP",
                ("guid", "") => command += " --guid GUID",
                (_, "") => {}
                (_, value) => command += &format!(" {option} {}", quoted(value)),
            }
        }
        command + " --explain"
    }
}

async fn ask(visit: Visit, Path(id): Path<String>, Query(asked): Query<Vec<(String, String)>>) -> Answer {
    let asked = Sent::in_address(asked);
    match asked.some(GETS) {
        Some(task) => ask_as_one_that_gets(&visit, &id, &task).await,
        None => show(&visit, &id, asked).await,
    }
}

/// The parameter that names a gray task, for which a device is looked for that gets its version.
const GETS: &str = "gets";

/// How long a device is looked for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks as a device that gets the version of a task. Where none of those that were tried does, the last one is asked as, so that the
/// rules say why.
async fn ask_as_one_that_gets(visit: &Visit, id: &str, task: &str) -> Answer {
    let app = mini_app(visit, id).await?;
    let task = super::one::task(visit, task).await?;
    if task.mini_app != app.id {
        return Err(visit.refuse(not_found()));
    }
    let hosts = bindings::active(visit, &app).await;
    let host_app = hosts.first().map_or("", |binding| binding.host_app.as_str());
    let mut devices = fitting::devices(&task, host_app);
    let (last, gets) = first_that_gets(visit, &task, &devices).await;
    let device = devices.swap_remove(last);
    let address = device.as_address(&at!("/ui/mini-apps/{}/check", id));
    match address {
        Some(address) if !gets => done(&address, visit.t.ask_none_gets()),
        _ => answer(visit, id, device).await,
    }
}

/// Which of these devices gets the version of the task, or the last one that was tried, and whether it does.
async fn first_that_gets(visit: &Visit, task: &GrayTask, devices: &[Sent]) -> (usize, bool) {
    let began = Instant::now();
    for (at, device) in devices.iter().enumerate() {
        // A question that is refused is shown with what is wrong with it.
        let Ok(answer) = explain(visit, task.mini_app.as_str(), device).await else { return (at, true) };
        let gets = answer.is_some_and(|answer| answer.result.gray_task.as_ref() == Some(&task.id));
        if gets || began.elapsed() > PATIENCE {
            return (at, gets);
        }
    }
    (devices.len() - 1, false)
}

async fn ask_by_form(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    answer(&visit, &id, sent).await
}

/// Leads to the address of a question, which can be passed on, or answers one that must not stand in an address.
async fn answer(visit: &Visit, id: &str, sent: Sent) -> Answer {
    match sent.as_address(&at!("/ui/mini-apps/{}/check", id)) {
        Some(address) => Ok(Redirect::to(&address).into_response()),
        None => show(visit, id, sent).await,
    }
}

async fn show(visit: &Visit, id: &str, asked: Sent) -> Answer {
    let t = visit.t;
    let app = mini_app(visit, id).await?;
    let answer = if asked.0.is_empty() { Ok(None) } else { explain(visit, id, &asked).await };
    let filled = asked.filled();
    let (answer, filled) = match answer {
        Ok(answer) => (answer, filled),
        Err(refused) => (None, filled.refused(refused).or_show(visit)?),
    };
    let hosts = bindings::active(visit, &app).await;
    let overview: Option<Overview> = match answer.is_some() {
        true => visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.ok(),
        false => None,
    };
    let page = Page {
        t,
        app: &app,
        tasks: overview.map(|it| it.gray_tasks).unwrap_or_default(),
        tabs: tabs(visit, &app, "/gray"),
        hosts: hosts.iter().map(|binding| binding.host_app.to_string()).collect(),
        answer,
        filled: &filled,
    };
    let mut head = head(visit, t.ask_as_device(), Some(&app));
    head.above.push((t.gray_tasks().into(), at!("/ui/mini-apps/{}/gray", id)));
    visit.page(head, &page)
}

async fn explain(visit: &Visit, id: &str, asked: &Sent) -> Result<Option<Explained>, Refused> {
    let device = Device {
        platform: asked.get("platform").into(),
        os_version: asked.get("os_version").into(),
        host_version: asked.get("host_version").into(),
        network: asked.get("network").into(),
        account: asked.some("account"),
        device_id: asked.some("device_id"),
        ..Device::named(read("host_app", asked.get("host_app"))?, asked.get("guid"))
    };
    let version = asked.some("version").map(|version| read("version", &version).map(Had::Version)).transpose()?;
    let request = CheckRequest { device, apps: vec![Having { mini_app: id.into(), version }] };
    let mut explanation: Explanation = visit.api.tell(Method::POST, "/v1/check/explain", &request).await?;
    Ok(explanation.results.pop())
}

//! Asks as a device would, and shows every rule that led to the answer. The address holds the whole question, so that it can
//! be sent to somebody else, unless the question names the account of a user.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    response::{IntoResponse, Redirect},
    routing::get,
};
use berth_model::{
    check::{
        Branch, CheckRequest, CheckResult, Device, Explained, Explanation, Had, Having, Outcome, Reason, Status, Step,
    },
    mini_app::MiniApp,
    rollout::Platform,
};

use super::super::mini_apps::{Tab, bindings, head, mini_app, tabs};
use crate::{
    Console,
    act::Sent,
    parts::Filled,
    path::at,
    refused::{Refused, read},
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
    show(&visit, &id, Sent::in_address(asked)).await
}

async fn ask_by_form(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match sent.as_address(&at!("/ui/mini-apps/{}/check", id)) {
        Some(address) => Ok(Redirect::to(&address).into_response()),
        None => show(&visit, &id, sent).await,
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
    let page = Page {
        t,
        app: &app,
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

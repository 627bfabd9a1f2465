//! Edits a gray task: in every way before its start, and wider afterwards.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_base::clock::Millis;
use berth_model::{
    policy::{PolicyKind, registry::Mode},
    rollout::{EditGrayTask, EditTaskPolicy, GrayTask, State, TaskPolicy},
};

use super::{
    super::mini_apps::{head, mini_app},
    moment, number,
    one::task,
    policies, shares,
};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, invalid},
    show,
    texts::Texts,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/gray/{id}/edit", get(form).post(edit))
}

#[derive(askama::Template)]
#[template(path = "gray/edit.html")]
struct Form<'a> {
    t: Texts,
    visit: &'a Visit,
    task: &'a GrayTask,
    has_begun: bool,
    start: String,
    end: String,
    cap: String,
    /// The share of the devices as it is typed; none where the task has none.
    share: Option<Filled>,
    /// What the task admits, as it is typed.
    admits: String,
    filled: &'a Filled,
}

impl Form<'_> {
    /// The names that an expression of this task may have.
    fn admits_hint(&self) -> String {
        let decides = |policy: &&TaskPolicy| policy.kind == PolicyKind::Grayscale && policy.mode == Mode::Enforce;
        let names: Vec<_> = self.task.policies.iter().filter(decides).map(|policy| policy.name.as_str()).collect();
        format!("{} {}", self.t.gray_admits_hint(), self.t.gray_admits_names(names.join(", ")))
    }
}

async fn form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &task(&visit, &id).await?, &Filled::default()).await
}

async fn show_with(visit: &Visit, task: &GrayTask, filled: &Filled) -> Answer {
    let t = visit.t;
    let app = mini_app(visit, task.mini_app.as_str()).await?;
    let page = Form {
        t,
        visit,
        task,
        has_begun: task.state != State::Pending,
        start: field(visit, task.start),
        end: field(visit, task.end),
        cap: task.max_users.map(|cap| cap.to_string()).unwrap_or_default(),
        share: shares::of(task).map(|policy| Filled::with(shares::typed(&policy.config))),
        admits: admits(task),
        filled,
    };
    let title = t.gray_edit(&task.name);
    let mut head = head(visit, &title, Some(&app));
    head.above.push((task.name.clone(), at!("/ui/gray/{}", task.id)));
    visit.page(head, &page)
}

fn field(visit: &Visit, at: Millis) -> String {
    show::for_field(at, &visit.taste.zone)
}

async fn edit(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let task = task(&visit, &id).await?;
    match edit_as(&visit, &task, &sent).await {
        Ok(()) => done(&at!("/ui/gray/{}", id), visit.t.edited()),
        Err(refused) => show_with(&visit, &task, &sent.again(&visit, shares::at_its_field(refused))?).await,
    }
}

async fn edit_as(visit: &Visit, task: &GrayTask, sent: &Sent) -> Result<(), Refused> {
    let cap = number(visit, sent, "max_users")?;
    let edit = EditGrayTask {
        name: sent.some("name").filter(|name| *name != task.name),
        start: if task.state == State::Pending { changed(visit, sent, "start", task.start)? } else { None },
        end: changed(visit, sent, "end", task.end)?,
        max_users: (cap != task.max_users).then_some(cap),
        policies: share(visit, task, sent)?,
        admits: if sent.get("admits") == admits(task) { None } else { Some(policies::admits(visit, sent)?) },
        note: sent.get("note").into(),
        ..EditGrayTask::default()
    };
    visit.api.act(Method::PATCH, &at!("/v1/gray-tasks/{}", task.id), &edit).await
}

/// The moment in a field, if it is another one: fields have no seconds, and an untouched one must not cut them off.
fn changed(visit: &Visit, sent: &Sent, name: &str, before: Millis) -> Result<Option<Millis>, Refused> {
    if sent.get(name) == field(visit, before) { Ok(None) } else { moment(visit, sent, name).map(Some) }
}

/// What a task admits, as people write it; empty where all of its policies have to.
fn admits(task: &GrayTask) -> String {
    task.admits.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// The change of the share, if it is another one. A task that has a share keeps one.
fn share(visit: &Visit, task: &GrayTask, sent: &Sent) -> Result<Vec<EditTaskPolicy>, Refused> {
    let Some(policy) = shares::of(task).filter(|policy| !shares::is_untouched(&policy.config, sent)) else {
        return Ok(Vec::new());
    };
    let config = shares::read(visit, sent)?.ok_or_else(|| invalid(visit.t, shares::PERCENT, visit.t.no_number()))?;
    let binding = policy.binding.clone();
    Ok(vec![EditTaskPolicy { binding, config: Some(config), mode: None, on_error: None, limits: None, watch: None }])
}

//! One gray task: whom it takes, how it goes, who moved it, and what stops it.

use axum::{Router, extract::Path, routing::get};
use berth_base::clock::Millis;
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    overview::Overview,
    policy::{PolicyKind, Window},
    rollout::{Change, GrayTask, MoveView, Progress, State},
    version::is_above,
};
use serde_json::Value;

use super::{
    super::mini_apps::{head, may_come_online, mini_app},
    chart::{self, Chart},
};
use crate::{
    Console,
    parts::{Names, Shown},
    path::{at, with_query},
    show,
    texts::{Texts, grouped},
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/gray/{id}", get(show_one))
}

/// An act that the page offers, done on a page of its own.
struct Act {
    name: &'static str,
    address: String,
    class: &'static str,
}

/// A figure of the funnel.
struct Figure {
    name: &'static str,
    count: u64,
}

#[derive(askama::Template)]
#[template(path = "gray/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    task: &'a GrayTask,
    progress: &'a Progress,
    figures: Vec<Figure>,
    chart: Option<Chart>,
    acts: Vec<Act>,
    may_release: bool,
    names: &'a Names,
}

impl One<'_> {
    fn sentence(&self) -> String {
        let shown = |at: Millis| self.visit.when(&at).shown;
        let (version, start, end) = (&self.task.version, shown(self.task.start), shown(self.task.end));
        match self.task.state {
            State::Ended => self.t.gray_sentence_ended(version, start, end),
            _ => self.t.gray_sentence(version, start, end),
        }
    }

    /// What the task admits, as a sentence; `None` where all of its policies have to.
    fn admits(&self) -> Option<String> {
        let admits = self.task.admits.as_ref()?;
        Some(self.t.gray_admits_who(admits.told(self.t.phrases().expression())))
    }

    /// What restricts the task, phrase by phrase, and what leads them where several must hold.
    fn in_words(&self) -> (Option<String>, Vec<String>) {
        let mut phrases = self.t.task_in_words(self.task);
        let lead = self.t.phrases().all_must_hold();
        let is_led = phrases.first() == Some(&lead);
        if is_led {
            phrases.remove(0);
        }
        (is_led.then_some(lead), phrases)
    }

    /// Who or what made a move: a guard is known by the binding of its policy.
    fn mover<'a>(&'a self, one: &'a MoveView) -> &'a str {
        let guard = self.task.policies.iter().find(|policy| policy.binding.as_str() == one.by);
        guard.map_or_else(|| self.names.get(&self.t, &one.by), |policy| &policy.name)
    }

    /// What an edit changed, in words.
    fn changed(&self, change: &Change) -> String {
        self.t.gray_changed(&change.field, self.said(&change.from), self.said(&change.to))
    }

    /// A value as people read it. Moments are shown in the zone of the visitor.
    fn said(&self, value: &Value) -> String {
        match value {
            Value::Null => "–".into(),
            Value::String(text) => text.parse().map_or_else(|_| text.clone(), |at: Millis| self.visit.when(&at).shown),
            other => other.to_string(),
        }
    }

    /// On how many of the devices that tried a version it failed.
    fn failed(&self, window: &Window) -> String {
        format!("{} / {}", grouped(window.failed), grouped(window.tried))
    }

    /// What the chart shows, for who does not see it.
    fn chart_says(&self, chart: &Chart) -> String {
        let [offered, downloaded, running, failed] = chart.last().map(grouped);
        self.t.gray_over_time_desc(offered, downloaded, running, failed)
    }

    /// The page that asks as a device of this MiniApp: as one that gets the version, while the task gives it.
    fn check(&self) -> Act {
        let address = at!("/ui/mini-apps/{}/check", self.app.id);
        match self.task.state {
            State::Delivering => {
                let address = with_query(&address, [("gets", Some(self.task.id.as_str()))]);
                Act { name: self.t.ask_as_its_device(), address, class: "" }
            }
            _ => Act { name: self.t.ask_as_device(), address, class: "" },
        }
    }
}

async fn show_one(visit: Visit, Path(id): Path<String>) -> Answer {
    let t = visit.t;
    let task = task(&visit, &id).await?;
    let app = mini_app(&visit, task.mini_app.as_str()).await?;
    let progress: Progress = visit.api.get(&at!("/v1/gray-tasks/{}/progress", id)).await.or_show(&visit)?;
    let acts = acts(&visit, &app, &task).await;
    let people = task.moves.iter().map(|one| one.by.as_str()).chain([task.created_by.as_str()]);
    let names = Names::of(&visit.api, people).await;
    let lines = [t.gray_offered(), t.gray_downloaded(), t.gray_running(), t.gray_failed()];
    let page = One {
        t,
        visit: &visit,
        app: &app,
        task: &task,
        figures: figures(t, &progress),
        chart: chart::draw(&progress.over_time, lines),
        progress: &progress,
        acts,
        may_release: visit.can(Action::Release, &app.scope()),
        names: &names,
    };
    let title = format!("{} · {}", task.name, task.version);
    let mut head = head(&visit, &title, Some(&app));
    head.above.push((t.gray_tasks().into(), at!("/ui/mini-apps/{}/gray", app.id)));
    head.live = Some(at!("/ui/live?mini_app={}", app.id));
    visit.page(head, &page)
}

/// A gray task by its id.
pub async fn task(visit: &Visit, id: &str) -> Result<GrayTask, crate::visit::Shown> {
    visit.api.get(&at!("/v1/gray-tasks/{}", id)).await.or_show(visit)
}

fn figures(t: Texts, progress: &Progress) -> Vec<Figure> {
    let figure = |(name, count)| Figure { name, count };
    let all = [
        (t.gray_offered(), progress.offered),
        (t.gray_downloaded(), progress.downloaded),
        (t.gray_running(), progress.running),
        (t.gray_waiting(), progress.waiting),
        (t.gray_failed(), progress.failed),
        (t.gray_fell_back(), progress.fell_back),
    ];
    all.into_iter().map(figure).collect()
}

/// Whether the version of a task can be published now (V7).
async fn may_be_published(visit: &Visit, app: &MiniApp, task: &GrayTask) -> bool {
    if !may_come_online(app, &task.version) {
        return false;
    }
    let it: Option<Overview> = visit.api.get(&at!("/v1/mini-apps/{}/overview", app.id)).await.ok();
    it.is_some_and(|it| {
        let online = it.online.as_ref().map(|online| &online.version);
        is_above(&task.version, online) && it.approved.iter().any(|version| version.version == task.version)
    })
}

/// What may be done with a task now.
async fn acts(visit: &Visit, app: &MiniApp, task: &GrayTask) -> Vec<Act> {
    let t = visit.t;
    if !visit.can(Action::Release, &app.scope()) {
        return Vec::new();
    }
    let act = |name, path: &str, class| Act { name, address: at!("/ui/gray/{}", task.id) + path, class };
    let mut acts = Vec::new();
    if may_be_published(visit, app, task).await {
        let address = at!("/ui/mini-apps/{}/versions/{}/publish", app.id, task.version);
        acts.push(Act { name: t.gray_publish(), address, class: "" });
    }
    match task.state {
        State::Pending | State::Delivering => acts.push(act(t.gray_suspend(), "/suspend", "")),
        State::Suspended => acts.push(act(t.gray_resume(), "/resume", "")),
        State::Ended => {}
    }
    if task.state != State::Ended {
        acts.push(act(t.edit(), "/edit", ""));
    }
    acts.push(Act {
        name: t.gray_like(),
        address: with_query(&at!("/ui/mini-apps/{}/gray/new", app.id), [("like", Some(task.id.as_str()))]),
        class: "",
    });
    if task.state != State::Ended || task.honoured {
        acts.push(act(t.gray_end(), "/end", "danger"));
    }
    acts
}

//! `berth gray`: grayscale releases.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    call::Call,
    client::Client,
    failure::Done,
    gray_create::{self, Create},
    paint::{Paint, state},
    push::progress,
    session::Session,
    table::{Card, Cell, Table},
};
use crate::{
    clock::Millis,
    ids::{GrayTaskId, MiniAppId},
};

/// `berth gray`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth gray create mp-shop --name canary --version 1.3.0 --for 7d --percent 10
  berth gray create mp-shop --name beta --version 1.3.0 --end 2030-01-31T08:00:00Z --max-users 500 \\
      --host-app ha-super:3.0.0.. --platform android:12.. --list guid=testers.txt
  berth gray suspend gray_01… --note \"crash reports\"
  berth gray progress gray_01…")]
pub enum Gray {
    /// Start a grayscale release of an approved version
    Create(Box<Create>),
    /// List the tasks of a MiniApp, newest first
    List {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Show a task, its conditions in words, and who moved it
    Show {
        /// Which
        task: GrayTaskId,
    },
    /// Admit nobody new for now
    Suspend(Step),
    /// Go on admitting
    Resume(Step),
    /// End a task: its devices return to the online version
    End(Step),
    /// Show how many devices were offered, downloaded, run and failed
    Progress {
        /// Which
        task: GrayTaskId,
    },
    /// Upload a list of devices or accounts for later tasks
    UploadList {
        /// The MiniApp
        app: MiniAppId,
        /// One a line, UTF-8; blanks and duplicates are counted
        file: PathBuf,
        /// Its name; the file's when absent
        #[arg(long)]
        name: Option<String>,
    },
}

/// A move of a task by hand.
#[derive(Args, Debug)]
pub struct Step {
    /// Which
    pub task: GrayTaskId,
    /// Why, for the history
    #[arg(long)]
    pub note: Option<String>,
}

/// A task, as far as it is printed.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The version in grayscale.
    pub version: String,
    /// `pending`, `delivering`, `suspended`, `ended`.
    pub state: String,
    /// When it starts.
    pub start: Millis,
    /// When it ends.
    pub end: Millis,
    /// The cap.
    #[serde(default)]
    pub max_users: Option<u64>,
    /// The conditions in words: one text, or one for each.
    #[serde(default, alias = "in_words", alias = "conditions_in_words")]
    pub words: Option<Value>,
    /// Its policies.
    #[serde(default)]
    pub policies: Vec<TaskPolicy>,
    /// Who moved it, when, why.
    #[serde(default)]
    pub moves: Vec<Moved>,
}

/// A policy of a task.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskPolicy {
    /// Its name or digest.
    #[serde(default, alias = "name")]
    pub policy: String,
    /// Its config.
    #[serde(default)]
    pub config: Value,
    /// `enforce` or `shadow`.
    #[serde(default)]
    pub mode: Option<String>,
}

/// One move of a task.
#[derive(Clone, Debug, Deserialize)]
pub struct Moved {
    /// The state that it entered.
    #[serde(default, alias = "state")]
    pub to: String,
    /// `hand`, `time`, `cap` …
    #[serde(default)]
    pub cause: Option<String>,
    /// Who.
    #[serde(default, alias = "by")]
    pub actor: Option<String>,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Option<Millis>,
}

#[derive(Deserialize)]
struct Progress {
    offered: u64,
    downloaded: u64,
    running: u64,
    failed: u64,
    #[serde(default)]
    max_users: Option<u64>,
    #[serde(default)]
    over_time: Vec<Window>,
}

#[derive(Deserialize)]
struct Window {
    from: Millis,
    offered: u64,
    downloaded: u64,
    running: u64,
    failed: u64,
}

/// An uploaded list.
#[derive(Deserialize)]
pub struct Cohort {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Distinct members.
    pub members: u64,
    #[serde(default)]
    lines: u64,
    #[serde(default)]
    blanks: u64,
    #[serde(default)]
    duplicates: u64,
}

/// Runs it.
pub async fn run(command: Gray, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Gray::Create(args) => gray_create::run(&client, session, *args).await,
        Gray::List { app } => list(&client, session, &app).await,
        Gray::Show { task } => {
            session.out.show(&client.value(Call::get(format!("/v1/gray-tasks/{task}"))).await?, |task: Task, paint| {
                view(&task, paint)
            })
        }
        Gray::Suspend(step) => take(&client, session, step, "suspend").await,
        Gray::Resume(step) => take(&client, session, step, "resume").await,
        Gray::End(step) => take(&client, session, step, "end").await,
        Gray::Progress { task } => {
            let answer = client.value(Call::get(format!("/v1/gray-tasks/{task}/progress"))).await?;
            session.out.show(&answer, |progress: Progress, paint| progress_view(&progress, paint))
        }
        Gray::UploadList { app, file, name } => {
            let answer = upload_list(&client, session, &app, &file, name).await?;
            session.out.show(&answer, |cohort: Cohort, paint| cohort_view(&cohort, paint))
        }
    }
}

async fn list(client: &Client, session: &mut Session, app: &MiniAppId) -> Done {
    let items = client.items(Call::get(format!("/v1/mini-apps/{app}/gray-tasks"))).await?;
    let head = ["ID", "NAME", "VERSION", "STATE", "CAP", "START", "END"];
    session.out.list(items, head, "No grayscale tasks.", |task: Task, paint| {
        [
            Cell::strong(task.id),
            Cell::of(task.name),
            Cell::of(task.version),
            state(&task.state),
            Cell::any(task.max_users),
            paint.when(task.start),
            paint.when(task.end),
        ]
    })
}

async fn take(client: &Client, session: &mut Session, step: Step, verb: &str) -> Done {
    let body: Map<_, _> = step.note.map(|note| ("note".to_owned(), Value::from(note))).into_iter().collect();
    let answer = client.value(Call::post(format!("/v1/gray-tasks/{}/{verb}", step.task)).json(&body)).await?;
    session.out.show(&answer, |task: Task, paint| view(&task, paint))
}

/// Streams a list to the host.
pub async fn upload_list(
    client: &Client,
    session: &Session,
    app: &MiniAppId,
    file: &std::path::Path,
    name: Option<String>,
) -> Result<Value, super::failure::Failure> {
    let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.unwrap_or_else(stem);
    let bar = progress(session, &name);
    let call = Call::create(format!("/v1/mini-apps/{app}/cohorts")).query("name", Some(&name));
    client.value(call.file(file, "text/plain; charset=utf-8", bar)).await
}

/// What the host counted in a list.
pub fn cohort_view(cohort: &Cohort, paint: &Paint) -> String {
    let counted = format!("{} lines, {} blank, {} duplicate", cohort.lines, cohort.blanks, cohort.duplicates);
    Card::default()
        .field("id", Cell::strong(&cohort.id))
        .field("name", cohort.name.as_str())
        .field("members", Cell::of(cohort.members))
        .field("counted", counted)
        .render(paint)
}

/// A task on its own.
pub fn view(task: &Task, paint: &Paint) -> String {
    let mut card = Card::default()
        .field("id", Cell::strong(&task.id))
        .field("name", task.name.as_str())
        .field("version", task.version.as_str())
        .field("state", state(&task.state))
        .field("start", paint.when(task.start))
        .field("end", paint.when(task.end))
        .field("cap", task.max_users.map_or_else(|| "none".into(), Cell::of));
    for words in texts(task.words.as_ref()) {
        card = card.field("when", words);
    }
    for policy in &task.policies {
        let mode =
            policy.mode.as_deref().filter(|mode| *mode != "enforce").map_or(String::new(), |mode| format!(" ({mode})"));
        card = card.field("policy", format!("{} {}{mode}", policy.policy, policy.config));
    }
    if task.moves.is_empty() {
        return card.render(paint);
    }
    format!("{}\n\n{}", card.render(paint), moves(&task.moves, paint))
}

fn texts(words: Option<&Value>) -> Vec<String> {
    match words {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn moves(moves: &[Moved], paint: &Paint) -> String {
    let mut table = Table::new(["WHEN", "TO", "CAUSE", "BY", "NOTE"]);
    for one in moves {
        let note = one.note.as_ref().filter(|note| !note.is_empty());
        table.row([
            paint.when_any(one.at),
            state(&one.to),
            Cell::any(one.cause.as_ref()),
            Cell::any(one.actor.as_ref()),
            Cell::any(note),
        ]);
    }
    table.render(paint)
}

fn progress_view(progress: &Progress, paint: &Paint) -> String {
    let share = |count: u64| match progress.offered {
        0 => count.to_string(),
        offered => format!("{count} ({} %)", count * 100 / offered),
    };
    let cap = progress.max_users.map_or(String::new(), |cap| format!(" of {cap}"));
    let card = Card::default()
        .field("offered", format!("{}{cap}", progress.offered))
        .field("downloaded", share(progress.downloaded))
        .field("running", share(progress.running))
        .field("failed", share(progress.failed))
        .render(paint);
    if progress.over_time.is_empty() {
        return card;
    }
    let mut table = Table::new(["FROM", "OFFERED", "DOWNLOADED", "RUNNING", "FAILED"]);
    for window in &progress.over_time {
        let counts = [window.offered, window.downloaded, window.running, window.failed].map(Cell::of);
        let [offered, downloaded, running, failed] = counts;
        table.row([paint.when(window.from), offered, downloaded, running, failed]);
    }
    format!("{card}\n\n{}", table.render(paint))
}

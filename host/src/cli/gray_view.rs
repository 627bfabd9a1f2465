//! Grayscale tasks, their progress and lists, as far as they are printed.

use serde::Deserialize;
use serde_json::Value;

use super::{
    paint::{Paint, state},
    table::{Card, Cell, Table},
};
use crate::clock::Millis;

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
    /// Devices that it has admitted.
    #[serde(default)]
    pub admitted: u64,
    /// Why it ended.
    #[serde(default)]
    pub ended_by: Option<String>,
    /// Who may be admitted, one condition each.
    #[serde(default)]
    pub in_words: Vec<String>,
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
    pub to: String,
    /// `hand`, `time`, `cap` …
    pub cause: String,
    /// Who.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub note: String,
    /// When.
    pub at: Millis,
}

/// How a task goes.
#[derive(Deserialize)]
pub struct Progress {
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

/// What the host counted in a list.
pub fn cohort(cohort: &Cohort, paint: &Paint) -> String {
    let counted = format!("{} lines, {} blank, {} duplicate", cohort.lines, cohort.blanks, cohort.duplicates);
    Card::default()
        .field("id", Cell::strong(&cohort.id))
        .field("name", cohort.name.as_str())
        .field("members", Cell::of(cohort.members))
        .field("counted", counted)
        .render(paint)
}

/// A task on its own.
pub fn task(task: &Task, paint: &Paint) -> String {
    let mut card = Card::default()
        .field("id", Cell::strong(&task.id))
        .field("name", task.name.as_str())
        .field("version", task.version.as_str())
        .field("state", state(&task.state))
        .field("start", paint.when(task.start))
        .field("end", paint.when(task.end))
        .maybe("ended by", task.ended_by.as_deref())
        .field("admitted", admitted(task));
    for words in &task.in_words {
        card = card.field("only", words.as_str());
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

/// `12 of 500`, or `12` without a cap.
pub fn admitted(task: &Task) -> String {
    task.max_users.map_or_else(|| task.admitted.to_string(), |cap| format!("{} of {cap}", task.admitted))
}

fn moves(moves: &[Moved], paint: &Paint) -> String {
    let mut table = Table::new(["WHEN", "TO", "CAUSE", "BY", "NOTE"]);
    for one in moves {
        let note = Some(&one.note).filter(|note| !note.is_empty());
        table.row([paint.when(one.at), state(&one.to), Cell::of(&one.cause), Cell::of(&one.by), Cell::any(note)]);
    }
    table.render(paint)
}

/// How a task goes, over time.
pub fn progress(progress: &Progress, paint: &Paint) -> String {
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

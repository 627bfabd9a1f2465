//! Prints grayscale tasks, their progress, and lists.

use serde::Deserialize;
use serde_json::Value;

use super::{
    paint::{Paint, state},
    table::{Card, Cell, Table},
};
use berth_base::{clock::Millis, text};

/// A task, as far as it is printed.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub version: String,
    /// `pending`, `delivering`, `suspended` or `ended`.
    pub state: String,
    pub start: Millis,
    pub end: Millis,
    /// The cap of devices.
    #[serde(default)]
    pub max_users: Option<u64>,
    /// The number of admitted devices.
    #[serde(default)]
    pub admitted: u64,
    #[serde(default)]
    pub ended_by: Option<String>,
    /// The conditions in words, one per item.
    #[serde(default)]
    pub in_words: Vec<String>,
    #[serde(default)]
    pub policies: Vec<TaskPolicy>,
    /// The changes of its state.
    #[serde(default)]
    pub moves: Vec<Moved>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TaskPolicy {
    /// The name or the digest.
    pub policy: String,
    #[serde(default)]
    pub config: Value,
    /// `enforce` or `shadow`.
    #[serde(default)]
    pub mode: Option<String>,
}

/// A change of a task's state.
#[derive(Clone, Debug, Deserialize)]
pub struct Moved {
    /// The state that it entered.
    pub to: String,
    /// What caused it: `hand`, `time`, `cap` …
    pub cause: String,
    pub by: String,
    #[serde(default)]
    pub note: String,
    pub at: Millis,
}

/// The progress of a task.
#[derive(Deserialize)]
pub struct Progress {
    offered: u64,
    downloaded: u64,
    #[serde(default)]
    waiting: u64,
    running: u64,
    failed: u64,
    #[serde(default)]
    fell_back: u64,
    #[serde(default)]
    max_failures: u64,
    #[serde(default)]
    max_users: Option<u64>,
    #[serde(default)]
    reasons: Vec<Reason>,
    #[serde(default)]
    other_reasons: u64,
    #[serde(default)]
    over_time: Vec<Window>,
}

/// A reason why the version failed.
#[derive(Deserialize)]
struct Reason {
    /// Empty when the devices gave none.
    reason: String,
    devices: u64,
    failures: u64,
    last: Millis,
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
    pub id: String,
    pub name: String,
    /// The number of different members.
    pub members: u64,
    #[serde(default)]
    lines: u64,
    #[serde(default)]
    blanks: u64,
    #[serde(default)]
    duplicates: u64,
}

/// The card of a list, with what the host counted in it.
pub fn cohort(cohort: &Cohort, paint: &Paint) -> String {
    let counted = format!("{} lines, {} blank, {} duplicate", cohort.lines, cohort.blanks, cohort.duplicates);
    Card::default()
        .field("id", Cell::strong(&cohort.id))
        .field("name", cohort.name.as_str())
        .field("members", Cell::of(cohort.members))
        .field("counted", counted)
        .render(paint)
}

/// The card of a task.
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

/// The admitted devices and the cap: `12 of 500`, or `12` without a cap.
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

/// The progress of a task, in all and over time.
pub fn progress(progress: &Progress, paint: &Paint) -> String {
    let share = |count: u64| match progress.offered {
        0 => count.to_string(),
        offered => format!("{count} ({} %)", count * 100 / offered),
    };
    let cap = progress.max_users.map_or(String::new(), |cap| format!(" of {cap}"));
    let failed = match progress.fell_back {
        0 => share(progress.failed),
        fell_back => {
            let (failed, most) = (share(progress.failed), text::count(progress.max_failures, "failure", "failures"));
            format!("{failed}; {fell_back} not offered it again, after {most}")
        }
    };
    let card = Card::default()
        .field("offered", format!("{}{cap}", progress.offered))
        .field("downloaded", share(progress.downloaded))
        .field("waiting", share(progress.waiting))
        .field("running", share(progress.running))
        .field("failed", failed)
        .render(paint);
    let parts = [Some(card), reasons(progress, paint), over_time(progress, paint)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Why the version failed; `None` when it never did.
fn reasons(progress: &Progress, paint: &Paint) -> Option<String> {
    if progress.reasons.is_empty() {
        return None;
    }
    let mut table = Table::new(["DEVICES", "FAILURES", "LAST", "WHY IT FAILED"]);
    for Reason { reason, devices, failures, last } in &progress.reasons {
        let reason = if reason.is_empty() { "(the devices gave no reason)" } else { reason };
        table.row([Cell::of(devices), Cell::of(failures), paint.when(*last), Cell::of(reason)]);
    }
    let more = match progress.other_reasons {
        0 => String::new(),
        more => format!("\nand {}", text::count(more, "other reason", "other reasons")),
    };
    Some(format!("{}{more}", table.render(paint)))
}

/// When something first happened to devices; `None` when nothing has.
fn over_time(progress: &Progress, paint: &Paint) -> Option<String> {
    if progress.over_time.is_empty() {
        return None;
    }
    let mut table = Table::new(["FIRST SEEN", "OFFERED", "DOWNLOADED", "RUNNING", "FAILED"]);
    for window in &progress.over_time {
        let counts = [window.offered, window.downloaded, window.running, window.failed].map(Cell::of);
        let [offered, downloaded, running, failed] = counts;
        table.row([paint.when(window.from), offered, downloaded, running, failed]);
    }
    Some(table.render(paint))
}

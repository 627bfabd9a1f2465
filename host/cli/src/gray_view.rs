//! Prints grayscale tasks, their progress, and lists.

use serde::Deserialize;

use super::{
    paint::{Paint, state},
    table::{Card, Cell, Table},
};
use berth_base::clock::Millis;
use berth_model::{
    policy::{
        LimitOverrides,
        registry::{Mode, OnError},
    },
    rollout::{Cause, Change, GrayTask, MoveView, TaskPolicy},
};

/// The progress of a task.
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

/// The card of a task.
pub fn task(task: &GrayTask, paint: &Paint) -> String {
    let mut card = Card::default()
        .field("id", Cell::strong(&task.id))
        .field("name", task.name.as_str())
        .field("version", Cell::of(&task.version))
        .field("state", state(task.state.as_str()))
        .field("start", paint.when(task.start))
        .field("end", paint.when(task.end))
        .maybe("ended by", task.ended_by.map(Cause::as_str))
        .field("admitted", admitted(task));
    for words in &task.in_words {
        card = card.field("only", words.as_str());
    }
    for one in &task.policies {
        card = card.field("policy", policy(one));
    }
    if task.moves.is_empty() {
        return card.render(paint);
    }
    format!("{}\n\n{}", card.render(paint), moves(&task.moves, paint))
}

/// The admitted devices and the cap: `12 of 500`, or `12` without a cap.
pub fn admitted(task: &GrayTask) -> String {
    task.max_users.map_or_else(|| task.admitted.to_string(), |cap| format!("{} of {cap}", task.admitted))
}

/// The policy with its config, and what differs from the defaults.
fn policy(one: &TaskPolicy) -> String {
    let mode = (one.mode == Mode::Shadow).then(|| " (shadow)".to_owned());
    let open = (one.on_error == OnError::Open).then(|| " (open on error)".to_owned());
    let limited = one.limits != LimitOverrides::default();
    let limits = limited.then(|| format!(" (limits {})", serde_json::to_string(&one.limits).unwrap_or_default()));
    let more: String = [mode, open, limits].into_iter().flatten().collect();
    format!("{} {}{more}", one.policy, one.config)
}

fn moves(moves: &[MoveView], paint: &Paint) -> String {
    let mut table = Table::new(["WHEN", "TO", "CAUSE", "BY", "NOTE"]);
    for one in moves {
        let said = [one.note.clone(), changes(&one.changes)];
        let note = said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
        let note = Some(note).filter(|note| !note.is_empty());
        let to = if one.changes.is_empty() { state(one.to.as_str()) } else { Cell::of("edited") };
        table.row([paint.when(one.at), to, Cell::of(one.cause), Cell::of(&one.by), Cell::any(note)]);
    }
    table.render(paint)
}

/// What an edit changed, in one line.
fn changes(changes: &[Change]) -> String {
    let short = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let one = |change: &Change| format!("{}: {} → {}", change.field, short(&change.from), short(&change.to));
    changes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The progress of a task, in all and over time.
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

//! Prints grayscale tasks, their progress, and lists.

use std::iter;

use super::{
    paint::{Paint, said, state},
    table::{Card, Cell, Table},
};
use berth_base::text;
use berth_model::{
    policy::{
        LimitOverrides, PolicyKind, Window,
        registry::{Mode, OnError, Watch},
    },
    rollout::{Cause, Change, FailureReason, GrayTask, GuardCounts, GuardProgress, GuardSaid, Progress, TaskPolicy},
};

/// The card of a task.
pub fn task(task: &GrayTask, paint: &Paint) -> String {
    let mut card = Card::default()
        .field("id", Cell::strong(&task.id))
        .field("name", task.name.as_str())
        .field("version", Cell::of(&task.version))
        .field("state", state(task.state.as_str()))
        .field("start", paint.when(task.start))
        .field(if task.ended_by.is_some() { "planned end" } else { "end" }, paint.when(task.end))
        .maybe("ended by", task.ended_by.map(Cause::as_str))
        .field("admitted", admitted(task));
    for words in &task.in_words {
        card = card.field("only", words.as_str());
    }
    card = card.maybe("admits", task.admits.as_ref().map(Cell::of));
    for one in &task.policies {
        card = card.field(if one.kind == PolicyKind::Guard { "guard" } else { "policy" }, policy(one));
    }
    if task.moves.is_empty() {
        return card.render(paint);
    }
    format!("{}\n\n{}", card.render(paint), moves(task, paint))
}

/// The admitted devices and the cap: `12 of 500`, or `12` without a cap.
pub fn admitted(task: &GrayTask) -> String {
    task.max_users.map_or_else(|| task.admitted.to_string(), |cap| format!("{} of {cap}", task.admitted))
}

/// The policy with its name in the task, its config, and what differs from the defaults.
fn policy(one: &TaskPolicy) -> String {
    let mode = (one.mode == Mode::Shadow).then(|| " (shadow)".to_owned());
    let open = (one.on_error == OnError::Open).then(|| " (open on error)".to_owned());
    let limited = one.limits != LimitOverrides::default();
    let limits = limited.then(|| format!(" (limits {})", serde_json::to_string(&one.limits).unwrap_or_default()));
    let more: String = [mode, open, limits].into_iter().flatten().collect();
    let name = if one.name == one.policy { one.name.clone() } else { format!("{} ({})", one.name, one.policy) };
    format!("{name} {}{more}", one.config)
}

/// Who moved a task: a guard by the name of its policy.
fn mover(task: &GrayTask, by: &str, paint: &Paint) -> Cell {
    let guard = task.policies.iter().find(|policy| policy.binding.as_str() == by);
    guard.map_or_else(|| paint.who(by), |guard| Cell::of(&guard.name))
}

fn moves(task: &GrayTask, paint: &Paint) -> String {
    let mut table = Table::new(["WHEN", "TO", "CAUSE", "BY", "NOTE"]);
    for one in &task.moves {
        let parts = [one.note.clone(), changes(&one.changes)];
        let note = parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
        let to = if one.changes.is_empty() { state(one.to.as_str()) } else { Cell::of("edited") };
        table.row([paint.when(one.at), to, Cell::of(one.cause), mover(task, &one.by, paint), Cell::any(said(&note))]);
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
    let guards = progress.guards.iter().map(|one| guard(one, paint));
    let parts = [reasons(progress, paint), over_time(progress, paint)];
    iter::once(card).chain(guards).chain(parts.into_iter().flatten()).collect::<Vec<_>>().join("\n\n")
}

/// A guard, what it compares, and what it has said.
fn guard(guard: &GuardProgress, paint: &Paint) -> String {
    let Watch { window_minutes, min_devices } = guard.watch;
    let shadow = if guard.mode == Mode::Shadow { " (shadow)" } else { "" };
    let sides = |of: fn(&Window) -> u64| {
        guard.looks.first().map(|look| format!("gray {}, online {}", of(&look.total.gray), of(&look.total.online)))
    };
    let card = Card::default()
        .field("guard", Cell::strong(format!("{}{shadow}", guard.policy)))
        .field("window", format!("{window_minutes} min, from {min_devices} devices on"))
        .maybe("since", guard.since.map(|since| paint.when(since)))
        .maybe("next look", guard.next_look.map(|next| paint.when(next)))
        .maybe("said", counts(&guard.counts))
        .maybe("tried", sides(|window| window.tried))
        .maybe("failed", sides(|window| window.failed))
        .render(paint);
    let mut table = Table::new(["LOOK", "SAID", "GRAY", "ONLINE", "WORDS"]);
    for look in &guard.looks {
        let side = |window: &Window| Cell::from(format!("{} of {}", window.failed, window.tried));
        let says = if look.moved { Cell::strong(look.said) } else { Cell::of(look.said) };
        let (gray, online) = (side(&look.total.gray), side(&look.total.online));
        table.row([paint.when(look.at), says, gray, online, Cell::any(said(&look.words))]);
    }
    if guard.looks.is_empty() { card } else { format!("{card}\n\n{}", table.render(paint)) }
}

/// How often a guard has said what; `None` when it was never its turn.
fn counts(counts: &GuardCounts) -> Option<String> {
    let mut counts = *counts;
    let each = GuardSaid::ALL.iter().map(|said| (*counts.of(*said), said)).filter(|(count, _)| *count > 0);
    let told: Vec<_> = each.map(|(count, said)| format!("{said} {count} ×")).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// Why the version failed; `None` when it never did.
fn reasons(progress: &Progress, paint: &Paint) -> Option<String> {
    if progress.reasons.is_empty() {
        return None;
    }
    let mut table = Table::new(["DEVICES", "FAILURES", "LAST", "WHY IT FAILED"]);
    for FailureReason { reason, devices, failures, last } in &progress.reasons {
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

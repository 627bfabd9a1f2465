//! Prints versions, audits, releases and overviews.

use super::{
    paint::{Paint, bytes, said, state},
    table::{Card, Cell, Table},
};
use berth_base::text;
use berth_model::{
    audit::{Audit, AuditItem, AuditState, Decision, Evaluation},
    mini_app::MiniApp,
    overview::Overview,
    version::{Version, VersionDetail},
};

/// The card of a version.
pub fn version(version: &Version, paint: &Paint) -> String {
    Card::default()
        .field("mini app", Cell::of(&version.mini_app))
        .field("version", Cell::strong(&version.version))
        .field("state", state(version.state.as_str()))
        .maybe("forced", version.forced.then_some("yes"))
        .field("sha256", Cell::of(&version.sha256))
        .field("size", format!("{} in {} files", bytes(version.size), version.files))
        .field("pages", Cell::of(version.manifest.page_count))
        .field("uploaded", paint.when(version.created_at))
        .field("by", paint.who(&version.uploaded_by))
        .maybe("online since", version.online_at.map(|at| paint.when(at)))
        .render(paint)
}

/// A version with its newest audit.
pub(crate) fn version_detail(detail: VersionDetail, paint: &Paint) -> String {
    let card = version(&detail.version, paint);
    match &detail.audit {
        Some(one) => format!("{card}\n\n{}", audit(one, paint)),
        None => card,
    }
}

/// An audit with its decisions and the outcomes of its policies.
pub fn audit(audit: &Audit, paint: &Paint) -> String {
    let mut parts = vec![audit_card(audit, paint)];
    if !audit.items.is_empty() {
        let mut table = Table::new(["HOST APP", "DECISION", "BY", "WHEN", "NOTE"]);
        let undecided = if audit.closed_at.is_some() { "not asked" } else { "waits" };
        audit.items.iter().for_each(|item| table.row(item_row(item, undecided, paint)));
        parts.push(table.render(paint));
    }
    if !audit.evaluations.is_empty() {
        parts.push(evaluations(&audit.evaluations, paint));
    }
    parts.join("\n\n")
}

/// The command that follows an audit in this state: a decision, the publication, or a look at the findings.
pub(crate) fn after_audit(audit: Audit) -> Option<String> {
    let Audit { mini_app: app, version, state, items, .. } = audit;
    match state {
        AuditState::Checking => Some(format!("berth version findings {app} {version}")),
        AuditState::Deciding => {
            let waits = items.into_iter().find(|item| item.decision.is_none())?;
            let host_app = waits.host_app;
            let command = format!("berth version decide {app} {version} --host-app {host_app} --approve");
            Some(format!("{command}   # by an auditor of {host_app}"))
        }
        AuditState::Approved => Some(format!("berth version publish {app} {version}   # by the team")),
        AuditState::Rejected | AuditState::Withdrawn => None,
    }
}

fn item_row(item: &AuditItem, undecided: &str, paint: &Paint) -> [Cell; 5] {
    [
        Cell::of(&item.host_app),
        item.decision.map(Decision::as_str).map_or_else(|| undecided.into(), state),
        paint.who_any(item.decided_by.as_ref()),
        paint.when_any(item.decided_at),
        Cell::any(said(&item.note)),
    ]
}

fn audit_card(audit: &Audit, paint: &Paint) -> String {
    Card::default()
        .field("audit", Cell::strong(&audit.id))
        .field("mini app", Cell::of(&audit.mini_app))
        .field("version", Cell::of(&audit.version))
        .field("state", state(audit.state.as_str()))
        .maybe("reason", said(&audit.reason))
        .maybe("failed open", (!audit.failed_open.is_empty()).then(|| audit.failed_open.join(", ")))
        .field("opened", paint.when(audit.created_at))
        .maybe("closed", audit.closed_at.map(|at| paint.when(at)))
        .render(paint)
}

/// The table of the policies and their outcomes.
pub fn evaluations(evaluations: &[Evaluation], paint: &Paint) -> String {
    let mut table = Table::new(["POLICY", "VERSION", "MODE", "OUTCOME", "FINDINGS", "DETAIL"]);
    for one in evaluations {
        table.row([
            Cell::of(&one.policy),
            Cell::of(&one.policy_version),
            Cell::of(one.mode),
            state(one.outcome.as_str()),
            Cell::of(one.findings.len()),
            Cell::any(said(&one.detail)),
        ]);
    }
    table.render(paint)
}

/// An overview. `mini_app` renders the MiniApp itself.
pub fn overview(overview: &Overview, mini_app: &impl Fn(MiniApp, &Paint) -> String, paint: &Paint) -> String {
    let mut table = Table::new(["VERSION", "STATE", "WHAT"]);
    let mut row = |version: &dyn ToString, word: &str, what: String| {
        table.row([Cell::strong(version.to_string()), state(word), Cell::from(what)]);
    };
    if let Some(online) = &overview.online {
        row(&online.version, "online", online.online_at.map_or(String::new(), |at| format!("since {at}")));
    }
    for task in &overview.gray_tasks {
        row(&task.version, task.state.as_str(), format!("gray task {} {}", task.id, task.name));
    }
    for audit in &overview.auditing {
        row(&audit.version, audit.state.as_str(), format!("audit {}", audit.id));
    }
    for version in &overview.rejected {
        let command = format!("why: berth version show {} {}", overview.mini_app.id, version.version);
        row(&version.version, version.state.as_str(), command);
    }
    for version in overview.approved.iter().chain(&overview.development) {
        row(&version.version, version.state.as_str(), bytes(version.size));
    }
    if let Some(trial) = &overview.trial {
        let accounts = text::count(trial.accounts.len() as u64, "account", "accounts");
        row(&trial.version, "trial", format!("{} for {accounts}", trial.entry_path));
    }
    let card = mini_app(overview.mini_app.clone(), paint);
    format!("{card}\n\n{}", table.render(paint))
}

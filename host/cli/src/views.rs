//! Audits, releases and overviews, as far as they are printed.

use serde::Deserialize;

use super::{
    paint::{Paint, bytes, state},
    table::{Card, Cell, Table},
};
use berth_base::{clock::Millis, text};
use berth_model::{mini_app::MiniApp, version::Version};

/// An audit of a version.
#[derive(Clone, Debug, Deserialize)]
pub struct Audit {
    pub id: String,
    #[serde(default)]
    pub mini_app: Option<String>,
    #[serde(default)]
    pub version: Option<String>,
    /// `checking`, `deciding`, `approved`, `rejected` or `withdrawn`.
    pub state: String,
    /// Why it ended as it did.
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub created_at: Option<Millis>,
    #[serde(default)]
    pub closed_at: Option<Millis>,
    /// The policies that gave no verdict and fail open.
    #[serde(default)]
    pub failed_open: Vec<String>,
    /// One item for each bound host app.
    #[serde(default)]
    pub items: Vec<AuditItem>,
    /// One evaluation for each policy that judged.
    #[serde(default)]
    pub evaluations: Vec<Evaluation>,
}

/// The part of an audit that one host app decides.
#[derive(Clone, Debug, Deserialize)]
pub struct AuditItem {
    pub host_app: String,
    /// `approved` or `rejected`; `None` while it is not decided.
    #[serde(default)]
    pub decision: Option<String>,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default)]
    pub decided_by: Option<String>,
    #[serde(default)]
    pub decided_at: Option<Millis>,
}

/// The evaluation of a version by one policy.
#[derive(Clone, Debug, Deserialize)]
pub struct Evaluation {
    pub policy: String,
    #[serde(default)]
    pub policy_version: Option<String>,
    /// `enforce` or `shadow`.
    #[serde(default)]
    pub mode: Option<String>,
    /// `verdict`, `failed`, `trapped` or `limited`.
    pub outcome: String,
    /// Why there is no verdict.
    #[serde(default)]
    pub detail: Option<String>,
    #[serde(default)]
    pub findings: Vec<super::findings::Finding>,
}

/// A MiniApp with all of its versions (V3).
#[derive(Deserialize)]
pub struct Overview {
    mini_app: MiniApp,
    #[serde(default)]
    online: Option<Version>,
    #[serde(default)]
    trial: Option<Trial>,
    #[serde(default)]
    auditing: Vec<Audit>,
    #[serde(default)]
    approved: Vec<Version>,
    #[serde(default)]
    development: Vec<Version>,
    #[serde(default)]
    gray_tasks: Vec<super::gray_view::Task>,
}

impl Overview {
    /// The online version.
    pub fn online(&self) -> Option<&Version> {
        self.online.as_ref()
    }
}

/// A trial version (V10).
#[derive(Clone, Debug, Deserialize)]
pub struct Trial {
    pub version: String,
    /// The page with which it opens.
    pub entry_path: String,
    #[serde(default)]
    pub accounts: Vec<String>,
}

/// An entry of the release history.
#[derive(Clone, Debug, Deserialize)]
pub struct Release {
    pub version: String,
    /// `publish` or `rollback`.
    #[serde(default, alias = "action")]
    pub kind: Option<String>,
    /// Whether older packages must not run.
    #[serde(default)]
    pub forced: bool,
    #[serde(default)]
    pub note: Option<String>,
    #[serde(default, alias = "actor", alias = "released_by")]
    pub by: Option<String>,
    #[serde(default, alias = "created_at", alias = "released_at")]
    pub at: Option<Millis>,
}

/// The card of a trial.
pub fn trial(trial: Trial, paint: &Paint) -> String {
    Card::default()
        .field("version", Cell::strong(trial.version))
        .field("entry path", trial.entry_path)
        .field("accounts", trial.accounts.join(", "))
        .render(paint)
}

/// The card of a release.
pub fn release(release: Release, paint: &Paint) -> String {
    Card::default()
        .field("online", Cell::strong(&release.version))
        .maybe("by", release.kind.as_deref())
        .maybe("forced", release.forced.then_some("yes"))
        .maybe("note", release.note.as_deref().filter(|note| !note.is_empty()))
        .maybe("at", release.at.map(|at| paint.when(at)))
        .render(paint)
}

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
        .maybe("by", Some(version.uploaded_by.as_str()))
        .maybe("online since", version.online_at.map(|at| paint.when(at)))
        .render(paint)
}

/// An audit with its decisions and the outcomes of its policies.
pub fn audit(audit: &Audit, paint: &Paint) -> String {
    let mut parts = vec![audit_card(audit, paint)];
    if !audit.items.is_empty() {
        let mut table = Table::new(["HOST APP", "DECISION", "BY", "WHEN", "NOTE"]);
        let undecided = if audit.closed_at.is_some() { "not asked" } else { "waits" };
        for item in &audit.items {
            let decision = item.decision.as_deref().map_or_else(|| undecided.into(), state);
            let by = Cell::any(item.decided_by.as_ref());
            table.row([
                Cell::of(&item.host_app),
                decision,
                by,
                paint.when_any(item.decided_at),
                Cell::any(item.note.as_ref()),
            ]);
        }
        parts.push(table.render(paint));
    }
    if !audit.evaluations.is_empty() {
        parts.push(evaluations(&audit.evaluations, paint));
    }
    parts.join("\n\n")
}

fn audit_card(audit: &Audit, paint: &Paint) -> String {
    Card::default()
        .field("audit", Cell::strong(&audit.id))
        .maybe("mini app", audit.mini_app.as_deref())
        .maybe("version", audit.version.as_deref())
        .field("state", state(&audit.state))
        .maybe("reason", audit.reason.as_deref())
        .maybe("failed open", (!audit.failed_open.is_empty()).then(|| audit.failed_open.join(", ")))
        .maybe("opened", audit.created_at.map(|at| paint.when(at)))
        .maybe("closed", audit.closed_at.map(|at| paint.when(at)))
        .render(paint)
}

/// The findings of all policies, each with the name and the mode of its policy.
pub fn findings(evaluations: &[Evaluation]) -> Vec<super::findings::Finding> {
    let of = |one: &Evaluation, finding: &super::findings::Finding| super::findings::Finding {
        policy: Some(one.policy.clone()),
        mode: one.mode.clone(),
        ..finding.clone()
    };
    evaluations.iter().flat_map(|one| one.findings.iter().map(move |finding| of(one, finding))).collect()
}

/// The table of the policies and their outcomes.
pub fn evaluations(evaluations: &[Evaluation], paint: &Paint) -> String {
    let mut table = Table::new(["POLICY", "VERSION", "MODE", "OUTCOME", "FINDINGS", "DETAIL"]);
    for one in evaluations {
        table.row([
            Cell::of(&one.policy),
            Cell::any(one.policy_version.as_ref()),
            Cell::any(one.mode.as_ref()),
            state(&one.outcome),
            Cell::of(one.findings.len()),
            Cell::any(one.detail.as_ref()),
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
        row(&task.version, &task.state, format!("gray task {} {}", task.id, task.name));
    }
    for audit in &overview.auditing {
        row(&audit.version.as_deref().unwrap_or("-"), &audit.state, format!("audit {}", audit.id));
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

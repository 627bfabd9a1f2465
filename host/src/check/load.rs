//! Reading what the index holds. All of it comes from one snapshot of the database.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;
use sqlx::types::Json;

use super::{
    index::{AppEntry, HostAppEntry, Release, TrialEntry},
    judge::BindingSpec,
};
use crate::{
    error::Result,
    ids::{CohortId, Digest, GrayTaskId, HostAppId, MiniAppId, PolicyBindingId, TeamId},
    rollout::TaskRow,
    store::{Tx, fetch},
    version::VersionNumber,
};

/// Ids from one to another, both included: one id, or all. A range uses the indexes where "this one or all" would not.
pub(super) struct Span {
    from: String,
    to: String,
}

impl Span {
    /// All ids: a slug has at most 63 characters, none of which sorts behind z.
    pub fn all() -> Self {
        Self { from: String::new(), to: "z".repeat(64) }
    }

    /// One id.
    pub fn one(id: &impl ToString) -> Self {
        Self { from: id.to_string(), to: id.to_string() }
    }
}

/// A MiniApp as read; its tasks have no judges yet.
pub(super) struct AppRows {
    pub entry: AppEntry,
    pub tasks: Vec<TaskRows>,
}

/// A task as read.
pub(super) struct TaskRows {
    pub row: TaskRow,
    pub bindings: Vec<BindingSpec>,
    pub cohorts: Vec<(CohortId, Digest)>,
}

#[derive(sqlx::FromRow)]
struct MiniAppRow {
    id: MiniAppId,
    team_id: TeamId,
    on_shelf: bool,
    shelf_note: String,
    min_version: Option<String>,
}

#[derive(sqlx::FromRow)]
struct OnlineRow {
    mini_app_id: MiniAppId,
    #[sqlx(try_from = "String")]
    number: VersionNumber,
    sha256: Digest,
    size: i64,
}

#[derive(sqlx::FromRow)]
struct TrialRow {
    #[sqlx(flatten)]
    version: OnlineRow,
    entry_path: String,
    accounts: Json<HashSet<String>>,
}

#[derive(sqlx::FromRow)]
struct BindingRow {
    id: PolicyBindingId,
    digest: Digest,
    config: Json<Value>,
    mode: String,
    on_error: String,
    limits: Json<Value>,
    name: String,
}

impl From<BindingRow> for BindingSpec {
    fn from(row: BindingRow) -> Self {
        Self {
            id: row.id,
            digest: row.digest,
            policy: row.name,
            config: row.config.0,
            enforce: row.mode != "shadow",
            open_on_error: row.on_error == "open",
            limits: row.limits.0,
        }
    }
}

impl From<OnlineRow> for Release {
    fn from(row: OnlineRow) -> Self {
        Self { version: row.number, sha256: row.sha256, size: row.size as u64 }
    }
}

impl MiniAppRow {
    fn entry(self) -> Result<AppEntry> {
        Ok(AppEntry {
            id: self.id,
            team: self.team_id,
            on_shelf: self.on_shelf,
            shelf_note: self.shelf_note,
            min_version: self.min_version.map(|text| text.parse()).transpose()?,
            online: None,
            forced: Vec::new(),
            trial: None,
            host_apps: BTreeSet::new(),
            gray: Vec::new(),
        })
    }
}

impl Tx {
    /// The host apps of the span.
    pub(super) async fn index_host_apps(&mut self, span: &Span) -> Result<Vec<HostAppEntry>> {
        let rows = fetch!(
            self,
            fetch_all,
            (HostAppId, String),
            "SELECT id, public_key FROM host_app WHERE id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        Ok(rows.into_iter().map(|(id, public_key)| HostAppEntry { id, public_key }).collect())
    }

    /// The MiniApps of the span with their tasks.
    pub(super) async fn index_mini_apps(&mut self, span: &Span) -> Result<Vec<AppRows>> {
        let rows = fetch!(
            self,
            fetch_all,
            MiniAppRow,
            "SELECT id, team_id, on_shelf, shelf_note, min_version FROM mini_app WHERE id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        let mut apps = HashMap::new();
        for row in rows {
            apps.insert(row.id.clone(), AppRows { entry: row.entry()?, tasks: Vec::new() });
        }
        self.read_bindings(span, &mut apps).await?;
        self.read_versions(span, &mut apps).await?;
        self.read_trials(span, &mut apps).await?;
        self.read_tasks(span, &mut apps).await?;
        Ok(apps.into_values().collect())
    }

    async fn read_bindings(&mut self, span: &Span, apps: &mut HashMap<MiniAppId, AppRows>) -> Result<()> {
        let rows = fetch!(
            self,
            fetch_all,
            (MiniAppId, HostAppId),
            "SELECT mini_app_id, host_app_id FROM binding WHERE mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        for (mini_app, host_app) in rows {
            if let Some(app) = apps.get_mut(&mini_app) {
                app.entry.host_apps.insert(host_app);
            }
        }
        Ok(())
    }

    async fn read_versions(&mut self, span: &Span, apps: &mut HashMap<MiniAppId, AppRows>) -> Result<()> {
        let online = fetch!(
            self,
            fetch_all,
            OnlineRow,
            "SELECT mini_app_id, number, sha256, size FROM version
             WHERE state = 'online' AND mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        for row in online {
            if let Some(app) = apps.get_mut(&row.mini_app_id) {
                app.entry.online = Some(row.into());
            }
        }
        let forced = fetch!(
            self,
            fetch_all,
            (MiniAppId, String),
            "SELECT r.mini_app_id, v.number FROM release_record r JOIN version v ON v.id = r.version_id
             WHERE r.forced AND r.mini_app_id BETWEEN $1 AND $2 ORDER BY v.major, v.minor, v.patch",
            &span.from,
            &span.to
        )?;
        for (mini_app, number) in forced {
            if let Some(app) = apps.get_mut(&mini_app) {
                app.entry.forced.push(number.parse()?);
            }
        }
        Ok(())
    }

    async fn read_trials(&mut self, span: &Span, apps: &mut HashMap<MiniAppId, AppRows>) -> Result<()> {
        let rows = fetch!(
            self,
            fetch_all,
            TrialRow,
            "SELECT t.mini_app_id, v.number, v.sha256, v.size, t.entry_path, t.accounts
             FROM trial t JOIN version v ON v.id = t.version_id
             WHERE v.state <> 'deleted' AND t.mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        for row in rows {
            if let Some(app) = apps.get_mut(&row.version.mini_app_id) {
                let (entry_path, accounts) = (row.entry_path, row.accounts.0);
                app.entry.trial = Some(TrialEntry { release: row.version.into(), entry_path, accounts });
            }
        }
        Ok(())
    }

    async fn read_tasks(&mut self, span: &Span, apps: &mut HashMap<MiniAppId, AppRows>) -> Result<()> {
        let rows = self.live_gray_tasks(&span.from, &span.to).await?;
        for row in rows {
            let bindings = self.bindings_of_task(&row.id).await?;
            let cohorts = self.named_cohorts(&row.mini_app_id, &bindings).await?;
            if let Some(app) = apps.get_mut(&row.mini_app_id) {
                app.tasks.push(TaskRows { row, bindings, cohorts });
            }
        }
        Ok(())
    }

    /// The policies of a task, in their order.
    pub(crate) async fn bindings_of_task(&mut self, task: &GrayTaskId) -> Result<Vec<BindingSpec>> {
        let rows = fetch!(
            self,
            fetch_all,
            BindingRow,
            "SELECT b.id, b.digest, b.config, b.mode, b.on_error, b.limits, p.name
             FROM policy_binding b JOIN policy p ON p.digest = b.digest
             WHERE b.scope_kind = 'gray_task' AND b.scope_id = $1 ORDER BY b.position, b.id",
            task
        )?;
        Ok(rows.into_iter().map(BindingSpec::from).collect())
    }

    /// The lists of the MiniApp that the configs name, wherever in them.
    async fn named_cohorts(
        &mut self,
        mini_app: &MiniAppId,
        bindings: &[BindingSpec],
    ) -> Result<Vec<(CohortId, Digest)>> {
        let mut names = BTreeSet::new();
        bindings.iter().for_each(|binding| collect_cohorts(&binding.config, &mut names));
        let mut found = Vec::new();
        for name in names {
            let cohort = self.cohort_digest(mini_app, &name).await?;
            found.extend(cohort.map(|digest| (name, digest)));
        }
        Ok(found)
    }
}

fn collect_cohorts(config: &Value, names: &mut BTreeSet<CohortId>) {
    match config {
        Value::String(text) => names.extend(text.parse::<CohortId>()),
        Value::Array(items) => items.iter().for_each(|item| collect_cohorts(item, names)),
        Value::Object(members) => members.values().for_each(|item| collect_cohorts(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

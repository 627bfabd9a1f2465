//! Reads what the index holds. Everything that one transaction reads comes from one snapshot of the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use berth_base::{
    error::Result,
    ids::{CohortId, Digest, MerchantId, MiniAppId},
};
use berth_check::{
    Recording,
    index::{AppEntry, HostAppEntry, Release, TrialEntry},
    judge::JudgeSpec,
};
use berth_model::{
    Finished,
    endpoint::runtime::Endpoint,
    policy::{
        PolicyKind,
        registry::{Mode, OnError, ScopeKind},
    },
    privacy::PrivacyRuntime,
    rollout::{TaskPolicy, each_text},
    settings::{AppSettings, Domains, InForce},
};
use berth_store::{IndexedApp, IndexedVersion, Span, Tx, gray_task::TaskRow};

use super::record;
use crate::rollout::why_guard_suspended;

/// A MiniApp as read from the database. Its tasks are not in `entry` yet, because their policies are not ready to
/// judge.
pub(super) struct AppRows {
    pub entry: AppEntry,
    pub tasks: Vec<TaskRows>,
    pub record: Option<RecordRows>,
}

/// The record of the devices that ask for a MiniApp, with the lists that it names.
pub(super) struct RecordRows {
    pub recording: Recording,
    pub cohorts: Vec<(CohortId, Digest)>,
}

/// A gray task as read from the database, with its policy bindings and the lists that they name.
pub(super) struct TaskRows {
    pub row: TaskRow,
    pub bindings: Vec<JudgeSpec>,
    pub cohorts: Vec<(CohortId, Digest)>,
    /// Whether a guard watches it.
    pub guarded: bool,
    /// The words of the guard that has suspended it.
    pub suspended_by_guard: Option<String>,
}

/// The binding as checks know it.
fn spec(policy: TaskPolicy) -> JudgeSpec {
    JudgeSpec {
        id: policy.binding,
        digest: policy.digest,
        policy: policy.policy,
        name: policy.name,
        config: policy.config,
        enforce: policy.mode != Mode::Shadow,
        open_on_error: policy.on_error == OnError::Open,
        limits: policy.limits,
    }
}

/// The version as checks know it.
fn release(row: IndexedVersion) -> Release {
    Release { version: row.number, sha256: row.sha256, size: row.size }
}

/// The MiniApp as checks know it, without what other rows say of it.
fn entry(row: IndexedApp, settings: AppSettings) -> AppEntry {
    AppEntry {
        id: row.id,
        team: row.team_id,
        on_shelf: row.on_shelf,
        shelf_note: row.shelf_note,
        min_version: row.min_version,
        online: None,
        forced: Vec::new(),
        trial: None,
        host_apps: BTreeSet::new(),
        settings,
        privacy: None,
        gray: Vec::new(),
        recording: None,
    }
}

/// The host apps in the span.
pub(super) async fn host_apps(tx: &mut Tx, span: &Span) -> Result<Vec<HostAppEntry>> {
    let mut sensitive: HashMap<_, _> = tx.sensitive_apis_in(span).await?.into_iter().collect();
    let mut former: HashMap<_, Vec<_>> = HashMap::new();
    for (id, key, ends_at) in tx.former_keys_in(span, tx.now()).await? {
        former.entry(id).or_default().push((key, ends_at));
    }
    let mut host_apps = Vec::new();
    for (id, public_key) in tx.host_apps_in(span).await? {
        let former_keys = former.remove(&id).unwrap_or_default();
        let apis: Vec<_> = sensitive.remove(&id).into_iter().flatten().map(|one| one.api).collect();
        let sensitive_apis = if apis.is_empty() { None } else { Some(Finished::of(apis)?) };
        host_apps.push(HostAppEntry { id, public_key, former_keys, sensitive_apis });
    }
    Ok(host_apps)
}

/// The MiniApps that are channels of one merchant's endpoint applications.
pub(super) type Channels = (MerchantId, Vec<(MiniAppId, Endpoint)>);

/// The channels of one merchant; empty when it has none.
pub(super) async fn channels_of(tx: &mut Tx, merchant: MerchantId) -> Result<Channels> {
    // What the merchant has is read only if it has channels; which others have any does not matter.
    let mut found = channels_in(tx, &Span::one(&merchant), true).await?;
    // Nothing found is news as well: what was known of the merchant goes.
    Ok(found.pop().unwrap_or((merchant, Vec::new())))
}

/// The channels of those merchants in the span that have any.
pub(super) async fn channels(tx: &mut Tx, span: &Span) -> Result<Vec<Channels>> {
    channels_in(tx, span, false).await
}

/// The same. With `all` it is not looked which merchants have any before what they have is read.
async fn channels_in(tx: &mut Tx, span: &Span, all: bool) -> Result<Vec<Channels>> {
    let rows = tx.mini_app_channels_in(span).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let holdings = tx.holdings_in(span, all).await?;
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for (merchant, mini_app, cid) in rows {
        if let Some(holdings) = holdings.get(&merchant) {
            let endpoint = holdings.endpoint(&merchant, &cid)?;
            found.entry(merchant).or_default().push((mini_app, endpoint));
        }
    }
    Ok(found.into_iter().collect())
}

/// The MiniApps in the span, with their gray tasks.
pub(super) async fn mini_apps(tx: &mut Tx, span: &Span) -> Result<Vec<AppRows>> {
    let mut apps = Apps::new();
    let mut settings = settings(tx, span).await?;
    for row in tx.mini_apps_in(span).await? {
        let (domains, permits) = settings.remove(&row.id).unwrap_or_default();
        let settings = AppSettings::of(&domains, &permits)?;
        apps.insert(row.id.clone(), AppRows { entry: entry(row, settings), tasks: Vec::new(), record: None });
    }
    add_versions(tx, span, &mut apps).await?;
    add_privacy(tx, span, &mut apps).await?;
    for (mini_app, host_app) in tx.bindings_in(span).await? {
        if let Some(app) = apps.get_mut(&mini_app) {
            app.entry.host_apps.insert(host_app);
        }
    }
    for row in tx.trials_in(span).await? {
        if let Some(app) = apps.get_mut(&row.version.mini_app_id) {
            let (entry_path, accounts) = (row.entry_path, row.accounts.0);
            app.entry.trial = Some(TrialEntry { release: release(row.version), entry_path, accounts });
        }
    }
    add_tasks(tx, span, &mut apps).await?;
    add_records(tx, span, &mut apps).await?;
    Ok(apps.into_values().collect())
}

type Apps = HashMap<MiniAppId, AppRows>;

/// The domains and the permits of the MiniApps in the span that have any.
async fn settings(tx: &mut Tx, span: &Span) -> Result<HashMap<MiniAppId, (Domains, Vec<InForce>)>> {
    let mut settings = HashMap::<_, (Domains, Vec<InForce>)>::new();
    for (mini_app, domains) in tx.domains_in(span).await? {
        settings.entry(mini_app).or_default().0 = domains;
    }
    for (mini_app, permit) in tx.permits_in_force_in(span).await? {
        settings.entry(mini_app).or_default().1.push(permit);
    }
    Ok(settings)
}

async fn add_versions(tx: &mut Tx, span: &Span, apps: &mut Apps) -> Result<()> {
    for row in tx.online_in(span).await? {
        if let Some(app) = apps.get_mut(&row.mini_app_id) {
            app.entry.online = Some(release(row));
        }
    }
    for release in tx.forced_in(span).await? {
        if let Some(app) = apps.get_mut(&release.mini_app) {
            app.entry.forced.push(release.version);
        }
    }
    Ok(())
}

async fn add_privacy(tx: &mut Tx, span: &Span, apps: &mut Apps) -> Result<()> {
    for (mini_app, head) in tx.privacy_in(span).await? {
        if let Some(app) = apps.get_mut(&mini_app) {
            app.entry.privacy = Some(Finished::<PrivacyRuntime>::of(head.runtime(&mini_app))?);
        }
    }
    Ok(())
}

async fn add_tasks(tx: &mut Tx, span: &Span, apps: &mut Apps) -> Result<()> {
    for row in tx.live_gray_tasks_in(span).await? {
        let (guards, bindings) = bindings(tx, &row).await?;
        let suspended_by_guard = why_guard_suspended(tx, &row).await?;
        let cohorts = named_cohorts(tx, &row.mini_app_id, &bindings).await?;
        if let Some(app) = apps.get_mut(&row.mini_app_id) {
            app.tasks.push(TaskRows { row, bindings, cohorts, guarded: guards > 0, suspended_by_guard });
        }
    }
    Ok(())
}

async fn add_records(tx: &mut Tx, span: &Span, apps: &mut Apps) -> Result<()> {
    let now = tx.now();
    for row in tx.recordings_in(span, now).await? {
        let mini_app = row.mini_app_id.clone();
        let cohorts = cohorts(tx, &mini_app, row.lists.0.clone()).await?;
        let recording = record::recording(tx, row).await?;
        if let (Some(app), Some(recording)) = (apps.get_mut(&mini_app), recording) {
            app.record = Some(RecordRows { recording, cohorts });
        }
    }
    Ok(())
}

/// How many guards a task has, and the bindings of the policies that judge devices, in their order.
async fn bindings(tx: &mut Tx, task: &TaskRow) -> Result<(usize, Vec<JudgeSpec>)> {
    let policies = task.policies(tx.policy_bindings(ScopeKind::GrayTask, task.id.as_str()).await?);
    let (guards, judges): (Vec<_>, Vec<_>) = policies.into_iter().partition(|one| one.kind == PolicyKind::Guard);
    Ok((guards.len(), judges.into_iter().map(spec).collect()))
}

/// The lists of the MiniApp whose ids occur anywhere in the configs of the bindings, with their digests.
async fn named_cohorts(tx: &mut Tx, mini_app: &MiniAppId, bindings: &[JudgeSpec]) -> Result<Vec<(CohortId, Digest)>> {
    let mut names = BTreeSet::new();
    for binding in bindings {
        each_text(&binding.config, &mut |text| names.extend(text.parse::<CohortId>()));
    }
    cohorts(tx, mini_app, names).await
}

/// Those of the lists that the MiniApp has, with their digests.
async fn cohorts(
    tx: &mut Tx,
    mini_app: &MiniAppId,
    names: impl IntoIterator<Item = CohortId>,
) -> Result<Vec<(CohortId, Digest)>> {
    let mut found = Vec::new();
    for name in names {
        let cohort = tx.cohort_digest(mini_app, &name).await?;
        found.extend(cohort.map(|digest| (name, digest)));
    }
    Ok(found)
}

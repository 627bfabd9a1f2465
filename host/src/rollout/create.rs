//! Creating a task (rules G1–G4, G12).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;

use super::{Conditions, GrayTask, HostAppRange, ObjectList, PlatformRange, conditions};
use crate::{
    access::{Action, Caller},
    app::App,
    clock::Millis,
    error::{Code, Error, Result},
    event,
    ids::{Digest, GrayTaskId, MiniAppId, PolicyBindingId},
    mini_app::{self, MiniApp},
    store::{Tx, execute, fetch},
    text,
    version::{State as VersionState, VersionNumber, VersionRow},
};

/// Policies that one task takes.
const MAX_POLICIES: usize = 16;

/// A task to create. A field that Berth does not know is refused: a misspelt condition would restrict nobody.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrayTask {
    /// 1 to 20 characters (G2).
    pub name: String,
    /// Approved, never online, above the online version (G1).
    pub version: VersionNumber,
    /// From here on it delivers.
    pub start: Millis,
    /// From here on it is over; not before now, not before `start` (G3).
    pub end: Millis,
    /// Devices that it admits at the most (G7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// Any of these host apps (G4); an empty condition never restricts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_apps: Vec<HostAppRange>,
    /// Any of these platforms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformRange>,
    /// Any of these networks: `wifi`, `5g` …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// In any of these lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectList>,
    /// Further policies, all of which must admit (G12).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<NewTaskPolicy>,
}

/// A policy for a task.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTaskPolicy {
    /// Its name, which means the newest installed, or its digest.
    pub policy: String,
    /// Its config, as its schema wants it.
    #[serde(default = "no_config")]
    pub config: Value,
    /// Whether it decides.
    #[serde(default)]
    pub mode: Mode,
    /// What happens when it cannot judge.
    #[serde(default)]
    pub on_error: OnError,
}

/// Whether a policy decides.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It is only asked and recorded.
    Shadow,
}

/// What happens when a policy cannot judge.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The device is not admitted.
    #[default]
    Closed,
    /// The policy counts as admitting.
    Open,
}

fn no_config() -> Value {
    Value::Object(serde_json::Map::new())
}

impl NewGrayTask {
    fn conditions(&self) -> Conditions {
        let Self { host_apps, platforms, networks, objects, .. } = self.clone();
        Conditions { host_apps, platforms, networks, objects }
    }
}

/// A binding before it is written.
struct Prepared {
    digest: Digest,
    config: Value,
    mode: Mode,
    on_error: OnError,
}

/// Creates a task.
///
/// # Errors
/// `gray-first-release`, `version-state`, `version-order` (G1), `invalid-field` (G2, G4), `gray-period` (G3),
/// `mini-app-off-shelf` (A2), `policy-config` and `policy-kind` (G12).
pub async fn create(app: &App, caller: &Caller, id: &MiniAppId, new: NewGrayTask) -> Result<GrayTask> {
    let now = app.clock.now();
    let name = text::name("name", &new.name, 20)?;
    check_period(now, &new)?;
    check_cap(new.max_users)?;
    let conditions = new.conditions();
    conditions.check()?;
    let policies = prepare_bindings(app, caller, id, &conditions, &new.policies).await?;
    let mut tx = app.db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    let version = releasable(&mut tx, &mini_app, &new.version).await?;
    check_references(&mut tx, id, &conditions).await?;
    let task = GrayTaskId::generate(now, &*app.random);
    let actor = caller.account.as_str();
    execute!(
        tx,
        "INSERT INTO gray_task (id, mini_app_id, version_id, name, state, honoured, start_at, end_at, max_users,
                                admitted, conditions, created_by, created_at)
         VALUES ($1, $2, $3, $4, 'pending', FALSE, $5, $6, $7, 0, $8, $9, $10)",
        &task,
        id,
        &version.id,
        &name,
        new.start,
        new.end,
        new.max_users.map(|max| max as i64),
        Json(&conditions),
        actor,
        now
    )?;
    for (position, policy) in policies.iter().enumerate() {
        tx.bind_to_task(app, actor, &task, position as i64, policy).await?;
    }
    let mut row = tx.hold_gray_task(&task).await?;
    let created = tx.gray_task_view(row.clone(), now).await?;
    tx.emit(event::new(app, "gray_task.created", &task, actor, &created).for_mini_app(id));
    tx.catch_up_gray_task(app, &mut row).await?;
    let view = tx.gray_task_view(row, now).await?;
    tx.commit().await?;
    Ok(view)
}

fn check_period(now: Millis, new: &NewGrayTask) -> Result<()> {
    let wrong = |detail: String| Err(Error::new(Code::GrayPeriod, detail).with("now", now));
    if new.end < new.start {
        return wrong(format!("The end {} lies before the start {}.", new.end, new.start));
    }
    if new.end < now {
        return wrong(format!("The end {} is over already; it is {now} now.", new.end));
    }
    Ok(())
}

fn check_cap(max_users: Option<u64>) -> Result<()> {
    match max_users {
        Some(max) if max == 0 || max > i64::MAX as u64 => {
            Err(Error::field("max_users", "must be at least 1; leave it out for no bound."))
        }
        _ => Ok(()),
    }
}

/// The version, when it may be released in grayscale now (G1, A2).
async fn releasable(tx: &mut Tx, mini_app: &MiniApp, number: &VersionNumber) -> Result<VersionRow> {
    if !mini_app.on_shelf {
        return Err(Error::new(Code::MiniAppOffShelf, "The MiniApp is off the shelf. Put it back first."));
    }
    let version = tx.require_version(&mini_app.id, number).await?;
    let Some(online) = tx.online_version(&mini_app.id).await? else {
        return Err(Error::new(
            Code::GrayFirstRelease,
            "Nothing is online yet, so that devices outside the grayscale would have nothing to run. Publish a first version.",
        ));
    };
    if version.online_at.is_some() {
        return Err(Error::new(
            Code::VersionState,
            format!("{number} was online already. Use rollback, or upload a new version."),
        )
        .with("state", version.state));
    }
    if version.state != VersionState::Approved {
        return Err(Error::new(
            Code::VersionState,
            format!("{number} is in state {}. Only an approved version can be released in grayscale.", version.state),
        )
        .with("state", version.state));
    }
    if version.number <= online.number {
        return Err(Error::new(
            Code::VersionOrder,
            format!("{number} is not above {}, which is online. Upload a greater version.", online.number),
        )
        .with("online", &online.number));
    }
    Ok(version)
}

/// What the conditions name must be there: host apps that run the MiniApp, lists of the MiniApp.
async fn check_references(tx: &mut Tx, mini_app: &MiniAppId, conditions: &Conditions) -> Result<()> {
    let bound = tx.bound_host_apps(mini_app).await?;
    if let Some(other) = conditions.host_apps.iter().find(|range| !bound.contains(&range.id)) {
        return Err(Error::field("host_apps", format!("{} does not run this MiniApp. Bind it first.", other.id)));
    }
    for cohort in conditions.objects.iter().filter_map(|list| list.cohort.as_ref()) {
        if tx.cohort_digest(mini_app, cohort).await?.is_none() {
            return Err(Error::field("objects", format!("the MiniApp has no list {cohort}. Upload it first.")));
        }
    }
    Ok(())
}

/// The policies of the task, resolved and their configs accepted. The one place where policies are wired in.
async fn prepare_bindings(
    app: &App,
    caller: &Caller,
    id: &MiniAppId,
    conditions: &Conditions,
    policies: &[NewTaskPolicy],
) -> Result<Vec<Prepared>> {
    if policies.len() > MAX_POLICIES {
        return Err(Error::field("policies", format!("at most {MAX_POLICIES}, these are {}.", policies.len())));
    }
    let standard = (!conditions.is_empty()).then(|| NewTaskPolicy {
        policy: conditions::POLICY.into(),
        config: serde_json::to_value(conditions).unwrap_or_default(),
        mode: Mode::Enforce,
        on_error: OnError::Closed,
    });
    let mut prepared = Vec::new();
    for wanted in standard.iter().chain(policies) {
        let digest = {
            let mut tx = app.db.read().await?;
            mini_app::authorise(&mut tx, caller, id, Action::Release).await?;
            tx.grayscale_policy(&wanted.policy).await?
        };
        app.judges.accept(&digest, &wanted.config).await?;
        let (config, mode, on_error) = (wanted.config.clone(), wanted.mode, wanted.on_error);
        prepared.push(Prepared { digest, config, mode, on_error });
    }
    Ok(prepared)
}

impl Tx {
    /// The grayscale policy with this digest, or the newest installed one with this name.
    async fn grayscale_policy(&mut self, name_or_digest: &str) -> Result<Digest> {
        let row = fetch!(
            self,
            fetch_optional,
            (Digest, String),
            "SELECT digest, kind FROM policy WHERE name = $1 OR digest = $1 ORDER BY installed_at DESC, digest LIMIT 1",
            name_or_digest
        )?;
        let (digest, kind) = row.ok_or_else(|| Error::not_found("policy", name_or_digest))?;
        if kind != "grayscale" {
            let detail =
                format!("{name_or_digest} is a policy of kind {kind}; a task takes policies of kind grayscale.");
            return Err(Error::new(Code::PolicyKind, detail).with("kind", kind));
        }
        Ok(digest)
    }

    async fn bind_to_task(
        &mut self,
        app: &App,
        actor: &str,
        task: &GrayTaskId,
        position: i64,
        policy: &Prepared,
    ) -> Result<()> {
        let now = app.clock.now();
        let mode = if matches!(policy.mode, Mode::Shadow) { "shadow" } else { "enforce" };
        let on_error = if matches!(policy.on_error, OnError::Open) { "open" } else { "closed" };
        execute!(
            self,
            "INSERT INTO policy_binding (id, digest, scope_kind, scope_id, position, config, mode, on_error, limits,
                                         bound_by, bound_at)
             VALUES ($1, $2, 'gray_task', $3, $4, $5, $6, $7, $8, $9, $10)",
            PolicyBindingId::generate(now, &*app.random),
            &policy.digest,
            task,
            position,
            Json(&policy.config),
            mode,
            on_error,
            Json(no_config()),
            actor,
            now
        )?;
        Ok(())
    }
}

//! Creates gray tasks (G1–G4, G12, G13).

use berth_base::{
    error::{Code, Error, Result},
    ids::{GrayTaskId, HostAppId, MiniAppId},
    sql::Count,
    text,
    version::VersionNumber,
};
use berth_check::judge::Judges;
use berth_model::{
    access::{Action, Caller},
    binding::BindingState,
    event::kind,
    mini_app::MiniApp,
    policy::{
        LimitOverrides, PolicyKind,
        registry::{InstalledPolicy, Level, Mode, NewPolicyBinding, OnError, PolicyScope},
    },
    rollout::{
        self, Admits, Conditions, GrayTask, NewGrayTask, State,
        admits::{self, Member},
        conditions,
    },
    version::State as VersionState,
};
use berth_store::Json;
use berth_store::{Db, Tx, gray_task::TaskRow, version::VersionRow};

use crate::{mini_app, policy::registry, rollout::settle};

/// Policies that one task takes besides the standard conditions.
const MAX_POLICIES: usize = 16;

/// The kinds of policies that a task takes.
const JUDGES: [PolicyKind; 2] = [PolicyKind::Grayscale, PolicyKind::Guard];

/// How many tasks of one MiniApp may exist that have not ended.
const MOST_TASKS: i64 = 20;

/// Creates a gray task for a caller who may release versions of the MiniApp; it starts at once when `start` has come.
///
/// # Errors
/// `gray-first-release`, `version-state` and `version-order` for the version (G1), `gray-period` for the period (G3),
/// `gray-limit` when 20 tasks have not ended, `mini-app-off-shelf` (A2), `policy-config` and `policy-kind` for the
/// policies (G12), `invalid-field` for all else (G2, G4, G24), `not-found` and `missing-grant`.
#[tracing::instrument(name = "gray_task.create", skip_all, fields(mini_app = %id, version = %new.version))]
pub async fn create(
    db: &Db,
    judges: &dyn Judges,
    caller: &Caller,
    id: &MiniAppId,
    new: NewGrayTask,
) -> Result<GrayTask> {
    let now = db.now();
    let name = text::name("name", &new.name, 20)?;
    rollout::check_period(now, new.start, new.end)?;
    rollout::check_cap(new.max_users)?;
    let conditions = new.conditions();
    conditions.check()?;
    let policies = prepare_bindings(db, judges, caller, id, &conditions, &new.policies).await?;
    check_admits(new.admits.as_ref(), &policies, !conditions.is_empty())?;
    let mut tx = db.begin().await?;
    let mini_app = mini_app::authorise_change(&mut tx, caller, id, Action::Release).await?;
    settle(&mut tx, id).await?;
    may_have_one_more(&mut tx, id).await?;
    let version = releasable(&mut tx, &mini_app, &new.version).await?;
    check_references(&mut tx, id, &conditions, &Conditions::default()).await?;
    for (new, policy) in &policies {
        registry::lists::require(&mut tx, id, policy, &new.config).await?;
    }
    let actor = caller.account.as_str();
    let mut task = TaskRow {
        id: GrayTaskId::generate(now, db.random()),
        mini_app_id: id.clone(),
        version_id: version.id,
        version: version.number,
        sha256: version.sha256,
        size: version.size,
        name,
        state: State::Pending,
        honoured: false,
        start_at: new.start,
        end_at: new.end,
        max_users: new.max_users.map(Count),
        admitted: 0,
        conditions: Json(conditions),
        admits: new.admits.map(Json),
        created_by: actor.to_owned(),
        created_at: now,
    };
    tx.insert_gray_task(&task).await?;
    for (policy, row) in policies {
        registry::attach(&mut tx, actor, Level::Team, PolicyScope::gray_task(&task.id), policy, row).await?;
    }
    let created = tx.gray_task_view(task.clone(), now).await?;
    tx.tell(kind::GRAY_TASK_CREATED, &task.id, actor, &created).for_mini_app(id);
    tx.catch_up_gray_task(&mut task).await?;
    let view = tx.gray_task_view(task, now).await?;
    tx.commit().await?;
    Ok(view)
}

/// Refuses with `gray-limit` what would be one task too many: a check of the MiniApp may have to ask the policies of
/// all its tasks (F77).
async fn may_have_one_more(tx: &mut Tx, mini_app: &MiniAppId) -> Result<()> {
    if tx.unended_gray_tasks(mini_app).await? < MOST_TASKS {
        return Ok(());
    }
    let detail = format!("{MOST_TASKS} tasks of this MiniApp have not ended. End one of them first.");
    Err(Error::new(Code::GrayLimit, detail).with("limit", MOST_TASKS))
}

/// The version `number`, when it may be released in grayscale now (G1, A2).
async fn releasable(tx: &mut Tx, mini_app: &MiniApp, number: &VersionNumber) -> Result<VersionRow> {
    mini_app.shelf().require_for_release()?;
    let version = tx.require_version(&mini_app.id, number).await?;
    let Some(online) = tx.online_version(&mini_app.id).await? else {
        return Err(Error::new(
            Code::GrayFirstRelease,
            "Nothing is online yet, so that devices outside the grayscale would have nothing to run. Publish a first version.",
        ));
    };
    if version.online_at.is_some() {
        return Err(was_online(&mini_app.id, &version, &online.number));
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

/// The refusal of a version that was online: it goes to everyone again, or not at all (G1, V9).
fn was_online(mini_app: &MiniAppId, version: &VersionRow, online: &VersionNumber) -> Error {
    let number = &version.number;
    let refused = |detail: String| Error::new(Code::VersionState, detail).with("state", version.state);
    if number == online {
        return refused(format!("{number} is online: everyone gets it already."));
    }
    let command = if number > online {
        format!("berth version publish {mini_app} {number}")
    } else {
        format!("berth version rollback {mini_app} --to {number}")
    };
    refused(format!("{number} was online before, so it comes back for everyone or not at all: `{command}`."))
        .next(command)
}

/// Makes sure that what the conditions name exists: the host apps are bound to the MiniApp, the lists belong to it. What
/// the conditions `before` named as well is taken as it is.
pub(super) async fn check_references(
    tx: &mut Tx,
    mini_app: &MiniAppId,
    conditions: &Conditions,
    before: &Conditions,
) -> Result<()> {
    let bound = tx.bound_host_apps(mini_app).await?;
    let known = |id| bound.contains(id) || before.host_apps.iter().any(|range| range.id == *id);
    if let Some((at, other)) = conditions.host_apps.iter().enumerate().find(|(_, range)| !known(&range.id)) {
        return Err(not_bound(tx, mini_app, at, &other.id).await?);
    }
    let new = conditions.objects.iter().filter(|list| !before.objects.contains(list));
    for cohort in new.filter_map(|list| list.cohort.as_ref()) {
        if tx.cohort_digest(mini_app, cohort).await?.is_none() {
            return Err(Error::field("objects", format!("the MiniApp has no list {cohort}. Upload it first.")));
        }
    }
    Ok(())
}

/// The refusal of a host app that does not run the MiniApp: a task can wait for its start, but not for a host app. Whether
/// there is one of this name is not said, as the team may not know of it.
async fn not_bound(tx: &mut Tx, mini_app: &MiniAppId, at: usize, host_app: &HostAppId) -> Result<Error> {
    let command = format!("berth host-app bind {host_app} {mini_app}");
    let cure = match tx.binding(host_app, mini_app).await?.map(|binding| binding.state) {
        Some(BindingState::WaitsForHostApp) => "An admin of the host app has to agree to the binding first",
        Some(BindingState::WaitsForTeam) => "It asks for a binding; an admin of the team has to agree first",
        _ => "Bind it first, or make the task once it is bound",
    };
    let detail = format!("{host_app} does not run {mini_app}. {cure}: `{command}`.");
    Ok(Error::field(&format!("host_apps.{at}.id"), detail).next(command))
}

/// Looks up the policies of the task and has each accept its config. The standard conditions are added here as a policy
/// of their own, when they restrict at all.
async fn prepare_bindings(
    db: &Db,
    judges: &dyn Judges,
    caller: &Caller,
    id: &MiniAppId,
    conditions: &Conditions,
    policies: &[NewPolicyBinding],
) -> Result<Vec<(NewPolicyBinding, InstalledPolicy)>> {
    if policies.len() > MAX_POLICIES {
        return Err(Error::field("policies", format!("at most {MAX_POLICIES}, these are {}.", policies.len())));
    }
    let standard = (!conditions.is_empty()).then(|| standard(conditions));
    // Before anything is said of policies that the caller may not ask about.
    mini_app::authorise(&mut db.read().await?, caller, id, Action::Release).await?;
    let mut prepared = Vec::new();
    for wanted in standard.iter().chain(policies) {
        let policy = registry::check(db, judges, wanted, &JUDGES).await?;
        prepared.push((wanted.clone(), policy));
    }
    Ok(prepared)
}

/// Checks what the task is to admit, and the names of its policies, of which the first one judges the conditions if there are any
/// (G24).
fn check_admits(
    admits: Option<&Admits>,
    policies: &[(NewPolicyBinding, InstalledPolicy)],
    has_conditions: bool,
) -> Result<()> {
    let named = policies.iter().skip(usize::from(has_conditions));
    let members: Vec<_> = named
        .map(|(new, policy)| Member {
            given: new.name.as_deref(),
            policy: &policy.name,
            kind: policy.kind,
            mode: new.mode,
        })
        .collect();
    admits::check(admits, &members, has_conditions)
}

/// The policy that judges the conditions.
pub(super) fn standard(conditions: &Conditions) -> NewPolicyBinding {
    NewPolicyBinding {
        policy: conditions::POLICY.into(),
        config: conditions.config(),
        mode: Mode::Enforce,
        on_error: OnError::Closed,
        limits: LimitOverrides::default(),
        watch: None,
        name: None,
    }
}

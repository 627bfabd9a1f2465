//! A host for tests. Its clock stands still until it is moved. Its database is a temporary file, or a database of its
//! own in the PostgreSQL server that `BERTH_TEST_POSTGRES` names.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test that cannot set its scene should stop")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use berth_store::Json;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::AbortHandle;

use berth_base::{
    clock::{ManualClock, Nature, SystemRandom},
    error::{Code, Error, Result},
    ids::{Digest, MiniAppId, VersionId},
};
use berth_check::{
    Asker,
    judge::{Breakage, Judge, JudgeSpec, Judges, Opinion, TaskFacts},
};
use berth_judge::{Compiler, Engine, EngineConfig};
use berth_model::{
    access::{Caller, Role, Scope},
    check::{CheckRequest, CheckResponse, CheckResult, Device, Explanation, Had, Having},
    event::kind,
    policy::{Acceptance, LimitOverrides, Limits, PolicyKind, registry::InstalledPolicy},
    rollout::{Conditions, NewGrayTask},
    version::{ReleaseKind, StoredManifest, Trial},
};
use berth_store::{
    Db, DbConfig,
    blob::{BlobConfig, Blobs},
    seal::SealConfig,
    version::{TrialRow, VersionRow},
};

pub use berth_model::testing::{APP, DAWN, HOST, device, mall, person, shop, v};
use berth_store::testing::database;

use crate::{
    app::{App, Queues},
    check::{self, judge::Cohorts},
    config::{Config, Storage},
    host_app, mini_app,
    policy::registry::Policies,
    rollout,
    version::release::bring_online,
};

/// A running host.
pub struct TestHost {
    pub app: Arc<App>,
    pub clock: ManualClock,
    pub caller: Caller,
    pub key: String,
    /// Whether policies can be made ready; `false` simulates that they cannot be loaded.
    pub judges_up: Arc<AtomicBool>,
    /// Whether policies run in the sandbox, in place of plain Rust.
    sandboxed: bool,
    config: DbConfig,
    folder: Arc<TempDir>,
    workers: Mutex<Vec<AbortHandle>>,
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.workers.get_mut().unwrap().iter().for_each(AbortHandle::abort);
    }
}

async fn open(
    config: &DbConfig,
    folder: &TempDir,
    clock: &ManualClock,
    up: &Arc<AtomicBool>,
    sandboxed: bool,
) -> (Arc<App>, Vec<AbortHandle>) {
    let blobs = Blobs::open(&BlobConfig::default(), folder.path(), &folder.path().join("cache")).unwrap();
    let engine = Engine::new(EngineConfig::new(folder.path().join("cache"), Compiler::InProcess)).unwrap();
    let nature = Nature { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) };
    let db = Db::open(config, folder.path(), nature).await.unwrap();
    let db = db.with_keys(&SealConfig::default(), folder.path()).await.unwrap();
    let settings = Config::with_defaults(Storage::in_folder(folder.path().to_owned()));
    let judges = |policies: &Policies| match sandboxed {
        true => Arc::new(Unhurried(policies.clone())) as Arc<dyn Judges>,
        false => Arc::new(TestJudges(up.clone())),
    };
    let url = config.database_url.as_deref();
    let logs = berth_logs::open(&settings.logs, url, folder.path(), db.nature().clone()).await.unwrap();
    let (app, queues) = App::assemble(settings, db, blobs, engine, logs, judges).unwrap();
    let (app, Queues { admissions, fulfilments, logs, marks, records }) = (Arc::new(app), queues);
    check::refresh(&app.follower).await.unwrap();
    app.logs.refresh_masks(&app.db).await.unwrap();
    let workers = vec![
        tokio::spawn(check::run_follower(app.follower.clone())).abort_handle(),
        tokio::spawn(rollout::run_admissions(admissions, app.db.clone())).abort_handle(),
        tokio::spawn(fulfilments.run(app.db.clone())).abort_handle(),
        tokio::spawn(logs.run()).abort_handle(),
        tokio::spawn(rollout::run_marks(marks, app.db.clone(), app.config.gray.gray_max_failures)).abort_handle(),
        tokio::spawn(check::run_records(records, app.db.clone(), app.config.gray.gray_record_devices)).abort_handle(),
    ];
    (app, workers)
}

/// A host with the MiniApp `shop` of a team, bound to the host app `mall`, with 1.0.0 online.
pub async fn host() -> TestHost {
    let host = start(false).await;
    host.install(&["standard-conditions", "verdict"]).await;
    host
}

/// As [`host`], with these policies of those that come with Berth, in the sandbox.
#[cfg(test)]
pub(crate) async fn host_with_policies(names: &[&str]) -> TestHost {
    let host = start(true).await;
    for builtin in berth_judge::builtin::ALL.iter().filter(|builtin| names.contains(&builtin.name)) {
        let wasm = bytes::Bytes::from_static(builtin.wasm);
        crate::policy::registry::install(&host.app.policies, &host.caller, wasm, &Default::default()).await.unwrap();
    }
    host
}

async fn start(sandboxed: bool) -> TestHost {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let (config, clock) = (database().await, ManualClock::new(DAWN));
    let judges_up = Arc::new(AtomicBool::new(true));
    let (app, workers) = open(&config, &folder, &clock, &judges_up, sandboxed).await;
    let caller = admin(&app).await;
    let new = serde_json::from_value(json!({"name": "team"})).unwrap();
    let team = crate::access::create_team(&app.db, &caller, &new).await.unwrap();
    let new = serde_json::from_value(json!({"name": "Mall", "id": HOST})).unwrap();
    let key = host_app::create(&app.db, &caller, new).await.unwrap().public_key;
    let new = serde_json::from_value(json!({"name": "Shop", "id": APP, "team": team.id})).unwrap();
    mini_app::create(&app.db, &caller, new).await.unwrap();
    crate::binding::bind(&app.db, &caller, &mall(), &shop()).await.unwrap();
    let host = TestHost { app, clock, caller, key, judges_up, sandboxed, config, folder, workers: Mutex::new(workers) };
    host.approved("1.0.0").await;
    host.publish("1.0.0", false).await;
    host
}

async fn admin(app: &App) -> Caller {
    let mut tx = app.db.begin().await.unwrap();
    let new = serde_json::from_value(json!({"name": "admin"})).unwrap();
    let account = tx.create_account("test", &new).await.unwrap().id;
    tx.grant("test", &account, &Scope::Platform, Role::Admin).await.unwrap();
    tx.commit().await.unwrap();
    person(account, vec![(Scope::Platform, Role::Admin)])
}

impl TestHost {
    /// Another host that shares the database and the blobs.
    pub async fn beside(&self) -> Self {
        let (app, workers) = open(&self.config, &self.folder, &self.clock, &self.judges_up, self.sandboxed).await;
        Self {
            app,
            clock: self.clock.clone(),
            caller: self.caller.clone(),
            key: self.key.clone(),
            judges_up: self.judges_up.clone(),
            sandboxed: self.sandboxed,
            config: self.config.clone(),
            folder: self.folder.clone(),
            workers: Mutex::new(workers),
        }
    }

    async fn install(&self, policies: &[&str]) {
        let mut tx = self.app.db.begin().await.unwrap();
        for name in policies {
            let policy = InstalledPolicy {
                digest: Digest::of(name.as_bytes()),
                kind: PolicyKind::Grayscale,
                name: (*name).into(),
                version: "1.0.0".into(),
                summary: String::new(),
                config_schema: None,
                size: 0,
                metadata: Default::default(),
                origin: None,
                signed_by: Vec::new(),
                installed_by: "test".into(),
                installed_at: DAWN,
                places: None,
            };
            tx.insert_policy(&policy).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Adds a version in state `approved`.
    pub async fn approved(&self, number: &str) {
        self.version(number, "approved").await;
    }

    /// Adds a version in this state.
    pub async fn version(&self, number: &str, state: &str) {
        self.version_of(&shop(), number, state).await;
    }

    /// Adds a version of a MiniApp in this state.
    pub(crate) async fn version_of(&self, mini_app: &MiniAppId, number: &str, state: &str) {
        let number = v(number);
        let version = VersionRow {
            id: VersionId::generate(DAWN, self.app.db.random()),
            mini_app_id: mini_app.clone(),
            state: state.parse().unwrap(),
            submitted_once: true,
            forced: false,
            sha256: Digest::of(number.to_string().as_bytes()),
            number,
            size: 1,
            files: 1,
            manifest: Json(StoredManifest::default()),
            uploaded_by: "test".into(),
            created_at: DAWN,
            updated_at: DAWN,
            online_at: None,
        };
        let mut tx = self.app.db.begin().await.unwrap();
        tx.insert_version(&version).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn put_online(&self, number: &str, kind: ReleaseKind, forced: bool) {
        self.put_online_of(&shop(), number, kind, forced).await;
    }

    async fn put_online_of(&self, mini_app: &MiniAppId, number: &str, kind: ReleaseKind, forced: bool) {
        let number = v(number);
        let mut tx = self.app.db.begin().await.unwrap();
        tx.hold_mini_app(mini_app).await.unwrap();
        let row = tx.require_version(mini_app, &number).await.unwrap();
        let tasks = rollout::settle(&mut tx, mini_app).await.unwrap();
        let release = bring_online(&mut tx, &self.caller, &row, kind, forced, String::new()).await.unwrap();
        tasks.end_superseded(&mut tx, "test", &number).await.unwrap();
        tx.tell(kind::VERSION_PUBLISHED, &row.id, "test", &release).for_mini_app(mini_app);
        tx.commit().await.unwrap();
    }

    /// A MiniApp of a team of its own, with 1.0.0 online.
    #[cfg(test)]
    pub(crate) async fn of_another_team(&self, id: &str) -> MiniAppId {
        let new = serde_json::from_value(json!({"name": id})).unwrap();
        let team = crate::access::create_team(&self.app.db, &self.caller, &new).await.unwrap();
        let new = serde_json::from_value(json!({"name": id, "id": id, "team": team.id})).unwrap();
        let id = mini_app::create(&self.app.db, &self.caller, new).await.unwrap().id;
        crate::binding::bind(&self.app.db, &self.caller, &mall(), &id).await.unwrap();
        self.version_of(&id, "1.0.0", "approved").await;
        self.put_online_of(&id, "1.0.0", ReleaseKind::Publish, false).await;
        id
    }

    /// Publishes an approved version.
    pub async fn publish(&self, number: &str, forced: bool) {
        self.put_online(number, ReleaseKind::Publish, forced).await;
    }

    /// Rolls back to a version that was online.
    pub async fn roll_back(&self, number: &str) {
        self.put_online(number, ReleaseKind::Rollback, false).await;
    }

    /// Sets the trial to a version for these accounts.
    pub async fn trial(&self, number: &str, accounts: &[&str]) {
        let mut tx = self.app.db.begin().await.unwrap();
        let row = tx.require_version(&shop(), &v(number)).await.unwrap();
        let trial = TrialRow {
            mini_app_id: shop(),
            version_id: row.id.clone(),
            number: row.number,
            entry_path: "pages/index".into(),
            accounts: Json(accounts.iter().map(|one| one.to_string()).collect()),
            set_by: "test".into(),
            set_at: DAWN,
        };
        tx.set_trial(&trial).await.unwrap();
        tx.tell(kind::TRIAL_SET, &trial.version_id.clone(), "test", &Trial::from(trial)).for_mini_app(&shop());
        tx.commit().await.unwrap();
    }

    /// Creates a gray task of the version that runs for an hour, after `change` was applied.
    pub async fn task(&self, number: &str, change: impl FnOnce(&mut NewGrayTask)) -> Result<rollout::GrayTask> {
        self.task_of(&shop(), number, change).await
    }

    /// The same for a MiniApp.
    pub(crate) async fn task_of(
        &self,
        mini_app: &MiniAppId,
        number: &str,
        change: impl FnOnce(&mut NewGrayTask),
    ) -> Result<rollout::GrayTask> {
        // Ids sort by the millisecond.
        self.clock.advance_seconds(1);
        let now = self.app.db.now();
        let mut new = NewGrayTask {
            name: "task".into(),
            version: v(number),
            start: now,
            end: now.plus_seconds(3600),
            max_users: None,
            host_apps: Vec::new(),
            platforms: Vec::new(),
            networks: Vec::new(),
            objects: Vec::new(),
            policies: Vec::new(),
            admits: None,
        };
        change(&mut new);
        rollout::create(&self.app.db, &*self.app.judges, &self.caller, mini_app, new).await
    }

    /// Waits until the index includes everything that is committed.
    pub async fn settle(&self) {
        self.app.follower.settled().await.unwrap();
    }

    /// Waits until all policies and lists are ready. On a busy machine that is later than rounds wait for them (G12).
    pub async fn made_ready(&self) {
        self.settle().await;
        for _ in 0..1000 {
            if self.app.checks.live.following().unready == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            check::refresh(&self.app.follower).await.unwrap();
        }
    }

    /// Checks as a device that has the version `current`, after the index has settled.
    pub async fn ask(&self, device: &Device, current: Option<&str>) -> CheckResult {
        self.settle().await;
        self.ask_now(device, current).await
    }

    /// Checks as a device that has the version `current`, at once.
    pub(crate) async fn ask_now(&self, device: &Device, current: Option<&str>) -> CheckResult {
        self.check(&question(device, current)).await.results.remove(0)
    }

    /// Checks as an SDK does, at once.
    pub async fn check(&self, request: &CheckRequest) -> CheckResponse {
        check::check(&self.app.checks, &Asker::Key(&self.key), request, &|_| true).await.unwrap()
    }

    /// The version that a device without any version gets.
    pub async fn version_for(&self, guid: &str) -> String {
        self.ask(&device(guid), None).await.version.unwrap().to_string()
    }

    /// Explains what a device without any version would get.
    pub async fn explain(&self, device: &Device) -> Explanation {
        self.settle().await;
        check::explain(&self.app.checks, &self.caller, &question(device, None)).await.unwrap()
    }
}

pub fn question(device: &Device, current: Option<&str>) -> CheckRequest {
    CheckRequest {
        device: device.clone(),
        apps: vec![Having { mini_app: APP.into(), version: current.map(|version| Had::Version(v(version))) }],
    }
}

/// Policies in plain Rust: `standard-conditions` as far as tests need it, and `verdict`, which judges as its config
/// says, and once it is ready: `ready_after_ms`.
pub(crate) struct TestJudges(Arc<AtomicBool>);

impl Acceptance for TestJudges {
    fn accept<'a>(&'a self, _: &'a Digest, _: &'a Value, _: &'a Limits) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

impl Judges for TestJudges {
    fn prepare<'a>(&'a self, binding: &'a JudgeSpec) -> BoxFuture<'a, Result<Arc<dyn Judge>>> {
        if !self.0.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Error::new(Code::Unavailable, "The policy cannot be loaded.")) });
        }
        let judge: Arc<dyn Judge> = match binding.policy.as_str() {
            "verdict" => Arc::new(Verdict(binding.config.clone())),
            _ => Arc::new(Standard(serde_json::from_value(binding.config.clone()).unwrap())),
        };
        let late = binding.config["ready_after_ms"].as_u64().map(Duration::from_millis);
        Box::pin(async move {
            if let Some(late) = late {
                tokio::time::sleep(late).await;
            }
            Ok(judge)
        })
    }
}

/// The policies of the host, each with all the time that a policy can have: a machine that is busy with other tests must
/// not change what they say.
struct Unhurried(Policies);

impl Acceptance for Unhurried {
    fn accept<'a>(&'a self, digest: &'a Digest, config: &'a Value, limits: &'a Limits) -> BoxFuture<'a, Result<()>> {
        self.0.accept(digest, config, limits)
    }
}

impl Judges for Unhurried {
    fn prepare<'a>(&'a self, binding: &'a JudgeSpec) -> BoxFuture<'a, Result<Arc<dyn Judge>>> {
        Box::pin(async move {
            let limits = LimitOverrides { deadline_ms: Some(1000), ..binding.limits };
            self.0.prepare(&JudgeSpec { limits, ..binding.clone() }).await
        })
    }
}

struct Verdict(Value);

impl Judge for Verdict {
    fn judge(&self, _: &Device, _: &TaskFacts<'_>, _: &Arc<dyn Cohorts>) -> Opinion {
        match self.0["say"].as_str() {
            Some("admit") => Opinion::Admit,
            Some("refuse") => Opinion::Refuse("not today".into()),
            _ => Opinion::Broken { how: Breakage::Trapped, why: "unreachable".into() },
        }
    }
}

struct Standard(Conditions);

impl Judge for Standard {
    fn judge(&self, device: &Device, _: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        let Conditions { platforms, networks, objects, .. } = &self.0;
        let platform = platforms.is_empty() || platforms.iter().any(|p| p.platform.as_str() == device.platform);
        let network = networks.is_empty() || networks.contains(&device.network);
        let listed = |list: &rollout::ObjectList| {
            list.values.contains(&device.guid)
                || list.cohort.as_ref().is_some_and(|cohort| cohorts.contains(cohort.as_str(), &device.guid))
        };
        let object = objects.is_empty() || objects.iter().any(listed);
        if platform && network && object { Opinion::Admit } else { Opinion::Refuse("a condition does not hold".into()) }
    }
}

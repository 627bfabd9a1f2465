//! The check at its edge: who may ask, the decision, the admission, the answer on the wire.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    Counting, Decision, Device, Index, Key, Question, Recorder, Step, decide,
    device::short,
    index::{AppEntry, GrayEntry, Release},
    is_forced,
};
use crate::{
    access::{Action, Caller, Scope},
    app::App,
    endpoint::runtime::{Endpoint, Runtime},
    error::{Code, Error, Result},
    ids::{Digest, GrayTaskId},
    rollout::{Admission, Mark},
    version::VersionNumber,
};

/// MiniApps that one check may ask about.
const MAX_APPS: usize = 200;
/// Time that policies get in one check, and in one explanation.
const PATIENCE: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(1000)];

/// A check.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckRequest {
    /// Who asks.
    #[serde(flatten)]
    pub device: Device,
    /// What it asks about.
    pub apps: Vec<Having>,
}

/// A MiniApp, and what the device has of it, embedded packages included (O3).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Having {
    /// Id of the MiniApp.
    pub id: String,
    /// The version that the device would run without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
}

/// The answer to a check, in the order of the question.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResponse {
    /// One for each MiniApp.
    pub results: Vec<CheckResult>,
}

/// What to do about one MiniApp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Get `package` and run it.
    Update,
    /// What the device has is right.
    Current,
    /// Off the shelf: nothing of it may run, embedded packages neither.
    Removed,
    /// This host app does not run it, or nothing of it is online.
    Unknown,
}

/// Why it is this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Everyone gets it.
    Online,
    /// The device is admitted to a grayscale release.
    Gray,
    /// The account is named in the trial.
    Trial,
}

/// The answer for one MiniApp.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResult {
    /// Id of the MiniApp, as asked.
    pub id: String,
    /// What to do.
    pub status: Status,
    /// What to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
    /// Why this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The grayscale release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// What the device has must not run any more (V11, V12).
    pub force: bool,
    /// The oldest version that may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<VersionNumber>,
    /// Where a trial opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_path: Option<String>,
    /// Where to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageRef>,
    /// What the package runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
}

/// A package to get.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PackageRef {
    /// Relative to the host.
    pub url: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many they are.
    pub size: u64,
}

/// The answers with their reasons (G14).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// One for each MiniApp.
    pub results: Vec<Explained>,
}

/// An answer, and every rule that was tried for it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Explained {
    /// What a check would answer. Nobody was admitted for it.
    #[serde(flatten)]
    pub result: CheckResult,
    /// In the order of trying.
    pub steps: Vec<Step>,
}

/// Who asks on behalf of the device.
pub enum Asker<'a> {
    /// The SDK in the host app, by the public key in `X-Host-App-Key`.
    Key(&'a str),
    /// A person who wants to know.
    Person(&'a Caller),
}

/// Answers a check.
///
/// # Errors
/// `invalid-host-app-key`, `invalid-field`; `missing-grant` for a person without read on the host app or on every MiniApp
/// asked about; `unavailable` before the index is loaded. Trouble with the database is none of them: a device that cannot
/// be admitted now gets the online version.
pub async fn check(app: &App, asker: &Asker<'_>, request: &CheckRequest) -> Result<CheckResponse> {
    let index = ready(app)?;
    request.verify()?;
    authorise(&index, asker, request)?;
    let key = Key::of(&request.device.guid);
    let mut results = Vec::with_capacity(request.apps.len());
    let mut patience = Patience::new(PATIENCE[0]);
    for having in &request.apps {
        results.push(answer(app, &index, &request.device, key, having, &mut patience).await);
        patience.rest().await;
    }
    Ok(CheckResponse { results })
}

/// Says what a check would answer, and why, to people only: it tells of trials and lists that devices need not know of.
/// Admits nobody.
///
/// # Errors
/// As [`check`].
pub async fn explain(app: &App, caller: &Caller, request: &CheckRequest) -> Result<Explanation> {
    let index = ready(app)?;
    request.verify()?;
    authorise(&index, &Asker::Person(caller), request)?;
    let mut patience = Patience::new(PATIENCE[1]);
    let mut results = Vec::with_capacity(request.apps.len());
    for having in &request.apps {
        results.push(explained(app, &index, &request.device, having, &mut patience));
        patience.rest().await;
    }
    Ok(Explanation { results })
}

fn explained(app: &App, index: &Index, device: &Device, having: &Having, patience: &mut Patience) -> Explained {
    let known = index.mini_app(&having.id).map(AsRef::as_ref);
    let mut steps = Vec::new();
    let decision = decided(app, known, device, Key::of(&device.guid), having, (&[], patience), &mut steps);
    let result = result(known, index.endpoint(&having.id), having, device, &decision);
    steps.extend(result.runtime.iter().flat_map(|runtime| &runtime.endpoint).map(endpoint_step));
    Explained { result, steps }
}

/// The time that policies get in one request. They run on the threads that serve everybody.
struct Patience {
    most: Duration,
    spent: Duration,
}

impl Patience {
    fn new(most: Duration) -> Self {
        Self { most, spent: Duration::ZERO }
    }

    /// Counts the time that `work` takes; it is told whether that is too much already.
    fn during<T>(&mut self, work: impl FnOnce(&dyn Fn() -> bool) -> T) -> T {
        let started = Instant::now();
        let done = work(&|| self.spent + started.elapsed() > self.most);
        self.spent += started.elapsed();
        done
    }

    /// Lets others have the thread, after more than a moment.
    async fn rest(&self) {
        if self.spent > self.most / 100 {
            tokio::task::yield_now().await;
        }
    }
}

impl CheckRequest {
    fn verify(&self) -> Result<()> {
        self.device.check()?;
        if self.apps.len() > MAX_APPS {
            return Err(Error::field(
                "apps",
                format!("at most {MAX_APPS} in one check, these are {}.", self.apps.len()),
            ));
        }
        self.apps.iter().try_for_each(|having| short("apps", &having.id))?;
        let mut seen = HashSet::with_capacity(self.apps.len());
        match self.apps.iter().find(|having| !seen.insert(&having.id)) {
            Some(twice) => Err(Error::field("apps", format!("names {} twice.", twice.id))),
            None => Ok(()),
        }
    }
}

fn ready(app: &App) -> Result<Arc<Index>> {
    if app.live.is_ready() {
        return Ok(app.live.current());
    }
    Err(Error::new(Code::Unavailable, "The host is starting and cannot answer checks yet. Try again in a moment."))
}

/// Whether the question may be asked. A key names the host app and proves nothing: it ships inside an app.
fn authorise(index: &Index, asker: &Asker<'_>, request: &CheckRequest) -> Result<()> {
    let id = &request.device.host_app;
    let known = index.host_app(id.as_str());
    match asker {
        Asker::Key(key) if known.is_some_and(|known| known.public_key == *key) => Ok(()),
        Asker::Key(_) => Err(Error::new(
            Code::InvalidHostAppKey,
            format!("The key in X-Host-App-Key is not the one of {id}. Look it up with GET /v1/host-apps/{id}."),
        )),
        Asker::Person(caller) => {
            known.ok_or_else(|| Error::not_found("host app", id))?;
            let host_app = Scope::HostApp(id.clone());
            if request.apps.is_empty() {
                return caller.require(Action::Read, &host_app);
            }
            request.apps.iter().try_for_each(|having| may_ask(caller, &host_app, index.mini_app(&having.id)))
        }
    }
}

/// A person asks about MiniApps of their teams, and about any in the name of their host apps.
fn may_ask(caller: &Caller, host_app: &Scope, known: Option<&Arc<AppEntry>>) -> Result<()> {
    match known.map(|known| Scope::Team(known.team.clone())) {
        Some(team) if caller.knows(&team) => caller.require(Action::Read, &team),
        _ => caller.require(Action::Read, host_app),
    }
}

fn decided<'a>(
    app: &App,
    known: Option<&'a AppEntry>,
    device: &Device,
    key: Key,
    having: &Having,
    (refused, patience): (&[GrayTaskId], &mut Patience),
    trace: &mut impl Recorder,
) -> Decision<'a> {
    let (current, now) = (having.version.as_ref(), app.clock.now());
    patience.during(|tired| decide(known, &Question { device, key, current, now, refused, tired }, trace))
}

/// Decides until no admission stands between the device and its version.
async fn answer(
    app: &App,
    index: &Index,
    device: &Device,
    key: Key,
    having: &Having,
    patience: &mut Patience,
) -> CheckResult {
    let known = index.mini_app(&having.id).map(AsRef::as_ref);
    let mut refused = Vec::new();
    let decision = loop {
        let decision = decided(app, known, device, key, having, (&refused, patience), &mut Counting);
        let Decision::Admit(task) = decision else { break decision };
        match app.admitter.admit(&task.id, &device.guid).await {
            Admission::Admitted => {
                task.admitted.add(key);
                break Decision::Gray(task);
            }
            Admission::Refused | Admission::Unavailable => refused.push(task.id.clone()),
        }
    };
    if let Decision::Gray(task) = &decision
        && having.version.as_ref() == Some(&task.release.version)
    {
        note_running(app, task, device, key);
    }
    result(known, index.endpoint(&having.id), having, device, &decision)
}

/// Says what the MiniApp is a channel of.
fn endpoint_step(endpoint: &Endpoint) -> Step {
    let products: Vec<_> = endpoint.products.iter().map(ToString::to_string).collect();
    let products = if products.is_empty() { "no product".into() } else { products.join(", ") };
    let says = format!("A channel of {} of {}, with {products}.", endpoint.cid, endpoint.bos_id);
    Step { rule: "endpoint".into(), gray_task: None, passed: true, says }
}

/// A check that carries the gray version says that the device runs it, without a request of its own.
fn note_running(app: &App, task: &GrayEntry, device: &Device, key: Key) {
    if task.admitted.mark(key, Mark::Running) {
        app.marker.mark(&task.id, &device.guid, Mark::Running);
    }
}

fn result(
    known: Option<&AppEntry>,
    endpoint: Option<&Endpoint>,
    having: &Having,
    device: &Device,
    decision: &Decision<'_>,
) -> CheckResult {
    let (reason, task, entry_path) = match decision {
        Decision::Unknown | Decision::Removed => (None, None, None),
        Decision::Online(_) => (Some(Reason::Online), None, None),
        Decision::Gray(task) | Decision::Admit(task) => (Some(Reason::Gray), Some(&task.id), None),
        Decision::Trial(trial) => (Some(Reason::Trial), None, Some(trial.entry_path.clone())),
    };
    let release = decision.release();
    let force = match (known, release) {
        (Some(app), Some(release)) => is_forced(app, having.version.as_ref(), &release.version),
        _ => false,
    };
    CheckResult {
        id: having.id.clone(),
        status: status(having, decision),
        version: release.map(|release| release.version.clone()),
        reason,
        gray_task: task.cloned(),
        force,
        min_version: release.and(known).and_then(|app| app.min_version.clone()),
        entry_path,
        package: release.map(|release| package(&having.id, release, task, reason == Some(Reason::Trial), device)),
        runtime: release.and(endpoint).map(|endpoint| Runtime { endpoint: Some(endpoint.clone()) }),
    }
}

fn status(having: &Having, decision: &Decision<'_>) -> Status {
    match (decision, decision.release()) {
        (Decision::Removed, _) => Status::Removed,
        (_, None) => Status::Unknown,
        (_, Some(release)) if having.version.as_ref() == Some(&release.version) => Status::Current,
        (_, Some(_)) => Status::Update,
    }
}

/// Where the package is. A gray one says for whom, so that the download counts in the task's progress; one on trial
/// names the account that may have it.
fn package(id: &str, release: &Release, task: Option<&GrayTaskId>, trial: bool, device: &Device) -> PackageRef {
    let mut url = format!("/v1/packages/{id}_{}.apkg", release.version);
    let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    match (task, &device.account) {
        (Some(task), _) => url = format!("{url}?gray={task}&guid={}", encode(&device.guid)),
        (None, Some(account)) if trial => url = format!("{url}?account={}", encode(account)),
        _ => {}
    }
    PackageRef { url, sha256: release.sha256.clone(), size: release.size }
}

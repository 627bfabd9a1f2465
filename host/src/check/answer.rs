//! The check at its edge: who may ask, the decision, the admission, the answer on the wire.

use std::sync::Arc;

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
    for having in &request.apps {
        results.push(answer(app, &index, &request.device, key, having).await);
    }
    Ok(CheckResponse { results })
}

/// Says what a check would answer, and why. Admits nobody.
///
/// # Errors
/// As [`check`].
pub fn explain(app: &App, asker: &Asker<'_>, request: &CheckRequest) -> Result<Explanation> {
    let index = ready(app)?;
    request.verify()?;
    authorise(&index, asker, request)?;
    let key = Key::of(&request.device.guid);
    let explain = |having: &Having| {
        let known = index.mini_app(&having.id).map(AsRef::as_ref);
        let mut steps = Vec::new();
        let decision = decided(app, known, &request.device, key, having, &[], &mut steps);
        let endpoint = index.endpoint(&having.id);
        let result = result(known, endpoint, having, &request.device, &decision);
        steps.extend(result.runtime.iter().flat_map(|runtime| &runtime.endpoint).map(endpoint_step));
        Explained { result, steps }
    };
    Ok(Explanation { results: request.apps.iter().map(explain).collect() })
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
        self.apps.iter().try_for_each(|having| short("apps", &having.id))
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
    refused: &[GrayTaskId],
    trace: &mut impl Recorder,
) -> Decision<'a> {
    let question = Question { device, key, current: having.version.as_ref(), now: app.clock.now(), refused };
    decide(known, &question, trace)
}

/// Decides until no admission stands between the device and its version.
async fn answer(app: &App, index: &Index, device: &Device, key: Key, having: &Having) -> CheckResult {
    let known = index.mini_app(&having.id).map(AsRef::as_ref);
    let mut refused = Vec::new();
    let decision = loop {
        let decision = decided(app, known, device, key, having, &refused, &mut Counting);
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

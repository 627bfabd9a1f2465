//! Answers checks: who may ask, the decision, the admission, and the result on the wire.

use std::{sync::Arc, time::Duration};

use berth_model::check::{
    CheckRequest, CheckResponse, CheckResult, Device, Explained, Explanation, Had, Having, Key, PackageRef, Reason,
    Status, Step,
};

use super::{
    Admission, Claims, Counting, Decision, Index, Question, Recorder, decide,
    force::{is_forced, step_on_force},
    index::{AppEntry, GrayEntry, HostAppEntry, Release},
    patience::Patience,
};
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::GrayTaskId,
    text,
};
use berth_model::{
    access::{Action, Caller, Scope},
    endpoint::runtime::Endpoint,
    rollout::{Mark, Side, Standing},
    runtime::Runtime,
    settings::ApiName,
};

use crate::Checks;

/// Time that all policies together get in one check.
const CHECKING: Duration = Duration::from_millis(100);
/// Time that all policies together get in one explanation.
const EXPLAINING: Duration = Duration::from_millis(1000);

/// Who asks in the name of the device.
pub enum Asker<'a> {
    /// The SDK in the host app, by the public key that it sends in `X-Host-App-Key`.
    Key(&'a str),
    /// A person who asks what a device would be told.
    Person(&'a Caller),
}

/// Whether the client may bring one more device to this side of a gray task now.
pub type Newcomer<'a> = &'a (dyn Fn(Side) -> bool + Sync);

/// Answers a check, and admits the device to gray tasks where it is due. `newcomer` is not asked for devices that a list of the
/// task names (F110).
///
/// # Errors
/// `invalid-host-app-key`; `invalid-field`; for a person `not-found` when there is no such host app, and
/// `missing-grant` unless they may read the host app or every MiniApp asked about; `unavailable` before the index is
/// loaded. A failing database is no error: a device that cannot be admitted now gets the online version.
pub async fn check(
    checks: &Checks,
    asker: &Asker<'_>,
    request: &CheckRequest,
    newcomer: Newcomer<'_>,
) -> Result<CheckResponse> {
    let (index, now) = (ready(checks)?, checks.clock.now());
    request.verify()?;
    let host_app = authorise(&index, asker, request, now)?;
    let mut round = Round::new(checks, &index, host_app, &request.device, now, CHECKING);
    let mut results = Vec::with_capacity(request.apps.len());
    for having in &request.apps {
        results.push(round.answer(index.mini_app(&having.mini_app), having, newcomer).await);
        round.patience.rest().await;
    }
    Ok(CheckResponse { results })
}

/// Says what a check would answer, and why. It admits no device. For people only, because it tells of trials and lists
/// that devices must not know about.
///
/// # Errors
/// As for [`check`].
pub async fn explain(checks: &Checks, caller: &Caller, request: &CheckRequest) -> Result<Explanation> {
    let (index, now) = (ready(checks)?, checks.clock.now());
    request.verify()?;
    let host_app = authorise(&index, &Asker::Person(caller), request, now)?;
    let mut round = Round::new(checks, &index, host_app, &request.device, now, EXPLAINING);
    let mut results = Vec::with_capacity(request.apps.len());
    for having in &request.apps {
        results.push(round.explain(index.mini_app(&having.mini_app), having));
        round.patience.rest().await;
    }
    Ok(Explanation { results })
}

fn ready(checks: &Checks) -> Result<Arc<Index>> {
    if checks.live.is_ready() {
        return Ok(checks.live.current());
    }
    Err(Error::new(Code::Unavailable, "The host is starting and cannot answer checks yet. Try again in a moment."))
}

/// The host app that the device names, when the asker may ask for it. The key names the host app and proves nothing,
/// because everyone can read it in the app.
fn authorise<'a>(index: &'a Index, asker: &Asker<'_>, request: &CheckRequest, now: Millis) -> Result<&'a HostAppEntry> {
    let id = &request.device.host_app;
    let caller = match asker {
        Asker::Key(key) => return index.require_key(key, id, now),
        Asker::Person(caller) => caller,
    };
    let known = index.host_app(id.as_str()).ok_or_else(|| Error::not_found("host app", id))?;
    let host_app = Scope::HostApp(id.clone());
    if request.apps.is_empty() {
        caller.require(Action::Read, &host_app)?;
    }
    request.apps.iter().try_for_each(|having| may_ask(caller, &host_app, index.mini_app(&having.mini_app)))?;
    Ok(known)
}

/// People may ask about the MiniApps of their teams, and about any MiniApp in the name of a host app that they may
/// read.
fn may_ask(caller: &Caller, host_app: &Scope, known: Option<&Arc<AppEntry>>) -> Result<()> {
    match known.map(|known| Scope::Team(known.team.clone())) {
        Some(team) if caller.knows(&team) => caller.require(Action::Read, &team),
        _ => caller.require(Action::Read, host_app),
    }
}

/// What all MiniApps of one request have in common. They are all answered as of one moment.
struct Round<'a> {
    checks: &'a Checks,
    index: &'a Index,
    host_app: &'a HostAppEntry,
    device: &'a Device,
    key: Key,
    now: Millis,
    patience: Patience,
    /// Whether an admission had no answer. No further one is asked for then, as each is awaited for seconds (F56, F61).
    unanswered: bool,
}

impl<'a> Round<'a> {
    fn new(
        checks: &'a Checks,
        index: &'a Index,
        host_app: &'a HostAppEntry,
        device: &'a Device,
        now: Millis,
        time: Duration,
    ) -> Self {
        let (key, patience) = (Key::of(&device.guid), Patience::new(time));
        Self { checks, index, host_app, device, key, now, patience, unanswered: false }
    }

    fn decide(
        &mut self,
        known: Option<&'a AppEntry>,
        having: &Having,
        refused: &[GrayTaskId],
        trace: &mut impl Recorder,
    ) -> Decision<'a> {
        let (device, key, current, now) = (self.device, self.key, having.version(), self.now);
        let mut decide =
            |tired: &dyn Fn() -> bool| decide(known, &Question { device, key, current, now, refused, tired }, trace);
        // Only gray tasks have policies, whose time is taken.
        if known.is_none_or(|app| app.gray.is_empty()) { decide(&|| false) } else { self.patience.during(decide) }
    }

    /// Decides, and asks for admission where it is needed, until a task admits the device or no task remains to admit
    /// it.
    async fn answer(
        &mut self,
        known: Option<&'a Arc<AppEntry>>,
        having: &Having,
        newcomer: Newcomer<'_>,
    ) -> CheckResult {
        let (known, mut refused) = (known.map(AsRef::as_ref), Vec::new());
        let decision = loop {
            let decision = self.decide(known, having, &refused, &mut Counting);
            let Decision::Admit(task) = decision else { break decision };
            if self.unanswered || !self.is_welcome(task, Side::Gray, newcomer) {
                refused.push(task.id.clone());
                continue;
            }
            match self.checks.admitter.admit(&task.id, &self.device.guid).await {
                Admission::Admitted => {
                    task.admitted.add(self.key);
                    break Decision::Gray(task);
                }
                Admission::Kept(owner) => {
                    // Another host has admitted it a moment ago.
                    if let Some(owner) = self.index.task(owner.as_str()) {
                        owner.admitted.add(self.key);
                    }
                    refused.push(task.id.clone());
                }
                Admission::Refused => refused.push(task.id.clone()),
                Admission::Unavailable => {
                    self.unanswered = true;
                    refused.push(task.id.clone());
                }
            }
        };
        if let Decision::Gray(task) = &decision
            && having.version() == Some(&task.release.version)
        {
            self.note_running(task);
        }
        if let (Decision::Online(online), Some(known)) = (&decision, known) {
            self.note_bystander(known, having, online, newcomer);
        }
        if let Some((known, recording)) = known.and_then(|known| Some((known, known.recording.as_ref()?)))
            && decision.release().is_some()
        {
            self.checks.records.note(&known.id, recording, self.device, having.version(), self.now);
        }
        self.result(known, having, &decision)
    }

    /// Whether the task takes note of the device now, which is new to it.
    fn is_welcome(&self, task: &GrayEntry, side: Side, newcomer: Newcomer<'_>) -> bool {
        task.named.find(&Claims::from(self.device)).is_some() || newcomer(side)
    }

    fn explain(&mut self, known: Option<&'a Arc<AppEntry>>, having: &Having) -> Explained {
        let (known, mut steps) = (known.map(AsRef::as_ref), Vec::new());
        let decision = self.decide(known, having, &[], &mut steps);
        let result = self.result(known, having, &decision);
        step_on_force(known, having.version(), &decision, &mut steps);
        steps.extend(result.runtime.iter().flat_map(runtime_steps));
        Explained { result, steps }
    }

    /// Marks the device as running the version when its check names the gray version; no request of its own is needed
    /// for it. After a failure it runs the version again.
    fn note_running(&self, task: &GrayEntry) {
        if task.admitted.mark(self.key, Mark::Running) {
            self.checks.marker.mark(&task.id, &self.device.guid, Mark::Running, String::new());
        }
    }

    /// Takes note of a device that gets the online version while tasks with guards deliver (G13).
    fn note_bystander(&self, known: &AppEntry, having: &Having, online: &Release, newcomer: Newcomer<'_>) {
        for task in &known.gray {
            let Some(bystanders) = task.bystanders.as_ref().filter(|_| task.standing(self.now) == Standing::Open)
            else {
                continue;
            };
            // A device that fell back is one of the task's own.
            if task.admitted.contains(self.key) {
                continue;
            }
            let is_welcome = || self.is_welcome(task, Side::Beside, newcomer);
            let runs = having.version() == Some(&online.version);
            for news in bystanders.ask(self.key, task.admitted.len(), runs, is_welcome) {
                self.checks.marker.note_bystander(&task.id, &self.device.guid, news);
            }
        }
    }

    fn result(&self, known: Option<&AppEntry>, having: &Having, decision: &Decision<'_>) -> CheckResult {
        let app = decision.release().and(known);
        let runtime = app.map(|app| self.index.runtime(app, self.host_app, self.now));
        result(known, runtime, having, self.device, decision)
    }
}

/// The steps of an explanation that say what the host app enforces and shows, where anything is set.
fn runtime_steps(runtime: &Runtime) -> Vec<Step> {
    let endpoint = runtime.endpoint.as_ref().map(endpoint_step);
    let domains = runtime.domains.as_ref().filter(|domains| domains.says_anything());
    let domains = domains.map(|domains| step("domains", domains.in_words()));
    let apis = runtime.sensitive_apis.as_ref().map(|sensitive| {
        let granted = runtime.granted_apis.as_ref().map_or(0, |apis| apis.len());
        step("sensitive-apis", format!("The host app has marked {} as sensitive; {granted} granted.", apis(sensitive)))
    });
    let privacy = runtime.privacy.as_ref().map(|privacy| step("privacy", privacy.in_words()));
    domains.into_iter().chain(apis).chain(privacy).chain(endpoint).collect()
}

fn apis(sensitive: &[ApiName]) -> String {
    text::count(sensitive.len() as i64, "API", "APIs")
}

fn step(rule: &str, says: String) -> Step {
    Step { rule: rule.into(), gray_task: None, passed: true, says, tree: None }
}

/// The step of an explanation that names the endpoint application of which the MiniApp is a channel.
fn endpoint_step(endpoint: &Endpoint) -> Step {
    let products: Vec<_> = endpoint.products.iter().map(ToString::to_string).collect();
    let products = if products.is_empty() { "no product".into() } else { products.join(", ") };
    let says = format!("A channel of {} of {}, with {products}.", endpoint.cid, endpoint.bos_id);
    step("endpoint", says)
}

fn result(
    known: Option<&AppEntry>,
    runtime: Option<Runtime>,
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
    CheckResult {
        mini_app: having.mini_app.clone(),
        status: status(having, decision),
        version: release.map(|release| release.version.clone()),
        reason,
        gray_task: task.cloned(),
        force: is_forced(known, having.version(), decision),
        min_version: release.and(known).and_then(|app| app.min_version.clone()),
        entry_path,
        warning: having.version.as_ref().and_then(Had::warning),
        package: release.map(|release| package(&having.mini_app, release, task, reason == Some(Reason::Trial), device)),
        runtime,
    }
}

fn status(having: &Having, decision: &Decision<'_>) -> Status {
    match (decision, decision.release()) {
        (Decision::Removed, _) => Status::Removed,
        (_, None) => Status::Unknown,
        (_, Some(release)) if having.version() == Some(&release.version) => Status::Current,
        (_, Some(_)) => Status::Update,
    }
}

/// Where the package is. The address of a gray version names the task and the device, so that the download counts in
/// the task's progress; that of a version on trial names the account that may fetch it.
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

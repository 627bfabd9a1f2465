//! Random histories of gray tasks on a whole host, each step compared with a model that was written from README and
//! `tests/RULES.md` alone (V7–V9, G1, G4–G7, G9–G11, G24, I3).
//!
//! Two hosts share the database. The tasks have the policies that come with Berth, in the sandbox.

mod model;
mod steps;

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

use berth_base::ids::{GrayTaskId, MiniAppId};
use berth_model::{
    check::{CheckRequest, CheckResult, Having, Reason},
    rollout::Note,
};

use crate::{
    check, rollout,
    testing::{TestHost, device, host_with_policies, mall, shop, v},
    version,
};
use model::{Answer, App, Device, Minor, Move, Range, Rules, Task, WithShare};
use steps::{New, Step};

/// How many MiniApps each history has.
const APPS: usize = 2;
/// The versions of each MiniApp beside 1.0.0.
const VERSIONS: Minor = 6;
/// Checks that a run compares at least.
const CHECKS: u64 = 10_000;
/// Of so many devices one has its check explained before.
const EXPLAINED: usize = 3;
/// How often a check that gives the online version is repeated. A host that is short of time admits nobody for the
/// moment (F77), which is right and which the model does not know.
const PATIENCE: usize = 3;

/// The hosts of all histories, and what is counted in them.
struct World {
    hosts: [TestHost; 2],
    histories: AtomicU64,
    checks: AtomicU64,
}

/// One history: new MiniApps, and what the model knows of them.
struct History<'a> {
    world: &'a World,
    apps: Vec<(MiniAppId, App)>,
}

type Told = Result<(), TestCaseError>;

#[test]
fn g9_i3_checks_answer_as_the_model_does_over_random_histories() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let world = runtime.block_on(World::new());
    let config = Config { cases: 48, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config)
        .run(&steps::history(), |steps| runtime.block_on(world.live(&steps)))
        .expect("checks answer as the model does");
    let checks = world.checks.load(Ordering::Relaxed);
    assert!(checks >= CHECKS, "only {checks} checks were compared");
    let _within = runtime.enter();
    drop(world);
}

impl World {
    async fn new() -> Self {
        let one = host_with_policies(&["standard-conditions", "percentage"]).await;
        let two = one.beside().await;
        Self { hosts: [one, two], histories: AtomicU64::new(0), checks: AtomicU64::new(0) }
    }

    async fn live(&self, steps: &[Step]) -> Told {
        let number = self.histories.fetch_add(1, Ordering::Relaxed);
        let mut history = History { world: self, apps: Vec::new() };
        for at in 0..APPS {
            history.found(&format!("app-{number}-{at}")).await;
        }
        for step in steps {
            history.take(step).await?;
        }
        history.compare_tasks().await
    }
}

impl History<'_> {
    fn host(&self) -> &TestHost {
        &self.world.hosts[0]
    }

    fn now(&self) -> i64 {
        self.host().app.db.now().0
    }

    /// A new MiniApp with 1.0.0 online and all others approved.
    async fn found(&mut self, id: &str) {
        let host = &self.world.hosts[0];
        let db = &host.app.db;
        let team = db.read().await.expect("read").mini_app(&shop()).await.expect("read").expect("shop").team;
        let new = serde_json::from_value(json!({"name": id, "id": id, "team": team})).expect("new");
        let id = crate::mini_app::create(db, &host.caller, new).await.expect("create").id;
        crate::binding::bind(db, &host.caller, &mall(), &id).await.expect("bind");
        for minor in 0..=VERSIONS {
            host.version_of(&id, &number(minor), "approved").await;
        }
        self.apps.push((id, App::default()));
        self.publish(self.apps.len() - 1, 0).await;
    }

    async fn take(&mut self, step: &Step) -> Told {
        let at = |app: usize| app % self.apps.len();
        match step {
            Step::Create(app, new) => self.create(at(*app), new).await?,
            Step::Move(app, task, step) => self.step(at(*app), *task, *step).await?,
            Step::Wait(seconds) => self.host().clock.advance_seconds(*seconds),
            Step::Tick => drop(rollout::tick(&self.host().app.db).await.expect("tick")),
            Step::Publish(app, version) if self.apps[at(*app)].1.may_try(*version) => {
                self.publish(at(*app), *version).await;
            }
            Step::RollBack(app, version) if self.apps[at(*app)].1.may_roll_back(*version) => {
                self.roll_back(at(*app), *version).await;
            }
            Step::Publish(..) | Step::RollBack(..) => {}
            Step::Checks(second, devices) => self.checks(&self.world.hosts[usize::from(*second)], devices).await?,
        }
        Ok(())
    }

    async fn create(&mut self, at: usize, new: &New) -> Told {
        // Newest first is by the millisecond.
        self.host().clock.advance_seconds(1);
        let (now, host) = (self.now(), &self.world.hosts[0]);
        let (id, app) = &mut self.apps[at];
        let (start, end) = (now + new.delay * 1000, now + (new.delay + new.seconds) * 1000);
        let asked = serde_json::from_value(wire(new, start, end)).expect("task");
        let made = rollout::create(&host.app.db, &*host.app.judges, &host.caller, id, asked).await;
        proptest::prop_assert_eq!(made.is_ok(), app.may_try(new.version), "create {:?}: {:?}", new, made);
        app.tasks.extend(made.ok().map(|made| Task {
            id: made.id.to_string(),
            version: new.version,
            start,
            end,
            cap: new.cap,
            rules: new.rules.clone(),
            stand: model::Stand::Going,
            admitted: Default::default(),
        }));
        Ok(())
    }

    async fn step(&mut self, at: usize, task: usize, step: Move) -> Told {
        let (now, host) = (self.now(), &self.world.hosts[0]);
        let (_, app) = &mut self.apps[at];
        app.settle(now);
        let count = app.tasks.len();
        // What an end by hand means for a task that its cap has ended, the rules leave open.
        let Some(task) =
            (0..count).nth(task % count.max(1)).filter(|task| app.tasks[*task].stand != model::Stand::Full)
        else {
            return Ok(());
        };
        let id: GrayTaskId = app.tasks[task].id.parse().expect("id");
        let (db, note) = (&host.app.db, Note::default());
        let moved = match step {
            Move::Suspend => rollout::suspend(db, &host.caller, &id, &note).await,
            Move::Resume => rollout::resume(db, &host.caller, &id, &note).await,
            Move::End => rollout::end(db, &host.caller, &id, &note).await,
        };
        proptest::prop_assert_eq!(moved.is_ok(), app.step(task, step, now), "{:?} {}: {:?}", step, id, moved);
        Ok(())
    }

    async fn publish(&mut self, at: usize, minor: Minor) {
        let (now, host) = (self.now(), &self.world.hosts[0]);
        let (id, app) = &mut self.apps[at];
        let how = serde_json::from_value(json!({})).expect("publish");
        version::publish(&host.app.db, &host.caller, id, &v(&number(minor)), how).await.expect("publish");
        app.publish(minor, now);
    }

    async fn roll_back(&mut self, at: usize, minor: Minor) {
        let (now, host) = (self.now(), &self.world.hosts[0]);
        let (id, app) = &mut self.apps[at];
        let how = serde_json::from_value(json!({"to": number(minor)})).expect("rollback");
        version::roll_back(&host.app.db, &host.caller, id, how).await.expect("roll back");
        app.roll_back(minor, now);
    }

    /// All devices ask one host about all MiniApps, after the host has heard of everything.
    async fn checks(&mut self, host: &TestHost, devices: &[Device]) -> Told {
        check::refresh(&host.app.follower).await.expect("round");
        // That a policy may be late is nothing that the model knows.
        host.made_ready().await;
        let now = self.now();
        for (nth, device) in devices.iter().enumerate() {
            let before: Vec<_> = self.apps.iter().map(|(_, app)| app.clone()).collect();
            let expected: Vec<_> = self.apps.iter_mut().map(|(_, app)| app.check(device, now)).collect();
            let request = self.request(device);
            if nth.is_multiple_of(EXPLAINED) {
                // A check asks the database where the index lags behind, an explanation does not.
                host.settle().await;
                explained_alike(host, &request, &expected, device, &before).await?;
            }
            let mut answers = self.ask(host, &request).await;
            for _ in 0..PATIENCE {
                if !answers.iter().zip(&expected).any(|(got, wanted)| got.task.is_none() && wanted.task.is_some()) {
                    break;
                }
                answers = self.ask(host, &request).await;
            }
            proptest::prop_assert_eq!(&answers, &expected, "{:?} at {} of {:#?}", device, now, before);
        }
        let compared = devices.len() * self.apps.len();
        self.world.checks.fetch_add(compared as u64, Ordering::Relaxed);
        Ok(())
    }

    fn request(&self, told: &Device) -> CheckRequest {
        let device = berth_model::check::Device {
            platform: told.platform.into(),
            os_version: told.os.into(),
            host_version: told.host_version.into(),
            network: told.network.into(),
            ..device(&told.guid)
        };
        let apps = self.apps.iter().map(|(id, _)| Having { mini_app: id.to_string(), version: None }).collect();
        CheckRequest { device, apps }
    }

    async fn ask(&self, host: &TestHost, request: &CheckRequest) -> Vec<Answer> {
        host.check(request).await.results.iter().map(answer).collect()
    }

    /// Each task has the state and the number of devices that the model says.
    async fn compare_tasks(&mut self) -> Told {
        let now = self.now();
        let host = &self.world.hosts[0];
        for (_, app) in &mut self.apps {
            app.settle(now);
            for task in &app.tasks {
                let id = task.id.parse().expect("id");
                let view = rollout::get(&host.app.db, &host.caller, &id).await.expect("task");
                let got = (view.state.as_str(), view.admitted as usize);
                proptest::prop_assert_eq!(got, (task.state(now), task.admitted.len()), "{:?}", task);
                proptest::prop_assert!(task.cap.is_none_or(|cap| task.admitted.len() <= cap));
            }
        }
        Ok(())
    }
}

/// Explain tells what the check is about to answer, and for a device that a task has, which (G9, G14).
async fn explained_alike(
    host: &TestHost,
    request: &CheckRequest,
    expected: &[Answer],
    device: &Device,
    before: &[App],
) -> Told {
    let told = check::explain(&host.app.checks, &host.caller, request).await.expect("explain").results;
    for ((told, wanted), before) in told.iter().zip(expected).zip(before) {
        proptest::prop_assert_eq!(&answer(&told.result), wanted, "explain {:?} of {:#?}", device, before);
        let has = |task: &&Task| Some(&task.id) == wanted.task.as_ref() && task.admitted.contains(&device.guid);
        if let Some(owner) = before.tasks.iter().find(has) {
            let step = told.steps.iter().find(|step| step.gray_task.as_ref().is_some_and(|id| id.as_str() == owner.id));
            proptest::prop_assert!(step.is_some_and(|step| step.rule == "admitted" && step.passed), "{:?}", told.steps);
        }
    }
    Ok(())
}

fn answer(result: &CheckResult) -> Answer {
    let version = result.version.as_ref().expect("a version").to_string();
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("a number");
    assert_eq!(result.gray_task.is_some(), result.reason == Some(Reason::Gray), "{result:?}");
    Answer { version: minor, task: result.gray_task.as_ref().map(ToString::to_string) }
}

fn number(minor: Minor) -> String {
    format!("1.{minor}.0")
}

/// The request that creates a task.
fn wire(new: &New, start: i64, end: i64) -> Value {
    let Rules { host_app, platforms, networks, guids, stages, with_share } = &new.rules;
    let admits = match with_share {
        _ if stages.is_empty() || !new.rules.has_conditions() => Value::Null,
        WithShare::Unsaid => Value::Null,
        WithShare::Or => json!({"any": ["conditions", "percentage"]}),
        WithShare::AndNot => json!({"all": [{"not": "percentage"}, "conditions"]}),
    };
    let ends = |range: &Range, [min, max]: [&str; 2]| {
        let ends = [(min, range.from), (max, range.to)];
        ends.into_iter().filter_map(|(name, end)| Some((name.to_owned(), Value::from(end?)))).collect::<Vec<_>>()
    };
    let with = |name: &str, what: String, ends: Vec<(String, Value)>| {
        let first = (name.to_owned(), Value::from(what));
        Value::Object(std::iter::once(first).chain(ends).collect())
    };
    let host_apps: Vec<_> = host_app
        .iter()
        .map(|range| with("id", mall().to_string(), ends(range, ["min_version", "max_version"])))
        .collect();
    let platforms: Vec<_> = platforms
        .iter()
        .map(|(name, range)| with("platform", (*name).to_owned(), ends(range, ["min_os", "max_os"])))
        .collect();
    let lists = if guids.is_empty() { json!([]) } else { json!([{"kind": "guid", "values": guids}]) };
    let stages: Vec<_> =
        stages.iter().map(|(hours, percent)| json!({"after_hours": hours, "percent": percent})).collect();
    let percentage = json!([{"policy": "percentage", "config": {"stages": stages}}]);
    json!({
        "name": "task", "version": number(new.version), "start": berth_base::clock::Millis(start),
        "end": berth_base::clock::Millis(end), "max_users": new.cap, "host_apps": host_apps, "platforms": platforms,
        "networks": networks, "objects": lists, "policies": if stages.is_empty() { json!([]) } else { percentage }, "admits": admits,
    })
}

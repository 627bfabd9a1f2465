//! A policy bound to a config and limits, ready to judge.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    Advice, Cohorts, Contents, Evaluation, Finding, GrayDevice, GrayTask, GrayVerdict, Health, Limit, Limits, Outcome,
    Policy, PolicyKind, deep,
    guest::{Archive, Grant},
    installed::Judge,
    resting::Rested,
    run::Program,
    worlds::{Store, World, auditor::Auditor, gray, grayscale::Grayscale, guard::Guard, watch},
};
use berth_base::error::{Code, Error, Result};

impl Policy {
    /// Binds a grayscale policy to a config that [`Policy::check_config`] accepted.
    ///
    /// # Errors
    /// `policy-kind` when the policy is of another kind.
    pub fn bind_gray(self: &Arc<Self>, config: &Value, limits: Limits) -> Result<BoundGrayscale> {
        match &self.judge {
            Judge::Grayscale(program) => Ok(BoundGrayscale(self.bind(program, config, limits))),
            _ => Err(self.wrong_kind(PolicyKind::Grayscale)),
        }
    }

    /// Binds an auditor to a config that [`Policy::check_config`] accepted.
    ///
    /// # Errors
    /// `policy-kind` when the policy is of another kind.
    pub fn bind_auditor(self: &Arc<Self>, config: &Value, limits: Limits) -> Result<BoundAuditor> {
        match &self.judge {
            Judge::Auditor(program) => Ok(BoundAuditor(self.bind(program, config, limits))),
            _ => Err(self.wrong_kind(PolicyKind::Auditor)),
        }
    }

    /// Binds a guard to a config that [`Policy::check_config`] accepted.
    ///
    /// # Errors
    /// `policy-kind` when the policy is of another kind.
    pub fn bind_guard(self: &Arc<Self>, config: &Value, limits: Limits) -> Result<BoundGuard> {
        match &self.judge {
            Judge::Guard(program) => Ok(BoundGuard(self.bind(program, config, limits))),
            _ => Err(self.wrong_kind(PolicyKind::Guard)),
        }
    }

    fn bind<W: World>(self: &Arc<Self>, program: &Arc<Program<W>>, config: &Value, limits: Limits) -> Configured<W> {
        Configured { policy: self.clone(), program: program.clone(), config: config.to_string().into(), limits }
    }

    fn wrong_kind(&self, wanted: PolicyKind) -> Error {
        let text = format!("{} is a policy of kind {}, not {wanted}.", self.description().name, self.kind());
        Error::new(Code::PolicyKind, text).with("kind", self.kind()).with("wanted", wanted)
    }
}

/// How much longer than its patience an evaluation is waited for: one that ends by itself at that moment keeps its log.
const GRACE: Duration = Duration::from_millis(100);

/// A policy with its config and its limits.
struct Configured<W: World> {
    policy: Arc<Policy>,
    program: Arc<Program<W>>,
    config: Arc<str>,
    limits: Limits,
}

impl<W: World> Clone for Configured<W> {
    fn clone(&self) -> Self {
        Self {
            policy: self.policy.clone(),
            program: self.program.clone(),
            config: self.config.clone(),
            limits: self.limits.clone(),
        }
    }
}

impl<W: World> Configured<W> {
    /// Asks a fresh instance.
    fn run<V>(
        &self,
        grant: Grant,
        call: impl FnOnce(&W, &mut Store) -> wasmtime::Result<Result<V, String>>,
    ) -> Evaluation<V> {
        self.program.run(grant, &self.limits, Some(&self.config), call)
    }

    /// Runs a long evaluation on a thread of its own. An evaluation that hangs inside the host, where the deadline of
    /// wasm does not apply, is abandoned when its patience ends; its place stays taken until it has really ended.
    async fn run_apart<V: Send + 'static>(
        &self,
        run: impl FnOnce(&Self) -> Evaluation<V> + Send + 'static,
    ) -> Evaluation<V> {
        let start = Instant::now();
        let Ok(seat) = self.policy.seats.audit.clone().acquire_owned().await else {
            return Evaluation::without_run(Outcome::Limited(Limit::Capacity), start.elapsed());
        };
        let (binding, start) = (self.clone(), Instant::now());
        let task = deep::apart(move || {
            let _seat = seat;
            run(&binding)
        });
        match tokio::time::timeout(self.limits.patience() + GRACE, task).await {
            Ok(Ok(evaluation)) => evaluation,
            Ok(Err(_)) => {
                let reason = "the host failed while it served the policy".into();
                Evaluation::without_run(Outcome::Trapped { reason }, start.elapsed())
            }
            Err(_) => Evaluation::without_run(Outcome::Limited(Limit::Deadline), start.elapsed()),
        }
    }
}

macro_rules! binding {
    ($(#[$doc:meta])* $name:ident<$world:ty>) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Configured<$world>);

        impl $name {
            /// The policy that is bound. Records of an evaluation name its digest.
            pub fn policy(&self) -> &Arc<Policy> {
                &self.0.policy
            }

            /// The limits of every evaluation of this binding.
            pub fn limits(&self) -> &Limits {
                &self.0.limits
            }
        }
    };
}

binding! {
    /// A grayscale policy that is bound to a config. Cheap to clone.
    BoundGrayscale<Grayscale>
}

binding! {
    /// An auditor that is bound to a config. Cheap to clone.
    BoundAuditor<Auditor>
}

binding! {
    /// A guard that is bound to a config. Cheap to clone.
    BoundGuard<Guard>
}

impl BoundGrayscale {
    /// Decides whether the device may have the gray version. It blocks the calling thread: usually for a few
    /// microseconds, for tens of them on a fresh instance, and at most for as long as the limits allow, after waiting as long for
    /// a free instance; for twice as long when an instance that is not fresh breaks and a fresh one is asked the same.
    pub fn decide(&self, device: &GrayDevice, task: &GrayTask, cohorts: &Arc<dyn Cohorts>) -> Evaluation<GrayVerdict> {
        let start = Instant::now();
        let Some(_slot) = self.0.policy.seats.grayscale.take(self.0.limits.patience()) else {
            return Evaluation::without_run(Outcome::Limited(Limit::Capacity), start.elapsed());
        };
        let of_device = gray::attributes(&device.attributes);
        let of_task = gray::attributes(&task.attributes);
        let (device, task) = (gray::device(device, &of_device), gray::task(task, &of_task));
        self.0.ask(Grant::Cohorts(cohorts.clone()), |world, store| {
            let answer = world.berth_policy_gray().call_decide(store, device.clone(), task.clone())?;
            Ok(answer.map(GrayVerdict::from))
        })
    }
}

impl Configured<Grayscale> {
    /// Asks an instance that has judged before, when one rests, or a fresh one. Of an instance that is not fresh only a
    /// judgement counts, and that its time was over: what else happens to it may come from its past.
    fn ask<V>(
        &self,
        grant: Grant,
        call: impl Fn(&Grayscale, &mut Store) -> wasmtime::Result<Result<V, String>>,
    ) -> Evaluation<V> {
        let Self { policy, program, config, limits } = self;
        let resting = &policy.seats.resting;
        let Some(mut rested) = resting.wake(config) else { return self.ask_fresh(grant, call) };
        let evaluation = program.ask(&mut rested.life, grant.clone(), limits, Some(config), &call);
        match evaluation.outcome {
            Outcome::Verdict(_) => resting.rest(rested),
            Outcome::Limited(Limit::Deadline) => {}
            _ => {
                // There is room for one instance of each question.
                drop(rested);
                return self.ask_fresh(grant, call);
            }
        }
        evaluation
    }

    fn ask_fresh<V>(
        &self,
        grant: Grant,
        call: impl FnOnce(&Grayscale, &mut Store) -> wasmtime::Result<Result<V, String>>,
    ) -> Evaluation<V> {
        let mut life = self.program.fresh(&self.limits);
        let evaluation = self.program.ask(&mut life, grant, &self.limits, Some(&self.config), call);
        if matches!(evaluation.outcome, Outcome::Verdict(_)) {
            self.policy.seats.resting.rest(Rested::of(&self.config, life, self.limits.judgements_per_instance - 1));
        }
        evaluation
    }
}

impl BoundAuditor {
    /// Judges a package, and returns the findings.
    pub async fn audit(&self, package: Arc<dyn Contents>) -> Evaluation<Vec<Finding>> {
        let run = move |binding: &Configured<Auditor>| {
            binding.run(Grant::Archive(package), |world, store| {
                let answer = world.berth_policy_audit().call_audit(store, Archive::handle())?;
                Ok(answer.map(|findings| findings.into_iter().map(Finding::from).collect()))
            })
        };
        self.0.run_apart(run).await
    }
}

impl BoundGuard {
    /// Judges whether a grayscale release should go on.
    pub async fn judge(&self, health: Health) -> Evaluation<Advice> {
        let run = move |binding: &Configured<Guard>| {
            binding.run(Grant::None, |world, store| {
                let (gray, online) = (watch::windows(&health.gray), watch::windows(&health.online));
                let answer = world.berth_policy_watch().call_judge(store, watch::health(&health, &gray, &online))?;
                Ok(answer.map(Advice::from))
            })
        };
        self.0.run_apart(run).await
    }
}

//! Runs the policies of gray tasks in the policy engine.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use berth_base::{clock::Millis, error::Result, ids::PolicyBindingId};
use berth_check::{
    Ask, Fuse,
    judge::{Breakage, Judge, JudgeSpec, Judges, Opinion, Pair, TaskFacts},
};
use berth_judge::BoundGrayscale;
use berth_model::check::Device;
use berth_model::policy::{Cohorts, Evaluation, GrayTask, GrayVerdict, Limit, Outcome, PolicyKind};

use crate::policy::{as_seen, asked, figures::Tally, registry::Policies};

impl Judges for Policies {
    fn prepare<'a>(&'a self, binding: &'a JudgeSpec) -> BoxFuture<'a, Result<Arc<dyn Judge>>> {
        Box::pin(async move {
            let policy = self.load(&binding.digest).await?;
            let bound = policy.bind_gray(&binding.config, binding.limits.apply(PolicyKind::Grayscale)?)?;
            let tally = self.board.of(&binding.id, &binding.digest);
            Ok(Arc::new(Fused::of(bound, binding.id.clone(), tally)) as Arc<dyn Judge>)
        })
    }
}

/// A bound policy with its fuse: it is not asked for a while after it has hit its deadline repeatedly.
struct Fused {
    policy: BoundGrayscale,
    binding: PolicyBindingId,
    fuse: Fuse,
    tally: Arc<Tally>,
}

impl Fused {
    fn of(policy: BoundGrayscale, binding: PolicyBindingId, tally: Arc<Tally>) -> Self {
        Self { fuse: Fuse::of(policy.limits()), policy, binding, tally }
    }

    /// Asks the policy, whatever its fuse says.
    fn ask(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Evaluation<GrayVerdict> {
        let about = self.policy.policy().description();
        let span = asked::span(&about.name, &about.version, &self.binding);
        span.record("gray_task", tracing::field::display(task.id));
        let evaluation = span.in_scope(|| self.policy.decide(&as_seen(device), &told(task), cohorts));
        asked::tell(&span, &evaluation);
        evaluation
    }
}

/// That a policy whose fuse is blown gives no judgement.
fn not_asked() -> Opinion {
    let cure = Limit::Deadline.cure();
    let why = format!("The policy kept hitting its deadline limit and is not asked for a while. {cure}");
    Opinion::Broken { how: Breakage::Limited, why }
}

fn opinion(outcome: Outcome<GrayVerdict>) -> Opinion {
    let why = outcome.trouble().unwrap_or_default();
    let how = match outcome {
        Outcome::Verdict(GrayVerdict::Admit) => return Opinion::Admit,
        Outcome::Verdict(GrayVerdict::Refuse(reason)) => return Opinion::Refuse(reason),
        Outcome::Failed { .. } => Breakage::Failed,
        Outcome::Trapped { .. } => Breakage::Trapped,
        Outcome::Limited(_) => Breakage::Limited,
    };
    Opinion::Broken { how, why }
}

impl Judge for Fused {
    fn judge(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        let ask = self.fuse.ask(task.now);
        if ask == Ask::No {
            return not_asked();
        }
        let evaluation = self.ask(device, task, cohorts);
        self.tally.note(&evaluation, task.now);
        if self.fuse.note(ask, evaluation.outcome == Outcome::Limited(Limit::Deadline), task.now) {
            let policy = &self.policy.policy().description().name;
            tracing::warn!(policy, task = %task.id, "a grayscale policy keeps hitting its deadline and is not asked for a while");
        }
        opinion(evaluation.outcome)
    }

    fn explain(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        if self.fuse.is_blown(task.now) { not_asked() } else { opinion(self.ask(device, task, cohorts).outcome) }
    }

    fn shadowed(&self, device: &Device, pair: Pair, now: Millis) {
        self.tally.note_shadow(device, pair, now);
    }
}

fn told<'a>(task: &TaskFacts<'a>) -> GrayTask<'a> {
    GrayTask {
        id: task.id.as_str().into(),
        mini_app_id: task.mini_app.as_str().into(),
        version: task.version.to_string().into(),
        online: task.online.to_string().into(),
        current: task.current.map(|version| version.to_string().into()),
        started: task.started.since_epoch(),
        now: task.now.since_epoch(),
        attributes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DAWN, device, shop, v};
    use berth_base::{clock::SystemRandom, ids::GrayTaskId};
    use berth_judge::testing::{Guest, Lab};
    use berth_model::policy::NoCohorts;

    fn ask_as(judge: &dyn Judge, counted: bool) -> Opinion {
        let (id, mini_app) = (GrayTaskId::generate(DAWN, &SystemRandom), shop());
        let (version, online) = (v("1.1.0"), v("1.0.0"));
        let facts = TaskFacts {
            id: &id,
            mini_app: &mini_app,
            version: &version,
            online: &online,
            current: None,
            started: DAWN,
            now: DAWN,
        };
        let cohorts = Arc::new(NoCohorts) as Arc<dyn Cohorts>;
        if counted {
            judge.judge(&device("guid"), &facts, &cohorts)
        } else {
            judge.explain(&device("guid"), &facts, &cohorts)
        }
    }

    fn ask(judge: &dyn Judge) -> Opinion {
        ask_as(judge, true)
    }

    #[tokio::test]
    async fn g14_who_only_looks_on_is_not_counted_and_blows_no_fuse() {
        let endless = Guest::gray().call("(loop $again (br $again)) unreachable");
        let bound = Lab::new().bind_gray(&endless, |limits| limits.deadline_ms = 5).await;
        let policy = Fused::of(bound, PolicyBindingId::generate(DAWN, &SystemRandom), Arc::default());
        let is_asked = |opinion: &Opinion| !matches!(opinion, Opinion::Broken { why, .. } if why.contains("not asked"));
        assert!((0..10).all(|_| is_asked(&ask_as(&policy, false))));
        assert_eq!(policy.tally.figures().evaluations, 0);
        (0..5).for_each(|_| drop(ask(&policy)));
        assert!(!is_asked(&ask_as(&policy, false)), "they see what a device would: its fuse is blown");
    }

    #[tokio::test]
    async fn f33_a_policy_that_never_ends_soon_costs_nothing() {
        let endless = Guest::gray().call("(loop $again (br $again)) unreachable");
        let bound = Lab::new().bind_gray(&endless, |limits| limits.deadline_ms = 5).await;
        let policy = Fused::of(bound, PolicyBindingId::generate(DAWN, &SystemRandom), Arc::default());
        let opinions: Vec<_> = (0..1000).map(|_| ask(&policy)).collect();
        let unasked = |opinion: &&Opinion| matches!(opinion, Opinion::Broken { how: Breakage::Limited, why } if why.contains("not asked"));
        assert_eq!(opinions.iter().filter(unasked).count(), 995, "{:?}", opinions.first());
        assert_eq!(policy.tally.figures().limited, 5, "who is not asked is not counted");
    }
}

//! A case that is ready to be asked any number of times, under its limits, as on a host.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};

use super::cases::{BAD_CONFIG, Case, Expect, record};
use crate::policy::subject;
use berth_judge::{BoundAuditor, BoundGrayscale, BoundGuard, Policy};
use berth_model::policy::{
    Advice, Cohorts, Contents, Evaluation, Finding, GrayDevice, GrayTask, GrayVerdict, Health, Outcome, PolicyKind,
};

use crate::failure::Failure;

/// The judgement of a policy of any kind.
#[derive(Clone, Debug)]
pub enum Verdict {
    Gray(GrayVerdict),
    Audit(Vec<Finding>),
    Guard(Advice),
}

/// A bound policy, and what it is asked.
pub enum Trial {
    /// A grayscale policy, and the device and the task that it decides about.
    Gray {
        policy: BoundGrayscale,
        device: Box<GrayDevice<'static>>,
        task: Box<GrayTask<'static>>,
        cohorts: Arc<dyn Cohorts>,
    },
    /// An auditor, and the package that it audits.
    Audit { policy: BoundAuditor, package: Arc<dyn Contents> },
    /// A guard, and the health of the release that it watches.
    Guard { policy: BoundGuard, health: Health },
    /// The policy refused its config, for this reason, so that it cannot be asked.
    BadConfig(String),
}

/// The lists of a case.
struct Lists(BTreeMap<String, BTreeSet<String>>);

impl Cohorts for Lists {
    fn contains(&self, name: &str, key: &str) -> bool {
        self.0.get(name).is_some_and(|keys| keys.contains(key))
    }
}

impl Trial {
    /// Binds the policy as the case says. That the policy refuses the config is an answer, and no failure.
    pub async fn of(case: &Case, policy: &Arc<Policy>) -> Result<Self, Failure> {
        let limits = case.limits.apply(policy.kind())?;
        if let Err(error) = policy.check_config(&case.config, &limits).await {
            return Ok(Self::BadConfig(error.detail));
        }
        let wrong = |reason| Failure::usage(format!("{}: case {:?}: {reason}.", case.file.display(), case.name));
        Ok(match policy.kind() {
            PolicyKind::Grayscale => Self::Gray {
                policy: policy.bind_gray(&case.config, limits)?,
                device: Box::new(record("device", a_device(), case.device.as_ref()).map_err(wrong)?),
                task: Box::new(record("task", a_task(), case.task.as_ref()).map_err(wrong)?),
                cohorts: Arc::new(Lists(case.cohorts.clone().unwrap_or_default())),
            },
            PolicyKind::Auditor => Self::Audit {
                policy: policy.bind_auditor(&case.config, limits)?,
                package: Arc::new(subject::of(case).map_err(wrong)?),
            },
            PolicyKind::Guard => Self::Guard {
                policy: policy.bind_guard(&case.config, limits)?,
                health: record("health", a_release(), case.health.as_ref()).map_err(wrong)?,
            },
        })
    }

    /// Asks the policy once; `None` when the config was refused.
    pub async fn ask(&self) -> Option<Evaluation<Verdict>> {
        Some(match self {
            Self::Gray { policy, device, task, cohorts } => as_any(policy.decide(device, task, cohorts), Verdict::Gray),
            Self::Audit { policy, package } => as_any(policy.audit(package.clone()).await, Verdict::Audit),
            Self::Guard { policy, health } => as_any(policy.judge(health.clone()).await, Verdict::Guard),
            Self::BadConfig(_) => return None,
        })
    }
}

fn as_any<V>(one: Evaluation<V>, wrap: impl FnOnce(V) -> Verdict) -> Evaluation<Verdict> {
    let Evaluation { outcome, log, elapsed, peak_memory } = one;
    Evaluation { outcome: outcome.map(wrap), log, elapsed, peak_memory }
}

/// The answer in the words of `expect`.
pub fn word(answer: Option<&Evaluation<Verdict>>) -> Expect {
    let Some(answer) = answer else { return Expect::Word(BAD_CONFIG.into()) };
    let word = match &answer.outcome {
        Outcome::Verdict(Verdict::Audit(findings)) => {
            let mut rules: Vec<_> = findings.iter().map(|finding| finding.rule.clone()).collect();
            rules.sort();
            return Expect::Rules(rules);
        }
        Outcome::Verdict(Verdict::Gray(GrayVerdict::Admit)) => "admit",
        Outcome::Verdict(Verdict::Gray(GrayVerdict::Refuse(_))) => "refuse",
        Outcome::Verdict(Verdict::Guard(Advice::CarryOn)) => "carry-on",
        Outcome::Verdict(Verdict::Guard(Advice::Suspend(_))) => "suspend",
        Outcome::Verdict(Verdict::Guard(Advice::End(_))) => "end",
        other => other.as_str(),
    };
    Expect::Word(word.into())
}

/// What the policy says about its answer, one line per item.
pub fn details(trial: &Trial, answer: Option<&Evaluation<Verdict>>) -> Vec<String> {
    let Some(answer) = answer else {
        return if let Trial::BadConfig(why) = trial { vec![why.clone()] } else { vec![] };
    };
    match &answer.outcome {
        Outcome::Verdict(Verdict::Audit(findings)) => findings.iter().map(finding).collect(),
        Outcome::Verdict(
            Verdict::Gray(GrayVerdict::Refuse(why)) | Verdict::Guard(Advice::Suspend(why) | Advice::End(why)),
        ) => {
            vec![why.clone()]
        }
        Outcome::Verdict(_) => vec![],
        other => other.trouble().into_iter().collect(),
    }
}

fn finding(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!("{place} "));
    format!("{}{}: {}", place.unwrap_or_default(), finding.rule, finding.message)
}

/// A device with ordinary values.
fn a_device() -> Value {
    json!({
        "guid": "g-1", "device_id": null, "account": null, "platform": "android", "os_version": "14",
        "host_app": "ha-shop", "host_version": "3.2.1", "sdk_version": "1.0.0", "network": "wifi", "attributes": [],
    })
}

/// A task that has just started.
fn a_task() -> Value {
    json!({
        "id": "gray_1", "mini_app_id": "mp-shop", "version": "1.1.0", "online": "1.0.0", "current": null,
        "started": 0, "now": 0, "attributes": [],
    })
}

/// A release without any counts.
fn a_release() -> Value {
    json!({
        "task_id": "gray_1", "mini_app_id": "mp-shop", "version": "1.1.0",
        "since": 1_700_000_000_000_u64, "now": 1_700_000_300_000_u64, "gray": [], "online": [],
    })
}

//! What follows from evaluations and decisions, as pure functions.

use super::{Decision, Evaluation, OutcomeKind};
use crate::policy::{
    Severity,
    registry::{Mode, OnError},
};

/// The result of the automatic part of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// No policy objects: the host apps may decide.
    Open,
    /// The version is rejected, for this reason, before people are asked.
    Rejected(String),
}

/// Decides by the evaluations whether people are asked (V5). A policy in mode `enforce` rejects the version when it has
/// a finding of severity `error`, or gives no verdict and fails closed. Shadow policies never decide.
pub fn gate(evaluations: &[Evaluation]) -> Gate {
    let reasons: Vec<_> = evaluations.iter().filter(|one| one.mode == Mode::Enforce).filter_map(objection).collect();
    if reasons.is_empty() { Gate::Open } else { Gate::Rejected(reasons.join(" ")) }
}

fn objection(evaluation: &Evaluation) -> Option<String> {
    let name = &evaluation.policy;
    match evaluation.outcome {
        OutcomeKind::Verdict => {
            let errors = evaluation.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
            let noun = if errors == 1 { "error" } else { "errors" };
            (errors > 0).then(|| format!("{name} found {errors} {noun}."))
        }
        OutcomeKind::Failed | OutcomeKind::Trapped | OutcomeKind::Limited => (evaluation.on_error == OnError::Closed)
            .then(|| format!("{name} gave no verdict and fails closed: {}", evaluation.detail)),
    }
}

/// What the decisions of all host apps amount to (V5): one rejection rejects, approvals by all approve. `None` while
/// neither is the case.
pub fn tally(decisions: &[Option<Decision>]) -> Option<Decision> {
    if decisions.contains(&Some(Decision::Rejected)) {
        return Some(Decision::Rejected);
    }
    let all_approve = !decisions.is_empty() && decisions.iter().all(|one| *one == Some(Decision::Approved));
    all_approve.then_some(Decision::Approved)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::Finding;
    use berth_base::{clock::Millis, ids::Digest};

    fn evaluation(mode: Mode, on_error: OnError, outcome: OutcomeKind, severities: &[Severity]) -> Evaluation {
        let finding = |severity| Finding { rule: "r".into(), severity, message: "m".into(), place: None, fix: None };
        Evaluation {
            policy: "p".into(),
            policy_version: "1.0.0".into(),
            digest: Digest::of(b""),
            config: serde_json::json!({}),
            mode,
            on_error,
            outcome,
            detail: String::new(),
            findings: severities.iter().copied().map(finding).collect(),
            log: vec![],
            micros: 0,
            evaluated_at: Millis(0),
        }
    }

    #[test]
    fn v5_an_error_in_mode_enforce_rejects_before_people_are_asked() {
        let judged = |mode, severity| gate(&[evaluation(mode, OnError::Closed, OutcomeKind::Verdict, &[severity])]);
        assert_eq!(judged(Mode::Enforce, Severity::Error), Gate::Rejected("p found 1 error.".into()));
        assert_eq!(judged(Mode::Enforce, Severity::Warning), Gate::Open);
        assert_eq!(judged(Mode::Shadow, Severity::Error), Gate::Open);
    }

    #[test]
    fn c_without_a_verdict_a_policy_that_fails_closed_never_passes() {
        for outcome in [OutcomeKind::Failed, OutcomeKind::Trapped, OutcomeKind::Limited] {
            assert_ne!(gate(&[evaluation(Mode::Enforce, OnError::Closed, outcome, &[])]), Gate::Open);
            assert_eq!(gate(&[evaluation(Mode::Enforce, OnError::Open, outcome, &[])]), Gate::Open);
            assert_eq!(gate(&[evaluation(Mode::Shadow, OnError::Closed, outcome, &[])]), Gate::Open);
        }
    }

    fn any_decision() -> impl Strategy<Value = Option<Decision>> {
        prop_oneof![Just(None), Just(Some(Decision::Approved)), Just(Some(Decision::Rejected))]
    }

    proptest! {
        #[test]
        fn v5_any_rejection_rejects_and_only_all_approvals_approve(decisions in proptest::collection::vec(any_decision(), 0..6)) {
            let result = tally(&decisions);
            prop_assert_eq!(result == Some(Decision::Rejected), decisions.contains(&Some(Decision::Rejected)));
            if result == Some(Decision::Approved) {
                prop_assert!(!decisions.is_empty() && decisions.iter().all(|one| *one == Some(Decision::Approved)));
            }
        }
    }
}

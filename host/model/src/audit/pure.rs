//! What follows from evaluations and decisions, as pure functions.

use berth_base::text;

use super::{Decision, Evaluation, OutcomeKind};
use crate::policy::{
    Finding, Severity,
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

/// The policies that were to decide, gave no verdict and fail open: what they watch over was not judged, and the version
/// went on all the same.
pub fn failed_open(evaluations: &[Evaluation]) -> Vec<String> {
    let open = |one: &&Evaluation| {
        one.mode == Mode::Enforce && one.on_error == OnError::Open && one.outcome != OutcomeKind::Verdict
    };
    evaluations.iter().filter(open).map(|one| one.policy.clone()).collect()
}

/// Whether this evaluation rejects the version, or would in mode `enforce`.
pub fn objects(evaluation: &Evaluation) -> bool {
    objection(evaluation).is_some()
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

/// At most `most` findings, of which the gravest are kept, and one that says how many more there were. It has the gravest
/// severity of those, so that no error is lost.
pub fn capped(findings: Vec<Finding>, most: usize) -> Vec<Finding> {
    if findings.len() <= most {
        return findings;
    }
    let mut ranked: Vec<_> = findings.into_iter().enumerate().collect();
    ranked.sort_by_key(|(place, finding)| (std::cmp::Reverse(finding.severity), *place));
    let left_out = ranked.split_off(most);
    ranked.sort_by_key(|(place, _)| *place);
    let mut kept: Vec<_> = ranked.into_iter().map(|(_, finding)| finding).collect();
    if let Some((_, gravest)) = left_out.first() {
        let (count, severity) = (text::count(left_out.len() as i64, "more finding", "more findings"), gravest.severity);
        let gravest = match severity {
            Severity::Note => "a note",
            Severity::Warning => "a warning",
            Severity::Error => "an error",
        };
        let message = format!("and {count}, of which the gravest is {gravest}");
        kept.push(Finding { rule: "more-findings".into(), severity, message, place: None, fix: None });
    }
    kept
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
    use berth_base::{clock::Millis, ids::Digest};

    fn evaluation(mode: Mode, on_error: OnError, outcome: OutcomeKind, severities: &[Severity]) -> Evaluation {
        let finding = |severity| Finding { rule: "r".into(), severity, message: "m".into(), place: None, fix: None };
        Evaluation {
            binding: None,
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

    #[test]
    fn v5_failing_open_is_said_of_policies_that_were_to_decide() {
        let said = |mode, on_error, outcome| failed_open(&[evaluation(mode, on_error, outcome, &[])]);
        for outcome in [OutcomeKind::Failed, OutcomeKind::Trapped, OutcomeKind::Limited] {
            assert_eq!(said(Mode::Enforce, OnError::Open, outcome), ["p"]);
            assert!(said(Mode::Enforce, OnError::Closed, outcome).is_empty());
            assert!(said(Mode::Shadow, OnError::Open, outcome).is_empty());
        }
        assert!(said(Mode::Enforce, OnError::Open, OutcomeKind::Verdict).is_empty());
    }

    #[test]
    fn f77_findings_are_capped_and_the_gravest_are_kept_in_their_order() {
        let finding = |severity, line: u32| Finding {
            rule: "r".into(),
            severity,
            message: line.to_string(),
            place: None,
            fix: None,
        };
        let few: Vec<_> = (0..3).map(|line| finding(Severity::Note, line)).collect();
        assert_eq!(capped(few.clone(), 3), few);
        let many = vec![
            finding(Severity::Note, 0),
            finding(Severity::Error, 1),
            finding(Severity::Note, 2),
            finding(Severity::Warning, 3),
            finding(Severity::Error, 4),
        ];
        let kept = capped(many, 3);
        let messages: Vec<_> = kept.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, ["1", "3", "4", "and 2 more findings, of which the gravest is a note"]);
        assert_eq!(kept[3].severity, Severity::Note);
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

//! What an auditor has said under one binding: "would have rejected 3 of 40" (G19). It is counted from evaluations that are
//! stored; nothing is judged anew.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{AuditId, MiniAppId, PolicyBindingId},
    version::VersionNumber,
};

use super::{Evaluation, OutcomeKind, pure::objects};
use crate::policy::{Finding, Severity, registry::Mode};

/// How many examples a summary has at most.
const MOST_EXAMPLES: usize = 10;

/// Over how many versions a summary goes when the query does not say, and at the most.
const VERSIONS: u32 = 100;
const MOST_VERSIONS: u32 = 500;

/// What to sum up.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BindingSummaryQuery {
    /// Only the versions that it judged last, 1 to 500; 100 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl BindingSummaryQuery {
    /// Over how many versions the summary goes at most.
    ///
    /// # Errors
    /// `invalid-field` for a number out of bounds.
    pub fn limit(&self) -> Result<u32> {
        let limit = self.limit.unwrap_or(VERSIONS);
        if (1..=MOST_VERSIONS).contains(&limit) {
            return Ok(limit);
        }
        Err(Error::field("limit", format!("{limit} is outside 1 to {MOST_VERSIONS}.")))
    }
}

/// What an auditor has said under one binding since that was made or changed last: of each version in its newest audit.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct BindingSummary {
    /// Id of the binding.
    pub binding: PolicyBindingId,
    /// Name of the policy.
    pub policy: String,
    /// Version of the policy.
    pub policy_version: String,
    /// Mode of the binding. In mode `shadow` nothing was rejected; the numbers say what would have been.
    pub mode: Mode,
    /// When it was bound or the binding was last changed: what was said before counts no more.
    pub since: Millis,
    /// On how many versions the policy was asked.
    pub versions: u64,
    /// How many of them it rejected, or would have.
    pub rejected: u64,
    /// How many of these no other policy in mode `enforce` rejected: what the binding alone changes.
    pub alone: u64,
    /// On how many versions it gave no verdict; with `on_error: closed` each of them counts as rejected.
    pub no_verdict: u64,
    /// The rules of its findings, the gravest and most frequent ones first.
    pub rules: Vec<RuleCount>,
    /// At most 10 of the versions that it rejected, those that it alone rejected first, of these the newest.
    pub examples: Vec<RejectionExample>,
}

/// How often a policy found a rule broken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// The severity of these findings.
    pub severity: Severity,
    /// In how many versions.
    pub versions: u64,
    /// How many findings.
    pub findings: u64,
}

/// A version that a policy rejected, or would have.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RejectionExample {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Number of the version.
    pub version: VersionNumber,
    /// Id of the audit.
    pub audit: AuditId,
    /// Whether no other policy in mode `enforce` rejected it.
    pub alone: bool,
    /// The first finding that rejects; absent when there was no verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// Why there was no verdict; absent when there was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What a policy said about one version in an audit.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Judged {
    /// The audit.
    pub audit_id: AuditId,
    /// The MiniApp.
    pub mini_app_id: MiniAppId,
    /// The version.
    pub number: VersionNumber,
    /// What the policy said.
    #[cfg_attr(feature = "sql", sqlx(flatten))]
    pub evaluation: Evaluation,
}

/// Whether the version would be rejected by one of the evaluations of its audit that were made under other bindings.
pub fn rejected_besides(binding: &PolicyBindingId, evaluations: &[Evaluation]) -> bool {
    let others = evaluations.iter().filter(|one| one.binding.as_ref() != Some(binding));
    others.filter(|one| one.mode == Mode::Enforce).any(objects)
}

impl BindingSummary {
    /// This summary with what was said added: the evaluations, newest first, and of which audits another policy rejected the
    /// version anyway.
    #[must_use]
    pub fn over(self, judged: &[Judged], rejected_anyway: &BTreeSet<AuditId>) -> Self {
        let mut examples: Vec<_> =
            judged.iter().filter(|one| objects(&one.evaluation)).map(|one| example(one, rejected_anyway)).collect();
        let (rejected, alone) = (examples.len(), examples.iter().filter(|one| one.alone).count());
        examples.sort_by_key(|one| !one.alone);
        examples.truncate(MOST_EXAMPLES);
        let silent = judged.iter().filter(|one| one.evaluation.outcome != OutcomeKind::Verdict).count();
        Self {
            versions: judged.len() as u64,
            rejected: rejected as u64,
            alone: alone as u64,
            no_verdict: silent as u64,
            rules: rules(judged),
            examples,
            ..self
        }
    }
}

fn example(judged: &Judged, rejected_anyway: &BTreeSet<AuditId>) -> RejectionExample {
    let grave = judged.evaluation.findings.iter().find(|finding| finding.severity == Severity::Error);
    RejectionExample {
        mini_app: judged.mini_app_id.clone(),
        version: judged.number.clone(),
        audit: judged.audit_id.clone(),
        alone: !rejected_anyway.contains(&judged.audit_id),
        finding: grave.cloned(),
        detail: judged.evaluation.detail.clone(),
    }
}

fn rules(judged: &[Judged]) -> Vec<RuleCount> {
    let mut counts: BTreeMap<(Severity, &str), (u64, u64)> = BTreeMap::new();
    for one in judged {
        let mut met = BTreeSet::new();
        for finding in &one.evaluation.findings {
            let rule = (finding.severity, finding.rule.as_str());
            let (versions, findings) = counts.entry(rule).or_default();
            *versions += u64::from(met.insert(rule));
            *findings += 1;
        }
    }
    let mut rules: Vec<_> = counts
        .into_iter()
        .map(|((severity, rule), (versions, findings))| RuleCount {
            rule: rule.to_owned(),
            severity,
            versions,
            findings,
        })
        .collect();
    rules.sort_by_key(|one| (Reverse(one.severity), Reverse(one.versions)));
    rules
}

#[cfg(test)]
mod tests {
    use berth_base::ids::Digest;

    use super::*;
    use crate::policy::registry::OnError;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().expect("an id")
    }

    fn binding(number: u8) -> PolicyBindingId {
        id(&format!("pb_{number:026}"))
    }

    fn said(by: u8, mode: Mode, rules: &[(&str, Severity)]) -> Evaluation {
        let finding = |(rule, severity): &(&str, Severity)| Finding {
            rule: (*rule).into(),
            severity: *severity,
            message: "m".into(),
            place: None,
            fix: None,
        };
        Evaluation {
            binding: Some(binding(by)),
            policy: "p".into(),
            policy_version: "1.0.0".into(),
            digest: Digest::of(b""),
            config: serde_json::json!({}),
            mode,
            on_error: OnError::Closed,
            outcome: OutcomeKind::Verdict,
            detail: String::new(),
            findings: rules.iter().map(finding).collect(),
            log: vec![],
            micros: 0,
            evaluated_at: Millis(0),
        }
    }

    fn judged(number: u8, evaluation: Evaluation) -> Judged {
        Judged {
            audit_id: id(&format!("aud_{number:026}")),
            mini_app_id: id("shop"),
            number: id(&format!("1.{number}.0")),
            evaluation,
        }
    }

    fn empty() -> BindingSummary {
        BindingSummary {
            binding: binding(1),
            policy: "p".into(),
            policy_version: "1.0.0".into(),
            mode: Mode::Shadow,
            since: Millis(0),
            versions: 0,
            rejected: 0,
            alone: 0,
            no_verdict: 0,
            rules: vec![],
            examples: vec![],
        }
    }

    #[test]
    fn g19_a_summary_counts_versions_and_sets_apart_what_is_rejected_anyway() {
        let error = ("grave", Severity::Error);
        let broken =
            Evaluation { outcome: OutcomeKind::Trapped, detail: "It broke.".into(), ..said(1, Mode::Shadow, &[]) };
        let all = [
            judged(4, said(1, Mode::Shadow, &[error, error, ("light", Severity::Note)])),
            judged(3, said(1, Mode::Shadow, &[("light", Severity::Note), ("middling", Severity::Warning)])),
            judged(2, broken.clone()),
            judged(1, Evaluation { on_error: OnError::Open, ..broken }),
            judged(0, said(1, Mode::Shadow, &[error])),
        ];
        let summary = empty().over(&all, &BTreeSet::from([all[0].audit_id.clone()]));
        assert_eq!((summary.versions, summary.rejected, summary.alone, summary.no_verdict), (5, 3, 2, 2));
        let rules: Vec<_> = summary.rules.iter().map(|one| (one.rule.as_str(), one.versions, one.findings)).collect();
        assert_eq!(rules, [("grave", 2, 3), ("middling", 1, 1), ("light", 2, 2)]);
        let examples: Vec<_> = summary.examples.iter().map(|one| (one.version.to_string(), one.alone)).collect();
        assert_eq!(examples, [("1.2.0".into(), true), ("1.0.0".into(), true), ("1.4.0".into(), false)]);
        assert_eq!((summary.examples[0].detail.as_str(), &summary.examples[0].finding), ("It broke.", &None));
        assert!(summary.examples[1].finding.as_ref().is_some_and(|finding| finding.rule == "grave"));
    }

    #[test]
    fn g19_a_summary_names_ten_versions_at_the_most() {
        let all: Vec<_> = (0..40).map(|at| judged(at, said(1, Mode::Enforce, &[("r", Severity::Error)]))).collect();
        let summary = empty().over(&all, &BTreeSet::new());
        assert_eq!((summary.rejected, summary.examples.len()), (40, 10));
        let limit = |limit| BindingSummaryQuery { limit }.limit().is_ok();
        assert!(limit(None) && limit(Some(1)) && limit(Some(500)) && !limit(Some(0)) && !limit(Some(501)));
    }

    #[test]
    fn g19_only_other_bindings_that_enforce_reject_a_version_anyway() {
        let error = [("r", Severity::Error)];
        let besides =
            |by, mode| rejected_besides(&binding(1), &[said(1, Mode::Enforce, &error), said(by, mode, &error)]);
        assert!(besides(2, Mode::Enforce) && !besides(2, Mode::Shadow) && !besides(1, Mode::Enforce));
    }
}

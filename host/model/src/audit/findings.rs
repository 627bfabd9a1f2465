//! The findings of all policies of an audit, as they are shown together.

use serde::{Deserialize, Serialize};

use super::{Evaluation, OutcomeKind};
use crate::policy::{Finding, registry::Mode};

/// The findings of all policies in a version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the name says it")]
pub struct Findings {
    pub findings: Vec<NamedFinding>,
    /// The policies that gave no verdict; what follows from that is their `on_error`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_verdict: Vec<NoVerdict>,
}

/// A policy that gave no verdict on a version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct NoVerdict {
    /// Name of the policy.
    pub policy: String,
    /// Mode of the policy; in mode `shadow` nothing follows.
    pub mode: Mode,
    /// What it did instead.
    pub outcome: OutcomeKind,
    /// Why, in words.
    pub detail: String,
}

/// A finding, with the policy that made it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct NamedFinding {
    /// Name of the policy.
    pub policy: String,
    /// Mode of the policy; findings in mode `shadow` decide nothing.
    pub mode: Mode,
    /// The finding; its fields are part of this object.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Findings {
    /// All findings of the evaluations, and the policies that gave no verdict, in their order.
    pub fn of(evaluations: impl IntoIterator<Item = Evaluation>) -> Self {
        let mut all = Self { findings: Vec::new(), no_verdict: Vec::new() };
        for Evaluation { policy, mode, outcome, detail, findings, .. } in evaluations {
            let named = |finding| NamedFinding { policy: policy.clone(), mode, finding };
            all.findings.extend(findings.into_iter().map(named));
            if outcome != OutcomeKind::Verdict {
                all.no_verdict.push(NoVerdict { policy, mode, outcome, detail });
            }
        }
        all
    }
}

//! The findings of all policies of an audit, as they are shown together.

use serde::{Deserialize, Serialize};

use super::Evaluation;
use crate::policy::{Finding, registry::Mode};

/// The findings of all policies in a version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the name says it")]
pub struct Findings {
    pub findings: Vec<NamedFinding>,
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
    /// All findings of the evaluations, in their order.
    pub fn of(evaluations: impl IntoIterator<Item = Evaluation>) -> Self {
        let named = |evaluation: Evaluation| {
            let (policy, mode) = (evaluation.policy, evaluation.mode);
            evaluation.findings.into_iter().map(move |finding| NamedFinding { policy: policy.clone(), mode, finding })
        };
        Self { findings: evaluations.into_iter().flat_map(named).collect() }
    }
}

//! What one policy said about one version, and how that is recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use berth_base::{
    clock::Millis,
    error::Error,
    ids::{Digest, PolicyBindingId},
};

use super::pure::capped;
use crate::policy::{
    self, Finding, LogLine, OutcomeKind,
    registry::{Mode, OnError},
};

/// How many findings of one evaluation are kept.
pub const MOST_FINDINGS: usize = 1000;

/// What one policy said about one version, with the digest and the config that it judged with (V6).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Evaluation {
    /// The binding under which it was asked; absent where a package is judged without a host, and in old audits of which it is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "sql", sqlx(rename = "binding_id"))]
    pub binding: Option<PolicyBindingId>,
    /// Name of the policy.
    pub policy: String,
    /// Version of the policy.
    pub policy_version: String,
    /// SHA-256 of the policy's wasm.
    pub digest: Digest,
    /// The config with which it judged.
    #[schema(value_type = Object)]
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub config: serde_json::Value,
    /// Whether its errors reject the version.
    pub mode: Mode,
    /// What it means when it gives no verdict.
    pub on_error: OnError,
    /// How the evaluation ended.
    pub outcome: OutcomeKind,
    /// Why there is no verdict; absent when there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The findings; empty when there is no verdict.
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub findings: Vec<Finding>,
    /// The lines that the policy logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub log: Vec<LogLine>,
    /// How long the policy took, in microseconds.
    pub micros: i64,
    /// When it was asked.
    pub evaluated_at: Millis,
}

impl Evaluation {
    /// This evaluation with the outcome, findings, log and duration of what the policy answered.
    pub fn answered(self, asked: policy::Evaluation<Vec<Finding>>) -> Self {
        let detail = asked.outcome.trouble().unwrap_or_default();
        let outcome = asked.outcome.kind();
        let findings = capped(asked.outcome.verdict().unwrap_or_default(), MOST_FINDINGS);
        Self {
            outcome,
            detail,
            findings,
            log: asked.log,
            micros: i64::try_from(asked.elapsed.as_micros()).unwrap_or(i64::MAX),
            ..self
        }
    }

    /// This evaluation, for which no time was left: the policies before it have used up the budget of the audit.
    pub fn over_budget(self, budget: Duration) -> Self {
        let seconds = budget.as_secs();
        let detail = format!(
            "It was not asked: the policies before it took the {seconds} s that all policies of an audit have together."
        );
        Self { outcome: OutcomeKind::Limited, detail, ..self }
    }

    /// This evaluation with `error` as the reason why the policy could not be asked. The outcome stays as it is.
    pub fn unasked(self, error: &Error) -> Self {
        Self { detail: format!("The policy could not be loaded: {}", error.detail), ..self }
    }
}

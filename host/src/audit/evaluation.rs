//! What one policy said about one version, and how that is recorded.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::{
    clock::Millis,
    error::Error,
    ids::Digest,
    policy::{
        self, Finding, LogLine, Outcome,
        registry::{Mode, OnError},
    },
    text::text_enum,
};

text_enum! {
    /// How the evaluation by a policy ended. Only `verdict` is a judgement; the others never count as passing.
    OutcomeKind {
        /// The policy judged.
        Verdict = "verdict",
        /// The policy said that it could not judge, or could not be loaded.
        Failed = "failed",
        /// The policy trapped: its code broke while it ran.
        Trapped = "trapped",
        /// The policy hit a limit of time, memory or another resource.
        Limited = "limited",
    }
}

/// What one policy said about one version, with the digest and the config that it judged with (V6).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Evaluation {
    /// Name of the policy.
    pub policy: String,
    /// Version of the policy.
    pub policy_version: String,
    /// SHA-256 of the policy's wasm.
    pub digest: Digest,
    /// The config with which it judged.
    #[schema(value_type = Object)]
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
    pub findings: Vec<Finding>,
    /// The lines that the policy logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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
        let (outcome, findings) = match asked.outcome {
            Outcome::Verdict(findings) => (OutcomeKind::Verdict, findings),
            Outcome::Failed { .. } => (OutcomeKind::Failed, vec![]),
            Outcome::Trapped { .. } => (OutcomeKind::Trapped, vec![]),
            Outcome::Limited(_) => (OutcomeKind::Limited, vec![]),
        };
        Self { outcome, detail, findings, log: asked.log, micros: asked.elapsed.as_micros() as i64, ..self }
    }

    /// This evaluation with `error` as the reason why the policy could not be asked. The outcome stays as it is.
    pub fn unasked(self, error: &Error) -> Self {
        Self { detail: format!("The policy could not be loaded: {}", error.detail), ..self }
    }
}

/// A row of `evaluation`.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Evaluation")]
pub struct EvaluationRow {
    pub policy: String,
    pub policy_version: String,
    pub digest: Digest,
    pub config: Json<serde_json::Value>,
    #[sqlx(try_from = "String")]
    pub mode: Mode,
    #[sqlx(try_from = "String")]
    pub on_error: OnError,
    #[sqlx(try_from = "String")]
    pub outcome: OutcomeKind,
    pub detail: String,
    pub findings: Json<Vec<Finding>>,
    pub log: Json<Vec<LogLine>>,
    pub micros: i64,
    pub evaluated_at: Millis,
}

impl From<EvaluationRow> for Evaluation {
    fn from(row: EvaluationRow) -> Self {
        Self {
            policy: row.policy,
            policy_version: row.policy_version,
            digest: row.digest,
            config: row.config.0,
            mode: row.mode,
            on_error: row.on_error,
            outcome: row.outcome,
            detail: row.detail,
            findings: row.findings.0,
            log: row.log.0,
            micros: row.micros,
            evaluated_at: row.evaluated_at,
        }
    }
}

//! What one policy said of one version, and how that is recorded.

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
    /// What came of asking a policy. Only a verdict is a judgement; the others are never "pass".
    OutcomeKind {
        /// The policy judged.
        Verdict = "verdict",
        /// The policy says that it could not judge.
        Failed = "failed",
        /// The policy broke.
        Trapped = "trapped",
        /// The policy hit a limit.
        Limited = "limited",
    }
}

/// What one policy said of one version, with the digest and the config that said it (V6).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Evaluation {
    /// The policy's name.
    pub policy: String,
    /// The policy's version.
    pub policy_version: String,
    /// SHA-256 of the policy.
    pub digest: Digest,
    /// The config that it judged with.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
    /// Whether its errors reject.
    pub mode: Mode,
    /// What its failure means.
    pub on_error: OnError,
    /// What came of it.
    pub outcome: OutcomeKind,
    /// Why there is no verdict.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What it found.
    pub findings: Vec<Finding>,
    /// What it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
    /// How long it took, in microseconds.
    pub micros: i64,
    /// When.
    pub evaluated_at: Millis,
}

impl Evaluation {
    /// With what came of asking the policy.
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

    /// Without an answer, because the policy could not be asked.
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

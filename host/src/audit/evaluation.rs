//! What one policy said of one version, and how that is recorded.

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Evaluation {
    /// The policy's name.
    pub policy: String,
    /// The policy's version.
    pub policy_version: String,
    /// SHA-256 of the policy.
    pub digest: Digest,
    /// The config that it judged with.
    #[schema(value_type = Object)]
    #[sqlx(json)]
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
    #[sqlx(json)]
    pub findings: Vec<Finding>,
    /// What it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[sqlx(json)]
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
        Self {
            outcome,
            detail,
            findings,
            log: asked.log,
            micros: i64::try_from(asked.elapsed.as_micros()).unwrap_or(i64::MAX),
            ..self
        }
    }

    /// Without an answer, because the policy could not be asked.
    pub fn unasked(self, error: &Error) -> Self {
        Self { detail: format!("The policy could not be loaded: {}", error.detail), ..self }
    }
}

//! What came of an evaluation. Four outcomes are kept apart by type, everywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Limit;

/// What came of one evaluation. Only a verdict is a judgement; the others are never "pass".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub enum Outcome<V> {
    /// The policy judged.
    Verdict(V),
    /// The policy says that it could not judge, or refuses its config.
    Failed {
        /// Its own words.
        message: String,
    },
    /// The policy broke: a wasm trap, bytes that break the interface, a call of something it was not granted.
    Trapped {
        /// Why, in words.
        reason: String,
    },
    /// A limit was hit.
    Limited(Limit),
}

impl<V> Outcome<V> {
    /// The name in JSON and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Verdict(_) => "verdict",
            Self::Failed { .. } => "failed",
            Self::Trapped { .. } => "trapped",
            Self::Limited(_) => "limited",
        }
    }

    /// Changes the verdict and keeps the rest.
    pub fn map<W>(self, change: impl FnOnce(V) -> W) -> Outcome<W> {
        match self {
            Self::Verdict(verdict) => Outcome::Verdict(change(verdict)),
            Self::Failed { message } => Outcome::Failed { message },
            Self::Trapped { reason } => Outcome::Trapped { reason },
            Self::Limited(limit) => Outcome::Limited(limit),
        }
    }

    /// Why there is no verdict, in one sentence for people; none when there is one.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Verdict(_) => None,
            Self::Failed { message } => Some(format!("The policy itself reports: {message}")),
            Self::Trapped { reason } => Some(format!("The policy broke: {reason}")),
            Self::Limited(Limit::Capacity) => Some("The host had no free instance for the policy.".into()),
            Self::Limited(limit) => Some(format!("The policy hit its {limit} limit.")),
        }
    }
}

/// How loud a line of log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the policy's author.
    Debug,
    /// For whoever reads the evaluation.
    Info,
    /// Something is not as the policy expects.
    Warn,
}

/// A policy's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogLine {
    /// How loud.
    pub level: LogLevel,
    /// As written.
    pub message: String,
}

/// One evaluation: what came of it and what it took.
#[derive(Clone, Debug)]
pub struct Evaluation<V> {
    /// What came of it.
    pub outcome: Outcome<V>,
    /// What the policy wrote, also when it then broke.
    pub log: Vec<LogLine>,
    /// The wall's time.
    pub elapsed: Duration,
    /// Bytes of all linear memories together, at the most.
    pub peak_memory: u64,
}

impl<V> Evaluation<V> {
    /// An evaluation that never ran, or was given up.
    pub(super) fn without_run(outcome: Outcome<V>, elapsed: Duration) -> Self {
        Self { outcome, log: Vec::new(), elapsed, peak_memory: 0 }
    }
}

//! The outcome of an evaluation. Its four cases are kept apart by type everywhere.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use berth_base::text::text_enum;

use super::Limit;

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

/// The outcome of one evaluation. Only a verdict is a judgement; none of the others means that a check passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub enum Outcome<V> {
    /// The policy judged.
    Verdict(V),
    /// The policy reported that it could not judge, or refused its config.
    Failed {
        /// The policy's own words.
        message: String,
    },
    /// The policy broke: a wasm trap, values that violate the interface, or a call of something that it was not
    /// granted.
    Trapped {
        /// The cause, in words.
        reason: String,
    },
    /// A limit was hit.
    Limited(Limit),
}

impl<V> Outcome<V> {
    /// Which of the four cases it is.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Self::Verdict(_) => OutcomeKind::Verdict,
            Self::Failed { .. } => OutcomeKind::Failed,
            Self::Trapped { .. } => OutcomeKind::Trapped,
            Self::Limited(_) => OutcomeKind::Limited,
        }
    }

    /// The name of the outcome in JSON and metrics.
    pub fn as_str(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The verdict, if there is one.
    pub fn verdict(self) -> Option<V> {
        match self {
            Self::Verdict(verdict) => Some(verdict),
            _ => None,
        }
    }

    /// Applies `change` to the verdict, and leaves the other outcomes as they are.
    pub fn map<W>(self, change: impl FnOnce(V) -> W) -> Outcome<W> {
        match self {
            Self::Verdict(verdict) => Outcome::Verdict(change(verdict)),
            Self::Failed { message } => Outcome::Failed { message },
            Self::Trapped { reason } => Outcome::Trapped { reason },
            Self::Limited(limit) => Outcome::Limited(limit),
        }
    }

    /// Why there is no verdict, in words for people, and how a limit that was hit is raised; `None` when there is one.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Verdict(_) => None,
            Self::Failed { message } => Some(format!("The policy itself reports: {message}")),
            Self::Trapped { reason } => Some(format!("The policy broke: {reason}")),
            Self::Limited(Limit::Capacity) => Some("The host had no free instance for the policy.".into()),
            Self::Limited(limit) => Some(format!("The policy hit its {limit} limit. {}", limit.cure())),
        }
    }
}

/// The level of a line of a policy's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Details for the author of the policy.
    Debug,
    /// Information for whoever reads the evaluation.
    Info,
    /// Something is not as the policy expects.
    Warn,
}

/// A line that a policy wrote to its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogLine {
    /// The level of the line.
    pub level: LogLevel,
    /// The text as the policy wrote it.
    pub message: String,
}

/// The result of one evaluation, with what it took.
#[derive(Clone, Debug)]
pub struct Evaluation<V> {
    /// The outcome.
    pub outcome: Outcome<V>,
    /// The log of the policy, also when the evaluation then broke.
    pub log: Vec<LogLine>,
    /// The elapsed time.
    pub elapsed: Duration,
    /// The peak of all linear memories together, in bytes.
    pub peak_memory: u64,
}

impl<V> Evaluation<V> {
    /// An evaluation that never ran, or was abandoned.
    pub fn without_run(outcome: Outcome<V>, elapsed: Duration) -> Self {
        Self { outcome, log: Vec::new(), elapsed, peak_memory: 0 }
    }

    /// An evaluation that failed before it ran.
    pub fn failed(message: String) -> Self {
        Self::without_run(Outcome::Failed { message }, Duration::ZERO)
    }
}

//! The span in which a policy is asked, for whoever reads the log with `berth::policy=debug`: which policy and binding, how it ended
//! and what it took. Never what it was told, and never its words, which may quote that. When nobody reads it, it costs nothing.

use std::fmt::Display;

use berth_base::ids::PolicyBindingId;
use berth_model::policy::{Advice, Evaluation, Finding, GrayVerdict, Outcome, Severity};
use tracing::{Span, field::Empty};

/// A span for one question to a policy, which is named with its version.
pub fn span(policy: &str, version: impl Display, binding: &PolicyBindingId) -> Span {
    tracing::debug_span!(
        target: "berth::policy",
        "policy",
        policy,
        %version,
        %binding,
        gray_task = Empty,
        outcome = Empty,
        said = Empty,
        micros = Empty,
        memory_bytes = Empty,
    )
}

/// Tells in its span how an evaluation ended.
pub fn tell<V: Said>(span: &Span, evaluation: &Evaluation<V>) {
    if span.is_disabled() {
        return;
    }
    span.record("outcome", evaluation.outcome.as_str());
    if let Outcome::Verdict(verdict) = &evaluation.outcome {
        span.record("said", verdict.word());
    }
    span.record("micros", evaluation.elapsed.as_micros() as u64);
    span.record("memory_bytes", evaluation.peak_memory);
    span.in_scope(|| tracing::debug!(target: "berth::policy", "asked"));
}

/// A verdict in a word.
pub trait Said {
    /// The word.
    fn word(&self) -> &'static str;
}

impl Said for GrayVerdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Refuse(_) => "refuse",
        }
    }
}

impl Said for Vec<Finding> {
    fn word(&self) -> &'static str {
        if self.iter().any(|finding| finding.severity == Severity::Error) { "reject" } else { "pass" }
    }
}

impl Said for Advice {
    fn word(&self) -> &'static str {
        match self {
            Self::CarryOn => "carry_on",
            Self::Suspend(_) => "suspend",
            Self::End(_) => "end",
        }
    }
}

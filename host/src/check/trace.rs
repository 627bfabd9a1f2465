//! The trace of a check says why it is answered as it is (G14). It is recorded only when somebody asks for an
//! explanation.

use serde::{Deserialize, Serialize};

use super::{index::BoundJudge, judge::Opinion};
use crate::ids::GrayTaskId;

/// One rule that was tried for a device, with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// Name of the rule: `binding`, `shelf`, `trial`, `gray-task`, `admitted`, `policy`, `online` and others.
    pub rule: String,
    /// The gray task for which the rule was tried; absent for rules of the MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// Whether the device passed the rule.
    pub passed: bool,
    /// What the rule said, in words for people.
    pub says: String,
}

/// Receives the steps of a decision. The text of a step is computed only when a recorder calls `says`.
pub trait Recorder {
    /// Receives one step.
    fn step(&mut self, rule: &str, task: Option<&GrayTaskId>, passed: bool, says: impl FnOnce() -> String);

    /// Receives the opinion of a policy. Ignored by default.
    fn judged(&mut self, _bound: &BoundJudge, _opinion: &Opinion) {}
}

/// The recorder of ordinary checks: counts the opinions of policies and ignores all steps.
pub struct Counting;

impl Recorder for Counting {
    fn step(&mut self, _: &str, _: Option<&GrayTaskId>, _: bool, _: impl FnOnce() -> String) {}

    fn judged(&mut self, bound: &BoundJudge, opinion: &Opinion) {
        bound.tally.count(opinion);
    }
}

impl Recorder for Vec<Step> {
    fn step(&mut self, rule: &str, task: Option<&GrayTaskId>, passed: bool, says: impl FnOnce() -> String) {
        self.push(Step { rule: rule.into(), gray_task: task.cloned(), passed, says: says() });
    }
}

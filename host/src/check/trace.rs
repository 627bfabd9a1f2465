//! Why a check is answered as it is (G14). Recorded for explain only: a check itself pays nothing for it.

use serde::{Deserialize, Serialize};

use super::{index::BoundJudge, judge::Opinion};
use crate::ids::GrayTaskId;

/// One rule that was tried, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// The rule: `binding`, `shelf`, `trial`, `gray-task`, `admitted`, `policy`, `online` …
    pub rule: String,
    /// The task that it was tried for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// Whether the device passed.
    pub passed: bool,
    /// What the rule said, for people.
    pub says: String,
}

/// Takes the steps of a decision. The text of a step is made only when somebody wants it.
pub trait Recorder {
    /// Takes one step.
    fn step(&mut self, rule: &str, task: Option<&GrayTaskId>, passed: bool, says: impl FnOnce() -> String);

    /// Takes what a policy said.
    fn judged(&mut self, _bound: &BoundJudge, _opinion: &Opinion) {}
}

/// What a check records: how often policies say what, and nothing that costs more.
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

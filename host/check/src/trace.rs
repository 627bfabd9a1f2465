//! The trace of a check says why it is answered as it is (G14). It is recorded only when somebody asks for an
//! explanation.

use std::sync::Arc;

use berth_base::{clock::Millis, ids::GrayTaskId};
use berth_model::{
    check::{Branch, Device, Step},
    policy::Cohorts,
};

use super::{
    index::BoundJudge,
    judge::{Opinion, Pair, TaskFacts},
};

/// Receives the steps of a decision. The text of a step is computed only when a recorder calls `says`.
pub trait Recorder {
    /// Receives one step.
    fn step(&mut self, rule: &str, task: Option<&GrayTaskId>, passed: bool, says: impl FnOnce() -> String);

    /// Receives what came of the expression of a task. What it says, and the tree, are computed only when a recorder calls `told`.
    fn composed(&mut self, task: &GrayTaskId, passed: bool, told: impl FnOnce() -> (String, Branch));

    /// Asks a policy. By default it is asked as somebody who looks on.
    fn ask(bound: &BoundJudge, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        bound.judge.explain(device, task, cohorts)
    }

    /// Receives the opinion of a policy. Ignored by default.
    fn judged(&mut self, _bound: &BoundJudge, _opinion: &Opinion) {}

    /// Receives what a policy in shadow says of the device that asks, beside what was decided. Ignored by default.
    fn shadowed(&mut self, _bound: &BoundJudge, _device: &Device, _pair: Pair, _now: Millis) {}
}

/// The recorder of ordinary checks: counts the opinions of policies and ignores all steps.
pub struct Counting;

impl Recorder for Counting {
    fn step(&mut self, _: &str, _: Option<&GrayTaskId>, _: bool, _: impl FnOnce() -> String) {}

    fn composed(&mut self, _: &GrayTaskId, _: bool, _: impl FnOnce() -> (String, Branch)) {}

    fn ask(bound: &BoundJudge, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        bound.judge.judge(device, task, cohorts)
    }

    fn judged(&mut self, bound: &BoundJudge, opinion: &Opinion) {
        bound.tally.count(opinion);
    }

    fn shadowed(&mut self, bound: &BoundJudge, device: &Device, pair: Pair, now: Millis) {
        bound.judge.shadowed(device, pair, now);
    }
}

impl Recorder for Vec<Step> {
    fn step(&mut self, rule: &str, task: Option<&GrayTaskId>, passed: bool, says: impl FnOnce() -> String) {
        self.push(Step { rule: rule.into(), gray_task: task.cloned(), passed, says: says(), tree: None });
    }

    fn composed(&mut self, task: &GrayTaskId, passed: bool, told: impl FnOnce() -> (String, Branch)) {
        let (says, tree) = told();
        self.push(Step { rule: "admits".into(), gray_task: Some(task.clone()), passed, says, tree: Some(tree) });
    }
}

//! The trace of a check says why it is answered as it is (G14). It is recorded only when somebody asks for an
//! explanation.

use berth_base::{ids::GrayTaskId, text::text_enum};
use serde::{Deserialize, Serialize};

/// One rule that was tried for a device, with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// Name of the rule: `binding`, `shelf`, `trial`, `gray-task`, `owner`, `admitted`, `policy`, `admits`, `online`, `min-version`,
    /// `forced-release` and others.
    pub rule: String,
    /// The gray task for which the rule was tried; absent for rules of the MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// Whether the device passed the rule.
    pub passed: bool,
    /// What the rule said, in words for people.
    pub says: String,
    /// What became of each part of what the task admits; of the rule `admits` only (G24).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Branch>,
}

/// A part of what a task admits, with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Branch {
    /// The name of a policy, or `all`, `any` or `not`, which are no names.
    pub what: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why a policy refused or failed, in words for people; absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// The parts of a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub of: Vec<Branch>,
}

text_enum! {
    /// What came of a part of what a task admits.
    #[schema(as = BranchOutcome)]
    Outcome {
        /// It holds: a policy admits the device.
        Admitted = "admitted",
        /// It does not hold: a policy refuses the device.
        Refused = "refused",
        /// It hangs on policies that gave no judgement.
        Failed = "failed",
        /// The rest had decided already.
        NotAsked = "not-asked",
    }
}

//! The trace of a check says why it is answered as it is (G14). It is recorded only when somebody asks for an
//! explanation.

use berth_base::ids::GrayTaskId;
use serde::{Deserialize, Serialize};

/// One rule that was tried for a device, with its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// Name of the rule: `binding`, `shelf`, `trial`, `gray-task`, `owner`, `admitted`, `policy`, `online`, `min-version`, `forced-release`
    /// and others.
    pub rule: String,
    /// The gray task for which the rule was tried; absent for rules of the MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// Whether the device passed the rule.
    pub passed: bool,
    /// What the rule said, in words for people.
    pub says: String,
}

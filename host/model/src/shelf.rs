//! What taking a MiniApp off the shelf and putting it back does to its gray tasks (A2, A3).

use berth_base::{ids::GrayTaskId, version::VersionNumber};
use serde::{Deserialize, Serialize};

use crate::{mini_app::MiniApp, rollout::State};

/// A MiniApp that was taken off the shelf or put back, with the gray tasks that this leaves suspended.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Shelved {
    /// The MiniApp; its fields are part of this object.
    #[serde(flatten)]
    pub mini_app: MiniApp,
    /// The tasks that are suspended now, newest first.
    #[serde(default)]
    pub suspended: Vec<ShelvedTask>,
    /// The tasks that `resume` has let go on, newest first.
    #[serde(default)]
    pub resumed: Vec<ShelvedTask>,
}

/// A gray task that a recall suspended, or that was suspended by hand when it came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ShelvedTask {
    /// Id of the task.
    pub id: GrayTaskId,
    /// Display name.
    pub name: String,
    /// The version that it delivers.
    pub version: VersionNumber,
    /// Its state now.
    pub state: State,
    /// Whether a recall suspended it. `resume` leaves those alone that a person suspended.
    pub by_recall: bool,
}

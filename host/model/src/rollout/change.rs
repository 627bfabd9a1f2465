//! Moves of a gray task that people or publications cause: suspend, resume, end (G5, V8, A2).

use serde::{Deserialize, Serialize};

/// The reason for moving a task.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Free text for people, at most 500 characters; may be left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

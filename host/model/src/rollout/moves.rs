//! Moves of a gray task: suspend, resume, end, by people, by the clock or by a cap (G5, V8, A2).

use serde::{Deserialize, Serialize};

use super::{Cause, Move};
use crate::access::BERTH;

/// A move that is about to be made, with its reason.
pub struct PlannedMove<'a> {
    /// The move.
    pub what: Move,
    /// Why the task moves.
    pub cause: Cause,
    /// The account that moves it, [`BERTH`], or the id of the binding of a guard.
    pub actor: &'a str,
    /// The note that comes with the move; may be empty.
    pub note: &'a str,
}

impl<'a> PlannedMove<'a> {
    /// A move that the clock causes.
    pub fn by_time(what: Move) -> Self {
        Self { what, cause: Cause::Time, actor: BERTH, note: "" }
    }
}

/// The reason for moving a task.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Free text for people, at most 500 characters; may be left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

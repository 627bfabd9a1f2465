//! Gray tasks, their moves and their admissions as the database holds them.

use super::{Cause, Move};
use crate::access::BERTH;

/// A move that is about to be made, with its reason.
pub struct PlannedMove<'a> {
    /// The move.
    pub what: Move,
    /// Why the task moves.
    pub cause: Cause,
    /// The account that moves it, or [`BERTH`].
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

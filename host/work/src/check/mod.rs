//! Checks: a device asks which versions it should run. Every host answers from an index in memory that follows the
//! event log. A check needs the database only to admit a device to a gray task.

mod engine;
mod follow;
#[cfg(test)]
mod histories;
mod load;
mod record;
mod shelf;
#[cfg(test)]
mod tests;
mod underway;

pub use berth_check::*;
pub use berth_model::check::*;
pub use follow::{Follower, refresh, run as run_follower};
pub use record::{delete_record, forget_records, get_record, run_record_forgetter, run_records, set_record};
pub use shelf::Shelf;
pub use underway::Preparing;

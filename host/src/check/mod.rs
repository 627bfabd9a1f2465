//! Checks: a device asks which versions it should run. Every host answers from an index in memory that follows the
//! event log. A check needs the database only to admit a device to a gray task.

mod admitted;
mod answer;
mod checks;
mod decide;
mod device;
mod engine;
mod follow;
mod fuse;
mod load;
mod members;
mod patience;
mod trace;
mod wire;

pub mod index;
pub mod judge;

#[cfg(test)]
mod tests;

pub use admitted::Admitted;
pub use answer::{Asker, check, explain};
pub use checks::Checks;
pub use decide::{Decision, Question, decide, is_forced};
pub(crate) use device::short;
pub use device::{Device, Key};
pub use follow::{Follower, Following, Live, refresh, run as run_follower};
pub use index::Index;
pub use members::Members;
pub use trace::{Counting, Recorder, Step};
pub use wire::{CheckRequest, CheckResponse, CheckResult, Explained, Explanation, Having, PackageRef, Reason, Status};

//! Checks: a device asks which versions it should run. Every host answers from an index in memory that follows the
//! event log. A check needs the database only to admit a device to a gray task.

mod admitted;
mod admitter;
mod answer;
mod checks;
mod decide;
mod device;
mod engine;
mod follow;
mod fuse;
mod live;
mod load;
mod marker;
mod members;
mod patience;
mod shelf;
mod trace;
mod wire;

pub mod index;
pub mod judge;

#[cfg(test)]
mod tests;

pub use admitted::Admitted;
pub use admitter::{Admission, AdmitGroup, AdmitQueue, Admitter, AdmitterCounts};
pub use answer::{Asker, check, explain};
pub use checks::Checks;
pub use decide::{Decision, Question, decide, is_forced};
pub(crate) use device::short;
pub use device::{Device, Key};
pub use follow::{Follower, refresh, run as run_follower};
pub use index::Index;
pub use live::{Following, Live};
pub use marker::{MarkQueue, Marker, Marks};
pub use members::Members;
pub use shelf::Shelf;
pub use trace::{Counting, Recorder, Step};
pub use wire::{CheckRequest, CheckResponse, CheckResult, Explained, Explanation, Having, PackageRef, Reason, Status};

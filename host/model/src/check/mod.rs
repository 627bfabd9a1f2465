//! Checks: a device asks which versions it should run. Every host answers from an index in memory that follows the
//! event log. A check needs the database only to admit a device to a gray task.

mod device;
mod record;
mod trace;
mod wire;

pub use device::{Device, Key};
pub use record::{CheckRecord, KEPT_DAYS, MOST_DAYS, RecordedDevice, SetCheckRecord, Share, StandIns, forgotten_by};
pub use trace::{Branch, Outcome, Step};
pub use wire::{
    CheckRequest, CheckResponse, CheckResult, Explained, Explanation, Had, Having, PackageRef, Reason, Status,
};

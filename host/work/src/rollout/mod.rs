//! Grayscale releases (G1–G13, G15): a task offers an approved version to some devices before everyone gets it.
//!
//! A device that passes a task's policies is *admitted*: a row, counted against the cap, that keeps the device on the
//! version. Devices already admitted keep it while the task delivers or is suspended, and after the cap has ended it;
//! after an end by hand or by time they return to the online version (G6). A task that its cap has ended can still be
//! ended by hand: that takes the version back from those who kept it.

mod admit;
mod change;
mod cohort;
mod config;
mod create;
mod edit;
mod guard;
#[cfg(test)]
mod guard_tests;
mod mark;
mod progress;
mod settle;
#[cfg(test)]
mod settle_tests;
#[cfg(test)]
mod tests;
mod ticker;
mod view;

pub use admit::run_admissions;
pub use berth_model::rollout::*;
pub use change::{end, resume, suspend};
pub use cohort::{MAX_COHORT_BYTES, MAX_COHORT_MEMBERS, cohorts, upload_cohort};
pub use config::GrayConfig;
pub use create::create;
pub use edit::edit;
pub use guard::{GuardTally, Guards, look_around, release as release_guards, run as run_guards};
pub use mark::run_marks;
pub use progress::progress;
pub use settle::{Settled, settle};
pub(crate) use settle::{require_no_guard, why_guard_suspended};
pub use ticker::{run as run_ticker, tick};
pub use view::{get, list, not_ended};

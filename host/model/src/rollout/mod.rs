//! Grayscale releases (G1–G13, G15): a task offers an approved version to some devices before everyone gets it.
//!
//! A device that passes a task's policies is *admitted*: a row, counted against the cap, that keeps the device on the
//! version. Devices already admitted keep it while the task delivers or is suspended, and after the cap has ended it;
//! after an end by hand or by time they return to the online version (G6). A task that its cap has ended can still be
//! ended by hand: that takes the version back from those who kept it.

pub mod admits;
mod cohort;
pub mod conditions;
mod create;
mod edit;
mod fallen;
mod guard;
pub mod health;
mod mark;
mod moves;
mod progress;
mod reading;
mod reason;
pub mod share;
mod side;
mod task;
mod view;
mod widen;
mod words;

pub use admits::{Admits, Ruling};
pub use cohort::{Cohort, each_text};
pub use conditions::{Conditions, HostAppRange, ObjectKind, ObjectList, Platform, PlatformRange};
pub use create::NewGrayTask;
pub use edit::{Change, EditGrayTask, EditTaskPolicy, Terms, check_cap, check_period};
pub use fallen::is_told as fallen_is_told;
pub use guard::{GuardCounts, GuardLook, GuardProgress, GuardSaid, Opinion};
pub use mark::Mark;
pub use moves::{Note, PlannedMove};
pub use progress::{Bucket, FailureReason, Progress};
pub use reading::{Column, OddLine, Reader, Reading, Take, UploadedCohort};
pub use reason::reason;
pub use side::Side;
pub use task::{Cause, Life, Move, Standing, State};
pub use view::{GrayTask, GrayTaskQuery, MoveView, TaskPolicy, stopped_by_guard};
pub use words::{Condition, English, Phrases, in_words, in_words_of};

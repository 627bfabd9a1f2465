//! Checks: a device asks which versions it should run. Every host answers from an index in memory that follows the
//! event log. A check needs the database only to admit a device to a gray task.

mod admitted;
mod admitter;
mod answer;
mod bystanders;
mod checks;
mod composed;
mod decide;
mod force;
mod fuse;
pub mod index;
pub mod judge;
mod live;
mod marker;
mod members;
mod named;
mod notes;
mod patience;
mod record;
mod trace;

pub use admitted::Admitted;
pub use admitter::{Admission, AdmitGroup, AdmitQueue, Admitter, AdmitterCounts};
pub use answer::{Asker, Newcomer, check, explain};
pub use bystanders::Bystanders;
pub use checks::Checks;
pub use decide::{Decision, Question, decide};
pub use fuse::{Ask, Fuse};
pub use index::Index;
pub use live::{Following, Live};
pub use marker::{MarkQueue, Marker, Marks, TaskMarks};
pub use members::{Members, TaskCohorts};
pub use named::{Claims, Named};
pub use notes::Batch;
pub use record::{Noted, RecordQueue, Recording, Records};
pub use trace::{Counting, Recorder};

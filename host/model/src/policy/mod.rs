//! Policies: the engine that runs them, and the registry of which are installed and bound.

mod acceptance;
pub mod figures;
mod kind;
mod limits;
mod metadata;
mod outcome;
pub mod registry;
mod values;

pub use acceptance::Acceptance;
pub use kind::{Description, PolicyKind};
pub use limits::{Limit, LimitOverrides, Limits};
pub use metadata::{PolicyMetadata, is_link};
pub use outcome::{Evaluation, LogLevel, LogLine, Outcome, OutcomeKind};
pub use values::{
    Advice, Attribute, Cohorts, Contents, Finding, GrayDevice, GrayTask, GrayVerdict, Health, NoCohorts, PackageFile,
    Place, ReadError, Severity, Window,
};

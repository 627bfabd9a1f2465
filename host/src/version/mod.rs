//! Versions of a MiniApp: their numbers, their states, and how they come online (rules V1–V12).

mod record;
mod state;

pub mod number;

pub use number::VersionNumber;
pub use record::{ManifestSummary, Version, VersionRow};
pub use state::{State, Step};

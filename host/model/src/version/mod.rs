//! Versions of MiniApps: their numbers, their states, and how they come online (V1–V12).

mod file;
mod record;
mod release;
mod state;
pub mod trial;
pub mod upload;

pub use file::VersionFile;
pub use record::{ManifestSummary, StoredManifest, Version};
pub use release::{Publish, Release, ReleaseKind, Rollback};
pub use state::{State, Transition};
pub use trial::Trial;

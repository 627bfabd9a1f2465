//! Versions of MiniApps: their numbers, their states, and how they come online (V1–V12).

mod compare;
mod file;
mod force;
mod manifest_change;
mod record;
mod release;
mod state;
pub mod trial;

pub use compare::{ChangedFile, CompareQuery, Comparison, FindingChange, Side, SizeChange};
pub use file::{MOST_SHOWN_BYTES, VersionFile, is_text};
pub use force::{Force, ForceCause};
pub use manifest_change::ManifestChange;
pub use record::{ManifestSummary, StoredManifest, Version, VersionDetail};
pub use release::{Publish, Release, ReleaseKind, Released, Rollback, is_above, note_rollbacks};
pub use state::{State, Transition};
pub use trial::{Trial, TrialEnd};

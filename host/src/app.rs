//! Everything that an operation may need, in one place.

use std::sync::Arc;

use crate::{
    blob::Blobs,
    clock::{Clock, Random},
    store::Db,
};

/// The running host. Operations take it by reference; it has no state of its own beside its parts.
pub struct App {
    /// The database.
    pub db: Db,
    /// The packages, policies and lists.
    pub blobs: Blobs,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

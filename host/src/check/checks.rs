//! What answering checks takes, and all that it takes: neither the database nor the blobs.

use std::sync::Arc;

use super::Live;
use crate::{
    check::{Admitter, Marker},
    clock::Clock,
};

/// Answers checks from memory.
#[derive(Clone)]
pub struct Checks {
    /// The index; a [`super::Follower`] keeps it current.
    pub live: Live,
    /// Where devices are admitted to grayscale tasks.
    pub admitter: Admitter,
    /// Where what became of devices is noted.
    pub marker: Marker,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

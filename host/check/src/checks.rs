//! The things that answering checks takes; the database and the blob store are not among them.

use std::sync::Arc;

use super::Live;
use berth_base::clock::Clock;

use crate::{Admitter, Marker, Records};

/// Answers checks from memory. Cheap to clone.
#[derive(Clone)]
pub struct Checks {
    /// The index of this host, which a follower of the event log keeps current.
    pub live: Live,
    /// Admits devices to gray tasks.
    pub admitter: Admitter,
    /// Notes that admitted devices run their version.
    pub marker: Marker,
    /// Notes which devices asked, where a record is kept of it.
    pub records: Records,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Checks {
    /// Waits until all that checks have noted of devices is written. Nothing else waits for it: a host that stops, so that its
    /// last moments are not lost, and a test that reads what was noted.
    pub async fn written(&self) {
        tokio::join!(self.marker.written(), self.records.written());
    }
}

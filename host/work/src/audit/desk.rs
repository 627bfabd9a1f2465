use std::sync::{Arc, atomic::AtomicU64};

use tokio::sync::{Notify, Semaphore};

use berth_package::Limits;
use berth_store::{Db, blob::Blobs};

use crate::policy::registry::Policies;

/// Everything that judging versions takes.
pub struct Audits {
    /// The database that records audits.
    pub db: Db,
    /// The store that has the packages.
    pub blobs: Blobs,
    /// The policies that judge.
    pub policies: Policies,
    /// The limits within which packages are opened.
    pub limits: Limits,
    /// Wakes the worker of this host when an audit waits.
    pub wake: Notify,
    /// How many evaluations on this host gave no verdict and failed open, since it started.
    pub failed_open: AtomicU64,
    /// The turn of a replay, of which this host has one at a time.
    pub(super) replaying: Arc<Semaphore>,
}

impl Audits {
    /// Puts the parts together; the database is that of `policies`.
    pub fn new(policies: Policies, blobs: Blobs, limits: Limits) -> Self {
        Self {
            db: policies.db.clone(),
            blobs,
            policies,
            limits,
            wake: Notify::new(),
            failed_open: AtomicU64::new(0),
            replaying: Arc::new(Semaphore::new(1)),
        }
    }
}

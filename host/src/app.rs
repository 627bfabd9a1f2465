//! Everything that an operation may need, in one place.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    blob::Blobs,
    clock::{Clock, Random},
    config::Config,
    policy::registry::Policies,
    store::Db,
};

/// The running host. Operations take it by reference; it has no state of its own beside its parts.
pub struct App {
    /// Settings.
    pub config: Config,
    /// Which of the hosts that share the database this one is: new at every start.
    pub host_id: String,
    /// The database.
    pub db: Db,
    /// The packages, policies and lists.
    pub blobs: Blobs,
    /// The loaded policies.
    pub policies: Policies,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Rung when an audit waits for its policies.
    pub audits_wake: Notify,
}

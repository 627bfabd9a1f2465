//! Where audits are done.

use tokio::sync::Notify;

use crate::{blob::Blobs, package::Limits, policy::registry::Policies, store::Db};

/// What judging versions takes.
pub struct Audits {
    /// Where audits are recorded.
    pub db: Db,
    /// The packages.
    pub blobs: Blobs,
    /// Who judges.
    pub policies: Policies,
    /// Limits of packages.
    pub limits: Limits,
    /// Rung when an audit waits for its policies.
    pub wake: Notify,
}

impl Audits {
    /// With nothing to do yet.
    pub fn new(policies: Policies, blobs: Blobs, limits: Limits) -> Self {
        Self { db: policies.db.clone(), blobs, policies, limits, wake: Notify::new() }
    }
}

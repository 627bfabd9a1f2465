//! Whether a policy takes a config.

use std::pin::Pin;

use serde_json::Value;

use crate::policy::Limits;
use berth_base::{error::Result, ids::Digest};

/// Asks policies whether they take a config.
pub trait Acceptance: Send + Sync {
    /// Asks the policy with this digest. It runs, within `limits`.
    ///
    /// # Errors
    /// `policy-config` when the policy does not take the config.
    fn accept<'a>(
        &'a self,
        policy: &'a Digest,
        config: &'a Value,
        limits: &'a Limits,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
}

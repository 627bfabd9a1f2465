//! The world `guardian`: watches a grayscale release.

use crate::{Exported, Exports, Policy, bindings::exports::berth::policy::guard};
pub use guard::{Advice, Health, Window};

/// Watches a grayscale release.
pub trait Guardian: Policy {
    /// Should the release go on? An error is the policy's own failure, never an advice.
    fn judge(&self, health: &Health) -> Result<Advice, String>;
}

impl<P: Exported + Guardian> guard::Guest for Exports<P> {
    fn judge(health: Health) -> Result<Advice, String> {
        P::configured()?.judge(&health)
    }
}

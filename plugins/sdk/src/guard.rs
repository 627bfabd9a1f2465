//! The world `guardian`: watches the health of a grayscale task.

use crate::{Exported, Exports, Policy, bindings::exports::berth::policy::guard};
pub use guard::{Advice, Health, Window};

/// A guard watches the health of a grayscale task.
pub trait Guardian: Policy {
    /// Judges whether the release should go on. An error means that the policy could not judge, and is never an advice.
    fn judge(&self, health: &Health) -> Result<Advice, String>;
}

impl<P: Exported + Guardian> guard::Guest for Exports<P> {
    fn judge(health: Health) -> Result<Advice, String> {
        P::configured()?.judge(&health)
    }
}

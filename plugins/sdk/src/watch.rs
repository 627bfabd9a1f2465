//! The world `guard`: watches the health of a grayscale task.

use crate::{Exported, Exports, Policy, bindings::exports::berth::policy::watch};
pub use watch::{Advice, Health, Window};

/// A guard watches the health of a grayscale task.
pub trait Guard: Policy {
    /// Judges whether the release should go on. An error means that the policy could not judge, and is never an advice.
    fn judge(&self, health: &Health) -> Result<Advice, String>;
}

impl<P: Exported + Guard> watch::Guest for Exports<P> {
    fn judge(health: Health) -> Result<Advice, String> {
        P::configured()?.judge(&health)
    }
}

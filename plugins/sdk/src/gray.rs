//! The world `grayscale`: chooses the devices of a grayscale release.

use crate::{Exported, Exports, Policy, bindings::exports::berth::policy::gray};
pub use gray::{Attribute, Device, Task, Verdict};

/// Chooses the devices of a grayscale release.
pub trait Grayscale: Policy {
    /// May this device have the gray version? An error is the policy's own failure, never a refusal.
    fn decide(&self, device: &Device, task: &Task) -> Result<Verdict, String>;
}

impl<P: Exported + Grayscale> gray::Guest for Exports<P> {
    fn decide(device: Device, task: Task) -> Result<Verdict, String> {
        P::configured()?.decide(&device, &task)
    }
}

/// Large lists, which stay in the host.
pub mod cohort {
    /// Whether `key` is a member of the list `name`. A list that does not exist has no members.
    #[cfg(target_arch = "wasm32")]
    pub fn contains(name: &str, key: &str) -> bool {
        crate::bindings::berth::policy::cohort::contains(name, key)
    }

    /// Whether `key` is a member of the list `name`, which a test has given to `testing::set_cohort`.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn contains(name: &str, key: &str) -> bool {
        crate::testing::in_cohort(name, key)
    }
}

//! The world `grayscale`: decides which devices get the version of a grayscale task.

use crate::{Exported, Exports, Policy, bindings::exports::berth::policy::gray};
pub use gray::{Attribute, Device, Task, Verdict};

/// A grayscale policy decides which devices get the version of a grayscale task.
pub trait Grayscale: Policy {
    /// Decides whether the device may have the gray version. An error means that the policy could not decide, and is
    /// never a refusal.
    fn decide(&self, device: &Device, task: &Task) -> Result<Verdict, String>;
}

impl<P: Exported + Grayscale> gray::Guest for Exports<P> {
    fn decide(device: Device, task: Task) -> Result<Verdict, String> {
        P::configured()?.decide(&device, &task)
    }
}

/// The lists of the host, which can be large and therefore stay there.
pub mod cohort {
    /// Whether `key`, a guid, device id or account, is a member of the list `id`. A list that does not exist has no members.
    #[cfg(target_arch = "wasm32")]
    pub fn contains(id: &str, key: &str) -> bool {
        crate::bindings::berth::policy::cohort::contains(id, key)
    }

    /// Whether `key` is a member of the list `id`, which a test has set with `testing::set_cohort`.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn contains(id: &str, key: &str) -> bool {
        crate::testing::in_cohort(id, key)
    }
}

//! Policies: the engine that runs them, and the registry of which are installed and bound.

pub(crate) mod asked;
pub mod figures;
pub mod registry;
mod seen;

pub(crate) use seen::as_seen;

pub use berth_model::policy::*;

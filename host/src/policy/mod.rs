//! Policies: the engine that runs them, and the registry of which are installed and bound.

mod acceptance;
pub mod registry;

pub use acceptance::Acceptance;

pub use berth_judge::*;

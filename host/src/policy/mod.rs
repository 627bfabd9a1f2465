//! Policies: the engine that runs them, and which of them are installed and bound.

pub mod registry;

pub use berth_judge::*;

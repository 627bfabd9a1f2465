//! Versions of MiniApps: their numbers, their states, and how they come online (V1–V12).

pub(crate) mod release;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod upload;

pub use berth_model::version::*;
pub use release::{publish, releases, roll_back};

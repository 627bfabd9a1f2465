//! Versions of MiniApps: their numbers, their states, and how they come online (V1–V12).

mod may_roll_back;
mod min_version;
pub(crate) mod release;
#[cfg(test)]
mod tests;
pub mod trial;
pub mod upload;

pub use berth_model::version::*;
pub use min_version::set_min_version;
pub use release::{publish, releases, roll_back};

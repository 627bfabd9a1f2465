//! Endpoint applications: merchants group their product instances into them (CID), bind channels to them, and limit them
//! to nodes of their organisation (E1–E11).

pub mod app;
pub mod authorisation;
pub mod channel;
pub mod fulfilment;
pub mod instance;
pub mod matrix;
pub mod membership;
pub mod merchant;
pub mod org;
pub mod owned;
pub mod runtime;
#[cfg(test)]
mod tests;
pub mod ticker;

pub use berth_model::endpoint::*;

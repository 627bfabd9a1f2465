//! Endpoint applications: merchants group their product instances into them (CID), bind channels to them, and limit them
//! to nodes of their organisation (rules E1–E11).

pub mod channel;
pub mod merchant;

pub use channel::Channel;
pub use merchant::Merchant;

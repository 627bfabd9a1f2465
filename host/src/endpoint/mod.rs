//! Endpoint applications: merchants group their product instances into them (CID), bind channels to them, and limit them
//! to nodes of their organisation (rules E1–E11).

pub mod channel;
pub mod app;
pub mod instance;
pub mod membership;
pub mod merchant;
pub mod org_prune;
pub mod register;

pub use channel::Channel;
pub use app::EndpointApp;
pub use instance::{InstanceState, ProductInstance};
pub use merchant::Merchant;

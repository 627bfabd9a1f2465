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
pub mod reach;
pub mod register;
pub mod runtime;

pub use app::EndpointApp;
pub use channel::Channel;
pub use instance::{InstanceState, ProductInstance};
pub use merchant::Merchant;
pub use org::OrgNode;

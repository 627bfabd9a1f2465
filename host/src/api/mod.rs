//! The HTTP surface.

pub mod auth;
pub mod backlog;
pub mod client_ip;
pub mod connection;
pub mod edge;
pub mod etag;
pub mod extract;
pub mod figures;
pub mod health;
pub mod idempotency;
pub mod limits;
pub mod metrics;
pub mod problem;
pub mod range;
pub mod refusals;
pub mod request_id;
pub mod router;
pub mod security;
pub mod serve;
#[cfg(test)]
mod spans;
pub mod v1;

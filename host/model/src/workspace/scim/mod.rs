//! The wire format of the address book: SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865). Members are Users, departments and tags are
//! Groups. All of it is pure: what is read, what is answered, and what a change does.

pub mod filter;
pub mod message;
pub mod patch;
mod path;
mod refusal;
pub mod resource;
pub mod schema;
pub mod view;

pub use path::AttributePath;
pub use refusal::{Reason, refuse};

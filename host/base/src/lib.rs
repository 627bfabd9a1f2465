//! What several parts of Berth share: errors and what they mean, ids, time and randomness, version numbers, pages of
//! lists, rules for text, and reading JSON.

pub mod address;
pub mod client_ip;
pub mod clock;
pub mod error;
pub mod ids;
pub mod page;
pub mod problem;
pub mod read;
pub mod secret;
#[cfg(feature = "sql")]
pub mod sql;
pub mod text;
pub mod version;

/// The database library, for the macros of this crate.
#[cfg(feature = "sql")]
#[doc(hidden)]
pub use sqlx as __sqlx;

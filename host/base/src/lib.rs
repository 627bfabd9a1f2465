//! What every part of Berth shares, and nothing that only one of them needs: errors, ids, time and randomness, version
//! numbers, pages of lists, rules for text.

pub mod clock;
pub mod error;
pub mod ids;
pub mod page;
pub mod secret;
#[cfg(feature = "sql")]
pub mod sql;
pub mod text;
pub mod version;

/// For the macros of this crate.
#[cfg(feature = "sql")]
#[doc(hidden)]
pub use sqlx as __sqlx;

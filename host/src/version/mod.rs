//! Versions of a MiniApp: their numbers and their states.

pub mod number;

pub use number::VersionNumber;

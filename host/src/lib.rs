//! Berth: a self-hosted mini-program platform. The modules stand in the order in which data flows.

pub mod clock;
pub mod error;
pub mod ids;
pub mod policy;
pub mod version;

//! Berth: a self-hosted mini-program platform. The modules stand in the order in which data flows.

pub mod version;

pub mod rollout;

pub mod check;
pub mod report;

pub mod access;
pub mod app;
pub mod blob;
pub mod clock;
pub mod error;
pub mod event;
pub mod host_app;
pub mod ids;
pub mod mini_app;
pub mod page;
pub mod store;
pub mod text;

#[cfg(test)]
mod testing;

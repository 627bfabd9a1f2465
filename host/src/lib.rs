//! Berth: a self-hosted mini-program platform. The modules stand in the order in which data flows.

pub use berth_package as package;

pub mod policy;

pub mod audit;

pub mod version;

pub mod rollout;

pub mod check;

pub mod download;

pub mod endpoint;

pub mod event;

pub use berth_base::{clock, error, ids, page, text};

pub mod access;
pub mod api;
pub mod app;
pub mod binding;
pub mod blob;
pub mod cli;
pub mod commands;
pub mod config;
pub mod host_app;
pub mod idempotency;
pub mod mini_app;
pub mod nats;
pub mod program;
pub mod report;
pub mod seal;
pub mod server;
pub mod settings;
pub mod store;
#[cfg(test)]
mod testing;
pub mod unbroken;
pub mod wechat;

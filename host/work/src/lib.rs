//! What a host does: the operations, each of which takes what it uses, and the workers. A module offers the types of its
//! namesake in `berth-model` together with what is done with them.

pub mod access;
pub mod act;
mod agreement;
pub mod app;
pub mod app_secret;
pub mod audit;
mod beat;
pub mod binding;
pub mod check;
pub mod config;
pub mod download;
pub mod endpoint;
pub mod event;
pub mod forget;
pub mod host_app;
pub mod identity;
mod jose;
pub mod log;
pub mod login_entry;
mod login_provider;
pub mod member_portal;
pub mod message;
pub mod mini_app;
pub mod nats;
pub mod official_account;
pub mod oidc;
pub mod outbound;
pub mod overview;
pub mod policy;
pub mod privacy;
pub mod report;
pub mod rollout;
pub mod search;
pub mod settings;
pub mod shelf;
pub mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod unbroken;
pub mod user;
pub mod version;
pub mod waiting;
pub mod wechat;
pub mod workspace;

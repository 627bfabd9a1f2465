//! What is said and what is decided: the types of the API, the catalogue of events, and the rules. All of it is pure: no
//! database, no clock, no network. With the feature `sql`, the types that are rows as they are can be read from it.

pub mod access;
pub mod act;
pub mod app_secret;
pub mod audit;
pub mod binding;
pub mod check;
pub mod download;
pub mod endpoint;
pub mod event;
mod finished;
pub mod host_app;
pub mod idempotency;
pub mod identity;
pub mod log;
pub mod login_entry;
pub mod member_portal;
pub mod message;
pub mod mini_app;
pub mod nearest;
pub mod official_account;
pub mod oidc;
pub mod overview;
pub mod policy;
pub mod privacy;
pub mod replay;
pub mod report;
pub mod rollout;
pub mod runtime;
mod said;
pub mod search;
pub mod settings;
pub mod shelf;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod user;
pub mod version;
pub mod waiting;
pub mod workspace;

pub use finished::Finished;

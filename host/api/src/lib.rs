//! The HTTP API: the listener, what every request passes, and the resources.

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
mod read;
pub mod refusals;
pub mod request_id;
pub mod router;
pub mod security;
pub mod serve;
#[cfg(test)]
mod spans;
pub mod v1;

use std::{ops::Deref, sync::Arc};

use berth_work::app::App;

/// What handlers take their parts from.
#[derive(Clone)]
pub struct Api(Arc<App>);

impl Deref for Api {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

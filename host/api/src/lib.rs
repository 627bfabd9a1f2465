//! The HTTP API: the listener, what every request passes, and the resources.

mod activity;
pub mod auth;
pub mod backlog;
pub mod client_ip;
pub mod connection;
mod csv;
pub mod edge;
pub mod etag;
pub mod extract;
pub mod figures;
pub mod front;
pub mod health;
pub mod idempotency;
pub mod limits;
pub mod metrics;
mod numberless;
mod oidc;
mod origin;
mod page;
pub mod precondition;
pub mod problem;
mod proved;
pub mod range;
mod read;
pub mod refusals;
pub mod request_id;
mod round_trip;
pub mod router;
mod routes;
mod scim;
pub mod security;
pub mod sent;
pub mod serve;
#[cfg(test)]
mod spans;
pub mod throttle;
pub mod v1;
mod witness;

use std::{ops::Deref, sync::Arc};

use axum::Extension;
use berth_base::{error::Result, ids::Digest};
use berth_check::Claims;
use berth_work::app::App;

use crate::{client_ip::ClientIp, throttle::Throttle};

/// What handlers take their parts from.
#[derive(Clone)]
pub struct Api {
    app: Arc<App>,
    throttle: Arc<Throttle>,
}

impl Deref for Api {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Api {
    /// Lets a request of a device about `mini_apps` pass, which came with the key of a host app (F110).
    ///
    /// # Errors
    /// `too-many-requests`, unless a list names what the device says of itself.
    fn let_pass<'a>(
        &self,
        client: Option<ClientIp>,
        key: &str,
        mini_apps: impl IntoIterator<Item = &'a str>,
        claims: &Claims<'_>,
    ) -> Result<()> {
        let index = || self.checks.live.current();
        let known = || index().knows_key(key, self.checks.clock.now()).then(|| key.to_owned());
        self.throttle.pass(client, known, || index().names(mini_apps, claims, self.checks.clock.now()))
    }

    /// Whether browsers come to this host by TLS, as far as it knows its own address.
    fn is_secure(&self) -> bool {
        self.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Lets a browser pass that opens an entry link.
    ///
    /// # Errors
    /// `too-many-requests`, by the limit of devices for each address.
    fn let_in(&self, client: Option<Extension<ClientIp>>) -> Result<()> {
        self.throttle.pass(client.map(|Extension(client)| client), || None, || None)
    }

    /// Does what takes a password, unless the client was wrong too often, or somebody about this name (P4). `name` is whose
    /// password it is, by a text that nobody else has.
    ///
    /// # Errors
    /// `too-many-requests`, and those of the work.
    async fn try_password<T>(
        &self,
        client: Option<Extension<ClientIp>>,
        name: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let client = client.map(|Extension(client)| client);
        self.throttle.try_password(client, Digest::of(name.as_bytes()), work).await
    }

    /// Does what takes an AppSecret or the code of an invitation, unless the client was wrong about secrets too often (K9).
    ///
    /// # Errors
    /// `too-many-requests`, and those of the work.
    async fn try_secret<T>(
        &self,
        client: Option<Extension<ClientIp>>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.throttle.try_secret(client.map(|Extension(client)| client), work).await
    }
}

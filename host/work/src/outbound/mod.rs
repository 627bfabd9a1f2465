//! Requests to addresses that others have named: webhooks, login providers. They go where the guard permits and nowhere else,
//! follow no redirect, and take nothing from the environment.

mod guard;

pub use guard::{Guard, Refused};

use reqwest::{Client, Url, redirect::Policy};
use std::time::Duration;

use berth_base::error::{Error, Result};

/// How long a connection without a request is kept open.
const IDLE: Duration = Duration::from_secs(5);

/// Sends requests where a guard permits.
pub struct Outbound {
    guard: Guard,
    secure: Client,
    plain: Client,
}

impl Outbound {
    /// Connects only where `guard` permits, and calls itself by `purpose`.
    ///
    /// # Errors
    /// `internal` when the HTTP client cannot be built.
    pub fn new(guard: Guard, purpose: &str) -> Result<Self> {
        let (secure, plain) = (client(&guard, true, purpose)?, client(&guard, false, purpose)?);
        Ok(Self { guard, secure, plain })
    }

    /// The guard that decides where it may connect.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What connects to an address.
    ///
    /// # Errors
    /// [`Refused`] when the address is an IP address that is not permitted. One that a name leads to is refused when it is resolved.
    pub fn to(&self, url: &Url) -> Result<&Client, Refused> {
        self.guard.literal(url)?;
        Ok(if url.scheme() == "https" { &self.secure } else { &self.plain })
    }
}

fn client(guard: &Guard, tls: bool, purpose: &str) -> Result<Client> {
    // Fails only when a provider is installed already, which is then the one that is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(format!("berth/{} ({purpose})", env!("CARGO_PKG_VERSION")))
        .dns_resolver(guard.resolver(tls))
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .http1_only()
        // What is compressed stays so, and cannot grow.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(4);
    builder.build().map_err(Error::internal)
}

/// Why there was no answer of `who`, in words for people. It contains nothing of what the host knows about its own network.
pub fn reason(who: &str, error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return refused.to_string();
        }
        last = error.to_string();
        cause = error.source();
    }
    let what = if error.is_connect() { "cannot be reached" } else { "broke off" };
    format!("{who} {what}: {}.", last.trim_end_matches('.'))
}

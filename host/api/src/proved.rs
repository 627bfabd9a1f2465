//! What the head of a request has proved, looked at once more when its body was long in coming. Whoever is slow must not act
//! on after a token was revoked, a role taken away or an AppSecret frozen (F84, K4).

use axum::{extract::FromRequestParts, http::request::Parts};
use berth_base::error::{Code, Error, Result};
use berth_model::access::Caller;
use berth_work::{
    access::{self, FRESH},
    app_secret,
};
use futures_util::FutureExt;
use std::convert::Infallible;
use tokio::time::Instant;

use crate::Api;

/// Whom a request was proved to come from, and when.
#[derive(Clone)]
pub(crate) struct Proof {
    api: Api,
    at: Instant,
    of: Sender,
}

#[derive(Clone)]
enum Sender {
    Account(Caller),
    /// The server of a MiniApp, by its token.
    Server(String),
}

impl Proof {
    pub(crate) fn of_account(api: &Api, caller: &Caller) -> Self {
        Self { api: api.clone(), at: Instant::now(), of: Sender::Account(caller.clone()) }
    }

    pub(crate) fn of_server(api: &Api, token: &str) -> Self {
        Self { api: api.clone(), at: Instant::now(), of: Sender::Server(token.to_owned()) }
    }

    /// Refuses when what was proved is old and does not hold any more.
    pub(crate) async fn holds(self) -> Result<()> {
        if self.at.elapsed() < FRESH {
            return Ok(());
        }
        match self.of {
            Sender::Server(token) => app_secret::authenticate(&self.api.db, &token).boxed().await.map(drop),
            Sender::Account(then) => {
                let now = access::look_again(&self.api.db, &then).boxed().await?;
                let has_all = then.grants.iter().all(|grant| now.grants.contains(grant));
                has_all.then_some(()).ok_or_else(|| {
                    let detail = "A role of the account was changed while the request was on its way. Send it again.";
                    Error::new(Code::MissingGrant, detail)
                })
            }
        }
    }
}

/// The proof of a request, if anybody has asked for one before its body is read.
pub(crate) struct Proved(pub Option<Proof>);

impl<S: Sync> FromRequestParts<S> for Proved {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Proved {
    /// Takes the proof from the head.
    pub(crate) fn of(head: &mut Parts) -> Self {
        Self(head.extensions.remove())
    }

    /// Refuses when what the head has proved is old and does not hold any more.
    pub(crate) async fn holds(self) -> Result<()> {
        match self.0 {
            Some(proof) => proof.holds().await,
            None => Ok(()),
        }
    }
}

//! Where a request comes from, as what is noted of a session.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header::USER_AGENT, request::Parts},
};
use berth_model::access::Origin;

use crate::{Api, client_ip::ClientIp};

/// Where a request comes from.
pub(crate) struct From(pub Origin);

impl FromRequestParts<Api> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ClientIp>().map(|ClientIp(address)| address.to_string());
        let agent = parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Ok(Self(Origin::new(address, agent.as_deref())))
    }
}

//! The address of a client, as it passes from the listener through all that serves a request.

use std::net::IpAddr;

/// The address of the client: that of the peer, or the one that trusted proxies tell. An extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

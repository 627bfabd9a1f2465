//! The address of the client. `X-Forwarded-For` may say anything unless a trusted proxy has written it.
//! `axum-client-ip` trusts one header altogether; here the peer and each hop decide how much of the header counts.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

pub use berth_base::client_ip::ClientIp;

/// The networks whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Goes through the header from its end, where trusted proxies have written, up to the first address that is not
    /// one of them.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientIp {
        let mut client = peer.to_canonical();
        let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
        let said: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        for address in said.into_iter().rev() {
            let Ok(address) = address.trim().parse::<IpAddr>() else { break };
            if !self.0.iter().any(|net| net.contains(&client)) {
                break;
            }
            client = address.to_canonical();
        }
        ClientIp(client)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn f76_the_walk_stops_at_the_first_address_that_is_not_ours() {
        let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let client = |header: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static(header));
            proxies.client("10.0.0.1".parse().unwrap(), &headers).0.to_string()
        };
        assert_eq!(client("1.1.1.1, 2.2.2.2, 10.0.0.9"), "2.2.2.2");
        assert_eq!(client("10.0.0.7, 10.0.0.9"), "10.0.0.7");
        assert_eq!(client("not an address"), "10.0.0.1");
    }
}

//! The address of the client. `X-Forwarded-For` may say anything unless a trusted proxy has written it.
//! `axum-client-ip` trusts one header altogether; here the peer and each hop decide how much of the header counts.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

pub use berth_base::client_ip::ClientIp;

/// The networks whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Goes through the header from its end, where trusted proxies have written, up to the first address that is not
    /// one of them, or up to what is no address. Clients write the rest, in any bytes.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientIp {
        let mut client = peer.to_canonical();
        let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
        for entry in lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
            let Some(address) = address(entry) else { break };
            if !self.0.iter().any(|net| net.contains(&client)) {
                break;
            }
            client = address.to_canonical();
        }
        ClientIp(client)
    }
}

/// The address of an entry, to which some proxies add the port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    /// The client of a request that came from `10.0.0.1`, one of our proxies, with these lines.
    fn client(lines: &[&[u8]]) -> String {
        let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
        }
        proxies.client("10.0.0.1".parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn f76_the_walk_stops_at_the_first_address_that_is_not_ours() {
        assert_eq!(client(&[b"1.1.1.1, 2.2.2.2, 10.0.0.9"]), "2.2.2.2");
        assert_eq!(client(&[b"1.1.1.1", b"2.2.2.2", b"10.0.0.9"]), "2.2.2.2", "lines are one list");
        assert_eq!(client(&[b"10.0.0.7, 10.0.0.9"]), "10.0.0.7");
        assert_eq!(client(&[b"not an address"]), "10.0.0.1");
    }

    #[test]
    fn f76_f110_what_a_client_has_written_hides_nothing_of_what_our_proxy_adds() {
        assert_eq!(client(&[b"\xff, 2.2.2.2"]), "2.2.2.2");
        assert_eq!(client(&[b"\xff", b"2.2.2.2, 10.0.0.9"]), "2.2.2.2");
        assert_eq!(client(&[b"1.1.1.1, \xff"]), "10.0.0.1", "nothing is read behind what is no address");
    }

    #[test]
    fn f76_an_address_may_have_its_port() {
        assert_eq!(client(&[b"\xff, 203.0.113.5:4711"]), "203.0.113.5");
        assert_eq!(client(&[b"1.1.1.1, 2.2.2.2:80, 10.0.0.9:443"]), "2.2.2.2");
        assert_eq!(client(&[b"[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(client(&[b"[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client(&[b"[::ffff:2.2.2.2]:80"]), "2.2.2.2", "an address of IPv4 has one form");
        assert_eq!(client(&[b"2.2.2.2:port"]), "10.0.0.1");
    }
}

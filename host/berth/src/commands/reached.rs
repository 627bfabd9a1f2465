//! Where a host that listens is reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address by which a browser on this machine reaches what listens there.
pub fn reached_at(bound: SocketAddr) -> String {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, bound.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p6_what_listens_everywhere_is_reached_on_loopback() {
        let at = |bound: &str| bound.parse().map(reached_at);
        assert_eq!(at("127.0.0.1:7070").as_deref(), Ok("http://127.0.0.1:7070"));
        assert_eq!(at("0.0.0.0:7070").as_deref(), Ok("http://127.0.0.1:7070"));
        assert_eq!(at("[::]:7070").as_deref(), Ok("http://[::1]:7070"));
        assert_eq!(at("192.0.2.1:80").as_deref(), Ok("http://192.0.2.1:80"));
    }
}

//! Decides to which addresses that others have named this host connects, for webhooks and to login providers: public ones, and those that the operator allows. Every connection
//! is checked after its name was resolved, so that no name can lead into the host's own network (F92, F93).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use berth_base::error::{Error, Result};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// The networks that the IANA registry of special-purpose IPv4 addresses does not call globally reachable.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 0, 8),       // this network, RFC 791
    v4(10, 0, 0, 0, 8),      // private, RFC 1918
    v4(100, 64, 0, 0, 10),   // shared by carriers, RFC 6598
    v4(127, 0, 0, 0, 8),     // loopback, RFC 1122
    v4(169, 254, 0, 0, 16),  // link-local, where clouds keep their metadata, RFC 3927
    v4(172, 16, 0, 0, 12),   // private, RFC 1918
    v4(192, 0, 0, 0, 24),    // protocol assignments, RFC 6890
    v4(192, 0, 2, 0, 24),    // documentation, RFC 5737
    v4(192, 31, 196, 0, 24), // AS112, RFC 7535
    v4(192, 52, 193, 0, 24), // AMT, RFC 7450
    v4(192, 88, 99, 0, 24),  // 6to4 relays, RFC 7526
    v4(192, 168, 0, 0, 16),  // private, RFC 1918
    v4(192, 175, 48, 0, 24), // AS112, RFC 7534
    v4(198, 18, 0, 0, 15),   // benchmarking, RFC 2544
    v4(198, 51, 100, 0, 24), // documentation, RFC 5737
    v4(203, 0, 113, 0, 24),  // documentation, RFC 5737
    v4(224, 0, 0, 0, 4),     // multicast, RFC 5771
    v4(240, 0, 0, 0, 4),     // reserved, and limited broadcast, RFC 1112, RFC 8190
];

/// The unicast addresses that IANA has assigned so far, RFC 4291. Mapped, NAT64 and local addresses lie outside.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// The networks inside [`GLOBAL_V6`] that are not globally reachable or lead through a translator.
const SPECIAL_V6: &[Ipv6Net] = &[
    v6(0x2001, 0, 0, 23),         // protocol assignments: Teredo (RFC 4380), benchmarking, ORCHID
    v6(0x2001, 0xdb8, 0, 32),     // documentation, RFC 3849
    v6(0x2002, 0, 0, 16),         // 6to4, RFC 3056
    v6(0x2620, 0x4f, 0x8000, 48), // AS112, RFC 7534
    v6(0x3fff, 0, 0, 20),         // documentation, RFC 9637
];

/// Whether an address belongs to the public internet. Addresses that stand for another one, such as IPv4-mapped ones,
/// do not: a webhook can name the address itself.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address)),
    }
}

/// The addresses to which webhooks may connect. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
}

/// A refusal of an address to which webhooks may not connect.
#[derive(Debug)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Guard {
    /// A guard that permits public addresses over TLS, and all addresses in `allowed` with and without TLS.
    pub fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into() }
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|net| net.contains(&address))
    }

    /// Whether connecting to the address is permitted. Without TLS only the operator's exceptions are.
    fn permits(&self, address: IpAddr, tls: bool) -> bool {
        self.is_allowed(address) || tls && is_public(address)
    }

    /// The URL of a receiver, checked as far as possible before its name is resolved.
    ///
    /// # Errors
    /// `invalid-field` for `url`, with the rule that it breaks.
    pub fn url(&self, text: &str) -> Result<Url> {
        self.address("url", text)
    }

    /// An address that others have named in a field, checked as far as possible before its name is resolved.
    ///
    /// # Errors
    /// `invalid-field` for `field`, with the rule that it breaks.
    pub fn address(&self, field: &str, text: &str) -> Result<Url> {
        let refuse = |rule: &str| Error::field(field, rule);
        let url =
            Url::parse(text.trim()).map_err(|_| refuse("must be an address such as https://example.com/hook."))?;
        match url.scheme() {
            "https" => {}
            "http" if !self.allowed.is_empty() => {}
            "http" => {
                return Err(refuse(
                    "must be https; plain http is for addresses that the host's --webhook-allow names.",
                ));
            }
            _ => return Err(refuse("must be https.")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not contain a user name or password."));
        }
        if url.as_str().len() > 2048 {
            return Err(refuse("must have at most 2,048 characters."));
        }
        self.literal(&url).map_err(|refused| refuse(&refused.0))?;
        Ok(url)
    }

    /// Checks a URL whose host is an IP address, for which no resolver is asked. URLs with a name pass.
    ///
    /// # Errors
    /// [`Refused`] when the address is not permitted or there is no host.
    pub fn literal(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().ok_or_else(|| Refused("has no host.".into()))?;
        // The parser has turned every spelling of an address into the usual one.
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !self.permits(address, url.scheme() == "https") => Err(refused(host)),
            _ => Ok(()),
        }
    }

    /// A DNS resolver that answers permitted addresses only, and an error when a name has none of them.
    pub(crate) fn resolver(&self, tls: bool) -> Arc<dyn Resolve> {
        Arc::new(Resolver { guard: self.clone(), tls })
    }
}

fn refused(address: &str) -> Refused {
    Refused(format!(
        "{address} is no public address, or is reached without TLS. An operator can allow it with --webhook-allow."
    ))
}

struct Resolver {
    guard: Guard,
    tls: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, tls) = (self.guard.clone(), self.tls);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let permitted: Vec<_> = found.iter().filter(|one| guard.permits(one.ip(), tls)).copied().collect();
            match found.first() {
                // By its name: where it leads inside a network is not told to who has named it.
                Some(_) if permitted.is_empty() => Err(refused(name.as_str()).into()),
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn f92_only_addresses_of_the_public_internet_are_public() {
        let public =
            ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111", "2a00::1"];
        let inside = [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in inside {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn f92_every_spelling_of_an_address_in_a_url_is_judged() {
        let guard = Guard::default();
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://①②⑦.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://127.0.0.1./",
        ] {
            assert!(guard.url(url).is_err(), "{url}");
        }
        assert!(guard.url("https://1.1.1.1/hook").is_ok());
        assert!(guard.url("https://example.com/hook?key=1").is_ok());
    }

    #[test]
    fn f92_plain_http_is_for_what_the_operator_allows() {
        let nobody = Guard::default();
        for url in ["http://example.com/", "ftp://example.com/", "https://user:secret@example.com/", "https:///", "x"] {
            assert!(nobody.url(url).is_err(), "{url}");
        }
        let home = Guard::new(&["127.0.0.0/8".parse().unwrap()]);
        assert!(home.url("http://127.0.0.1:8080/hook").is_ok());
        assert!(home.url("http://1.1.1.1/hook").is_err());
        assert!(home.url("https://10.0.0.1/hook").is_err());
    }

    #[tokio::test]
    async fn f93_a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let ask = async |guard: &Guard, tls| guard.resolver(tls).resolve("localhost".parse().unwrap()).await.map(drop);
        assert!(ask(&Guard::default(), true).await.unwrap_err().is::<Refused>());
        let home = Guard::new(&["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(ask(&home, true).await.is_ok() && ask(&home, false).await.is_ok());
    }
}

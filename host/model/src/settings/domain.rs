//! One domain with which a MiniApp may communicate: a scheme, a host name and perhaps a port, read as a browser reads an
//! origin (D1).

use std::fmt;

use berth_base::text::text_enum;
use serde::{Deserialize, Serialize};
use url::Host;

text_enum! {
    /// What a domain is for.
    DomainKind {
        /// Requests: `wx.request` and the like. `https://`.
        Request = "request",
        /// Uploads of files: `wx.uploadFile` and the like. `https://`.
        Upload = "upload",
        /// Downloads of files: `wx.downloadFile` and the like. `https://`.
        Download = "download",
        /// WebSockets: `wx.connectSocket` and the like. `wss://`.
        Socket = "socket",
        /// UDP: `wx.createUDPSocket` and the like. `udp://`; without a port for all ports.
        Udp = "udp",
        /// TCP: `wx.createTCPSocket` and the like. `tcp://`; without a port for all ports.
        Tcp = "tcp",
        /// Business domains: pages in a web-view. `https://`.
        Business = "business",
    }
}

impl DomainKind {
    /// The scheme of domains of this kind.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Request | Self::Upload | Self::Download | Self::Business => "https",
            Self::Socket => "wss",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }

    /// The port that is meant when a domain names none; `None` when all ports are.
    fn default_port(self) -> Option<u16> {
        match self {
            Self::Udp | Self::Tcp => None,
            _ => Some(443),
        }
    }
}

/// A domain in its one spelling: `https://api.example.com` or `https://api.example.com:8443`. The host is in lower case
/// and in punycode, and a port that goes without saying is left out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct Domain(String);

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Domain {
    /// The domain as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a domain of this kind.
    ///
    /// # Errors
    /// The rule that it breaks, and how to write it.
    pub fn read(kind: DomainKind, text: &str) -> Result<Self, String> {
        let authority = authority(kind, text.trim())?;
        let (host, port) = split(authority)?;
        let host = host_name(host)?;
        let port = port.map(read_port).transpose()?.filter(|port| Some(*port) != kind.default_port());
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{}://{host}{port}", kind.scheme())))
    }
}

/// What follows the scheme, without a lone slash at its end, which browsers write after an origin.
fn authority(kind: DomainKind, text: &str) -> Result<&str, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    if !scheme.eq_ignore_ascii_case(kind.scheme()) {
        let wanted = kind.scheme();
        return Err(format!("a {kind} domain begins with {wanted}://, such as {wanted}://api.example.com."));
    }
    if rest.contains('@') {
        return Err("must have no user name and no password.".into());
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    match rest.find(['/', '\\', '?', '#']) {
        Some(0) => Err(no_host()),
        Some(end) => {
            let origin = format!("{}://{}", kind.scheme(), &rest[..end]);
            Err(format!("must have no path, query or fragment; all paths of the domain are meant. Write {origin}."))
        }
        None => Ok(rest),
    }
}

fn split(authority: &str) -> Result<(&str, Option<&str>), String> {
    if authority.starts_with('[') {
        return Err(no_address());
    }
    Ok(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn no_host() -> String {
    "has no host name.".into()
}

fn no_address() -> String {
    "must be a host name, not an IP address.".into()
}

fn read_port(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or_else(|| format!("{text:?} is not a port; a port is a number from 1 to 65535."))
}

/// Ends of names that lead to no server, or to each device itself: RFC 2606, RFC 6761, RFC 6762 and RFC 7686. Names of
/// private networks, such as those below `internal`, are none of them.
const NOWHERE: [&str; 6] = ["localhost", "local", "test", "example", "invalid", "onion"];

/// The host name in lower case and punycode.
fn host_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(no_host());
    }
    if text.contains('*') {
        return Err("must not have a wildcard; name each host.".into());
    }
    let name = match Host::parse(text) {
        Ok(Host::Domain(name)) => name,
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(no_address()),
        Err(error) => return Err(format!("{text:?} is not a host name: {error}.")),
    };
    if name.ends_with('.') {
        return Err("must not end with a dot.".into());
    }
    if name.len() > 253 || !name.split('.').all(is_label) {
        let rule = "labels have 1 to 63 letters, digits and inner hyphens, and the whole at most 253 characters";
        return Err(format!("{name:?} is not a host name: {rule}."));
    }
    if let Some(place) = NOWHERE.iter().find(|place| name.rsplit('.').next() == Some(place)) {
        return Err(format!("{name} is no name that devices reach: .{place} is reserved for other uses."));
    }
    if psl::domain_str(&name).is_none() {
        let whose = format!("{name} is a public suffix, below which anybody can have a name");
        return Err(format!("{whose}. Name the host itself, such as api.example.{name}."));
    }
    Ok(name)
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use DomainKind::{Business, Request, Socket, Tcp, Udp};

    #[test]
    fn d1_a_domain_is_kept_in_one_spelling() {
        for (kind, text, kept) in [
            (Request, "https://api.example.com", "https://api.example.com"),
            (Request, " HTTPS://API.Example.COM/ ", "https://api.example.com"),
            (Request, "https://api.example.com:443", "https://api.example.com"),
            (Request, "https://api.example.com:8443", "https://api.example.com:8443"),
            (Socket, "wss://push.example.com:443", "wss://push.example.com"),
            (Socket, "wss://push.example.com:00080", "wss://push.example.com:80"),
            (Business, "https://咖啡.中国", "https://xn--bur6r.xn--fiqs8s"),
            (Business, "https://bücher.example.de", "https://xn--bcher-kva.example.de"),
            (Business, "https://ＡＰＩ。example。com", "https://api.example.com"),
            (Udp, "udp://game.example.com:443", "udp://game.example.com:443"),
            (Tcp, "tcp://game.example.com", "tcp://game.example.com"),
            (Request, "https://shop.github.io", "https://shop.github.io"),
            (Request, "https://api.corp.internal", "https://api.corp.internal"),
            (Request, "https://a.b.c.example.co.uk", "https://a.b.c.example.co.uk"),
        ] {
            assert_eq!(Domain::read(kind, text).map(|domain| domain.0), Ok(kept.to_owned()), "{text}");
        }
    }

    #[test]
    fn d1_what_is_no_domain_is_refused_with_its_rule() {
        for (kind, text, rule) in [
            (Request, "api.example.com", "begins with https://"),
            (Request, "http://api.example.com", "begins with https://"),
            (Request, "wss://api.example.com", "begins with https://"),
            (Request, "//api.example.com", "begins with https://"),
            (Socket, "https://api.example.com", "begins with wss://"),
            (Udp, "tcp://api.example.com", "begins with udp://"),
            (Request, "https://user:secret@api.example.com", "no user name"),
            (Request, "https://@api.example.com", "no user name"),
            (Request, "https://api.example.com/v1", "Write https://api.example.com."),
            (Request, "https://api.example.com?x", "no path"),
            (Request, "https://api.example.com#x", "no path"),
            (Request, "https://api.example.com\\@evil.com", "no user name"),
            (Request, "https://api.example.com\\evil", "no path"),
            (Request, "https://api.example.com//", "no path"),
            (Request, "https://127.0.0.1", "IP address"),
            (Request, "https://0x7f.1", "IP address"),
            (Request, "https://2130706433", "IP address"),
            (Request, "https://１２７.0.0.1", "IP address"),
            (Request, "https://[::1]", "IP address"),
            (Request, "https://[::1]:443", "IP address"),
            (Request, "https://", "no host name"),
            (Request, "https://:443", "no host name"),
            (Request, "https://*.example.com", "wildcard"),
            (Request, "https://api.example.com.", "end with a dot"),
            (Request, "https://api_1.example.com", "labels"),
            (Request, "https://-a.example.com", "labels"),
            (Request, "https://a..example.com", "not a host name"),
            (Request, "https://a b.example.com", "not a host name"),
            (Request, "https://api.exa\u{0}mple.com", "not a host name"),
            (Request, "https://api.exa%mple.com", "not a host name"),
            (Request, "https://api.example.com:", "not a port"),
            (Request, "https://api.example.com:0", "not a port"),
            (Request, "https://api.example.com:65536", "not a port"),
            (Request, "https://api.example.com:+1", "not a port"),
            (Request, "https://a.example.com:1:2", "not a port"),
            (Request, "https://com", "public suffix"),
            (Request, "https://co.uk", "public suffix"),
            (Request, "https://github.io", "public suffix"),
            (Request, "https://中国", "public suffix"),
            (Request, "https:///a.com", "no host name"),
            (Request, "https://localhost", "reserved"),
            (Request, "https://a.localhost", "reserved"),
            (Request, "https://printer.LOCAL", "reserved"),
            (Request, "https://api.test:8443", "reserved"),
        ] {
            let refused = Domain::read(kind, text).expect_err(text);
            assert!(refused.contains(rule), "{text}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn d1_reading_never_fails_otherwise_and_what_was_read_reads_as_itself(text in "\\PC{0,40}|https://\\PC{0,40}") {
            for kind in DomainKind::ALL {
                if let Ok(domain) = Domain::read(*kind, &text) {
                    prop_assert!(domain.as_str().is_ascii());
                    prop_assert_eq!(Domain::read(*kind, domain.as_str()), Ok(domain));
                }
            }
        }
    }
}

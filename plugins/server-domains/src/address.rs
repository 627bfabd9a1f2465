//! Reads the address of a request as far as it is known, and compares it with domains that are set.

use std::fmt;

use berth_policy_javascript::Text;

use crate::Kind;

/// The scheme, the host and the port of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: String,
    host: String,
    port: Option<String>,
}

/// What is known of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Where it leads.
    Address(Address),
    /// It leads there by a scheme that is not encrypted. The host is empty when it is not known.
    Insecure { scheme: String, host: String },
    /// It leads to this IP address, or to `localhost`.
    Ip(String),
    /// It is known only at run time.
    Unknown,
    /// It is no address of the network: a file, data, a cloud file.
    Elsewhere,
}

impl Read {
    /// Reads the text of a URL.
    pub fn url(kind: Kind, text: &Text) -> Self {
        let Some((scheme, rest)) = text.known.split_once("://") else {
            let path = text.known.starts_with(['/', '.']) || text.known.starts_with("data:");
            return if path && text.whole { Self::Elsewhere } else { Self::Unknown };
        };
        let scheme = scheme.to_ascii_lowercase();
        let end = rest.find(['/', '?', '#', '\\']);
        let authority = rest[..end.unwrap_or(rest.len())].rsplit('@').next().unwrap_or_default();
        let (host, port) = split(authority);
        let host = host.to_ascii_lowercase();
        let is_cut = end.is_none() && !text.whole;
        match scheme.as_str() {
            "http" | "ws" if is_local(&host) => Self::Ip(host),
            "http" | "ws" if is_cut && !ends_as_a_host(&host) => Self::Insecure { scheme, host: String::new() },
            "http" | "ws" => Self::Insecure { scheme, host },
            _ if scheme != wanted(kind) => Self::Elsewhere,
            _ if host.is_empty() || (is_cut && !ends_as_a_host(&host)) => Self::Unknown,
            // `https://api.example.com:` and then the port.
            _ if is_cut && port.is_some() => Self::Unknown,
            _ if !host.is_ascii() => Self::Unknown,
            _ if is_local(&host) => Self::Ip(host),
            _ => Self::Address(Address { scheme, host, port: port.filter(|port| !matches!(&**port, "" | "443")) }),
        }
    }

    /// Reads the host and the port of a socket.
    pub fn socket(kind: Kind, host: &Text, port: Option<&Text>) -> Self {
        let host_name = host.known.to_ascii_lowercase();
        match () {
            () if !host.whole || host_name.is_empty() || !host_name.is_ascii() => Self::Unknown,
            () if is_local(&host_name) => Self::Ip(host_name),
            () => {
                let port = port.filter(|port| port.whole).map(|port| port.known.clone());
                Self::Address(Address { scheme: wanted(kind).into(), host: host_name, port })
            }
        }
    }
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Socket => "wss",
        Kind::Udp => "udp",
        Kind::Tcp => "tcp",
        Kind::Request | Kind::Upload | Kind::Download | Kind::Business => "https",
    }
}

fn split(authority: &str) -> (&str, Option<String>) {
    if authority.starts_with('[') {
        return (authority, None);
    }
    authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port.to_owned())))
}

/// Whether the host can be all of it although the text goes on in a way that is not known: `https://api.example.com` and
/// then a path, not `https://api-` and then the rest of a name.
fn ends_as_a_host(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_local(host: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    host == "localhost" || host.starts_with('[') || (host.contains('.') && host.split('.').all(is_number))
}

impl Address {
    /// Whether a domain that is set is this one. A domain for UDP or TCP without a port stands for all ports, and an
    /// address without one goes to a port that is known at run time only.
    pub fn is_of(&self, domain: &str) -> bool {
        let any_port = ["udp", "tcp"].contains(&self.scheme.as_str());
        let port = domain.strip_prefix(&format!("{}://{}", self.scheme, self.host));
        let fits = |port: &str| port.is_empty() || self.port.is_none() && port.starts_with(':');
        domain == self.to_string() || any_port && port.is_some_and(fits)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.iter().try_for_each(|port| write!(f, ":{port}"))
    }
}

//! How an artefact is named: `oci://REGISTRY/NAME:TAG`, `oci://REGISTRY/NAME@sha256:…`, or both.

use std::{fmt, net::IpAddr, str::FromStr};

use berth_base::{
    error::{Error, Result},
    ids::Digest,
};

const SCHEME: &str = "oci://";
const FORM: &str =
    "must be oci://REGISTRY/NAME:TAG, with @sha256:DIGEST to pin it, such as oci://ghcr.io/example/no-eval:1.2.0";

/// Where an artefact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry: a host name or address, and the port if it is no usual one.
    pub registry: String,
    /// The name of the repository in it.
    pub name: String,
    /// The tag, which may move.
    pub tag: Option<String>,
    /// The SHA-256 of the manifest, which pins it.
    pub digest: Option<Digest>,
}

impl Reference {
    /// What to ask the registry for: the digest, which pins, before the tag.
    pub fn wanted(&self) -> String {
        let pinned = self.digest.as_ref().map(|digest| format!("sha256:{digest}"));
        pinned.or_else(|| self.tag.clone()).unwrap_or_else(|| "latest".into())
    }

    /// The host that answers for the registry. Docker Hub's has another name.
    pub fn host(&self) -> &str {
        if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry }
    }

    /// Whether the registry is on this machine, where registries are reached without TLS.
    pub fn is_loopback(&self) -> bool {
        let host = match self.registry.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.registry.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The same artefact by the digest of its manifest alone.
    pub fn pinned(&self, digest: &Digest) -> Self {
        Self { tag: None, digest: Some(digest.clone()), ..self.clone() }
    }

    /// As other tools write it: without `oci://`.
    pub fn bare(&self) -> String {
        self.to_string().replacen(SCHEME, "", 1)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.name)?;
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))?;
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@sha256:{digest}"))
    }
}

impl FromStr for Reference {
    type Err = Error;

    /// # Errors
    /// `invalid-field` for `reference`.
    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| Error::field("reference", format!("{FORM}; {why}"));
        let rest = text.trim().strip_prefix(SCHEME).ok_or_else(|| refuse("it begins with oci://."))?;
        let (registry, rest) = rest.split_once('/').ok_or_else(|| refuse("the registry is followed by a name."))?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                let hex = digest.strip_prefix("sha256:").ok_or_else(|| refuse("the digest begins with sha256:."))?;
                (rest, Some(hex.parse().map_err(|_| refuse("the digest has 64 characters of 0-9 and a-f."))?))
            }
            None => (rest, None),
        };
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag.to_owned())),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err(refuse("the registry is a host name, with its port if it has one."));
        }
        if !is_name(name) {
            return Err(refuse("a name has lower-case letters, digits and single separators, parts are split by /."));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(refuse("a tag has 1 to 128 letters, digits, _, . and -."));
        }
        Ok(Self { registry: registry.into(), name: name.into(), tag, digest })
    }
}

/// Nothing but a host and a port: no user, no path, no query could stand in it.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_v6 = is_v6.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    port && host.len() <= 253 && (is_v6 || host.split('.').all(label))
}

/// A name as the distribution specification has it.
fn is_name(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<u8>| b.is_some_and(plain);
    let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    // One dot, one or two underscores, or any number of hyphens.
    let separated = |by: &str| matches!(by, "." | "_" | "__") || by.bytes().all(|b| b == b'-');
    ends(part.bytes().next()) && ends(part.bytes().last()) && separators.into_iter().all(separated)
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn g22_a_reference_names_a_registry_a_name_a_tag_and_a_digest() {
        let whole = format!("oci://ghcr.io/example/no-eval:1.2.0@sha256:{HEX}");
        let read: Reference = whole.parse().unwrap();
        assert_eq!((read.registry.as_str(), read.name.as_str()), ("ghcr.io", "example/no-eval"));
        assert_eq!((read.tag.as_deref(), read.wanted()), (Some("1.2.0"), format!("sha256:{HEX}")));
        assert_eq!(read.to_string(), whole);
        assert_eq!("oci://a/b".parse::<Reference>().unwrap().wanted(), "latest");
        for good in ["oci://localhost:5000/a:1", "oci://[::1]:5000/a_b/c__d/e--f.g", "oci://10.0.0.1/a:v1.0-rc.1"] {
            assert_eq!(good.parse::<Reference>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn g22_what_is_no_reference_is_refused() {
        for bad in [
            "ghcr.io/a:1",
            "oci://ghcr.io",
            "oci://ghcr.io/",
            "oci://user:pw@ghcr.io/a",
            "oci://ghcr.io/A",
            "oci://ghcr.io/a..b",
            "oci://ghcr.io/a___b",
            "oci://ghcr.io/a__.b",
            "oci://ghcr.io/a__-b",
            "oci://ghcr.io/a_-b",
            "oci://ghcr.io/../a",
            "oci://ghcr.io/a/",
            "oci://ghcr.io/a:",
            "oci://ghcr.io/a:-x",
            "oci://ghcr.io/a@sha512:00",
            "oci://ghcr.io/a@sha256:00",
            "oci://ghcr.io:0/a",
            "oci://ghcr.io?x/a",
            "oci://gh cr.io/a",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn g22_a_registry_on_this_machine_is_known() {
        let is_loopback = |text: &str| text.parse::<Reference>().unwrap().is_loopback();
        assert!(["oci://localhost/a", "oci://127.0.0.1:5000/a", "oci://[::1]:5000/a"].into_iter().all(is_loopback));
        assert!(!["oci://localhost.example/a", "oci://10.0.0.1/a"].into_iter().any(is_loopback));
    }

    proptest! {
        #[test]
        fn g22_any_text_is_read_or_refused_and_what_is_read_is_written_the_same(text in "(oci://)?[a-z0-9.:/@_\\[\\]-]{0,60}") {
            if let Ok(read) = text.parse::<Reference>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}

//! Who this host is to OpenID clients: its address.

use berth_model::oidc::{Refusal, Word};
use reqwest::Url;

/// The address of this host, by which clients know it and which ID tokens name.
#[derive(Clone, Debug)]
pub struct Issuer(String);

impl Issuer {
    /// The issuer of a host with this `--public-url`.
    ///
    /// # Errors
    /// `temporarily_unavailable` without an address: clients compare it, so it cannot be guessed from requests.
    pub fn of(public_url: Option<&str>) -> Result<Self, Refusal> {
        let url = public_url.map(|url| url.trim_end_matches('/'));
        let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        url.map(|url| Self(url.to_owned())).ok_or_else(|| {
            let detail = "This host does not log users in as an OpenID provider, as it was not told its own address. Its \
                          operator gives it by --public-url, such as https://berth.example.";
            Refusal::new(Word::TemporarilyUnavailable, detail)
        })
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the origin of its pages, as browsers write it: without a path, and without the usual port.
    pub fn is_origin(&self, origin: &str) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.origin().ascii_serialization() == origin)
    }

    /// Whether browsers reach it by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn u10_the_issuer_is_the_public_address_without_a_slash() {
        let of = |url| Issuer::of(url).map(|issuer| (issuer.as_str().to_owned(), issuer.is_secure()));
        assert_eq!(of(Some("https://berth.example/")).unwrap(), ("https://berth.example".to_owned(), true));
        assert_eq!(of(Some("http://127.0.0.1:1/b")).unwrap(), ("http://127.0.0.1:1/b".to_owned(), false));
        for none in [None, Some(""), Some("berth.example")] {
            assert_eq!(of(none).unwrap_err().word, Word::TemporarilyUnavailable, "{none:?}");
        }
    }

    #[test]
    fn u17_the_origin_of_its_pages_is_told_from_that_of_a_neighbour() {
        let is = |url, origin| Issuer::of(Some(url)).unwrap().is_origin(origin);
        assert!(is("https://Berth.example:443/b/", "https://berth.example"));
        assert!(is("http://127.0.0.1:7171", "http://127.0.0.1:7171"));
        let others = ["https://wiki.berth.example", "http://berth.example", "https://berth.example:8443", "null", ""];
        assert!(others.into_iter().all(|other| !is("https://berth.example", other)));
    }
}

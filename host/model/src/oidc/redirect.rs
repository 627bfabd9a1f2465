//! Addresses to which browsers are sent back.

use url::{Host, Url};

/// How many bytes such an address has at most.
const LONGEST: usize = 2000;

/// Whether browsers may be sent back to an address: it is https, or http on loopback, and written as browsers write it, as
/// it is compared character by character.
///
/// # Errors
/// The rule that it breaks, and how to write it.
pub fn is_redirect(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("has more than {LONGEST} bytes."));
    }
    let url =
        Url::parse(text).map_err(|_| "must be an address such as https://shop.example.com/callback.".to_owned())?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err("must be https; http is for loopback (localhost, 127.0.0.1 or [::1]) only.".into()),
        _ => return Err("must be https, or http on loopback.".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must have no user name and no password.".into());
    }
    if text.contains('#') {
        return Err("must have no fragment.".into());
    }
    // A lone slash after the host is left out by many; whoever registers it without sends it without.
    let spelt = url.as_str();
    if text != spelt && spelt.strip_suffix('/') != Some(text) {
        return Err(format!("is compared character by character; write it as {spelt}"));
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The address with these parameters after those that it has.
pub fn back(address: &str, parameters: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u11_browsers_are_sent_to_https_and_loopback_only() {
        for good in [
            "https://shop.example.com/callback",
            "https://shop.example.com",
            "https://shop.example.com/",
            "https://shop.example.com:8443/a?b=c%20d",
            "http://127.0.0.1:3000/callback",
            "http://localhost/callback",
            "http://[::1]:8080/callback",
        ] {
            assert_eq!(is_redirect(good), Ok(()), "{good}");
        }
        for (bad, rule) in [
            ("", "must be an address"),
            ("/callback", "must be an address"),
            ("http://shop.example.com/callback", "must be https"),
            ("http://localhost.example.com/", "must be https"),
            ("http://127.0.0.1.example.com/", "must be https"),
            ("javascript:alert(1)", "must be https"),
            ("data:text/html,x", "must be https"),
            ("myapp://callback", "must be https"),
            ("https://user@shop.example.com/", "no user name"),
            ("https://:pass@shop.example.com/", "no user name"),
            ("https://shop.example.com/#", "no fragment"),
            ("https://shop.example.com/#a", "no fragment"),
            ("https://Shop.example.com/a", "write it as https://shop.example.com/a"),
            ("https://shop.example.com:443/a", "write it as https://shop.example.com/a"),
            ("https://shop.example.com/a/../b", "write it as https://shop.example.com/b"),
            ("https://shop.example.com\\@evil.com/", "write it as"),
            (" https://shop.example.com/a", "write it as"),
            ("https://shop.example.com/a b", "write it as https://shop.example.com/a%20b"),
        ] {
            let refused = is_redirect(bad).expect_err(bad);
            assert!(refused.contains(rule), "{bad}: {refused}");
        }
        assert!(is_redirect(&format!("https://a.example/{}", "a".repeat(2000))).is_err());
    }

    #[test]
    fn u12_parameters_come_after_those_that_are_there() {
        let url = back("https://a.example/?b=1", &[("code", "c&d"), ("state", "é #")]);
        assert_eq!(url, "https://a.example/?b=1&code=c%26d&state=%C3%A9+%23");
        assert_eq!(back("https://a.example", &[]), "https://a.example/");
    }
}

//! What a registry answers to who is not known: where a token is given (RFC 9110, and the token protocol of registries).

use std::collections::BTreeMap;

/// How a registry wants to be asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// By user name and password.
    Basic,
    /// By a token that is given elsewhere.
    Bearer {
        /// The address at which it is given.
        realm: String,
        /// The service for which it is.
        service: Option<String>,
        /// What it allows.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The first challenge of the header `WWW-Authenticate` that is understood.
    pub fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut told = parameters(rest);
        let realm = told.remove("realm")?;
        Some(Self::Bearer { realm, service: told.remove("service"), scope: told.remove("scope") })
    }
}

/// `name="value"` and `name=value`, separated by commas. What is quoted may hold commas and escaped characters.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, left) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), left)
            }
        };
        found.insert(name.trim().to_ascii_lowercase(), value);
        rest = left.trim_start_matches([',', ' ']);
    }
    found
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> (String, &str) {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn g22_challenges_are_read() {
        let bearer = Challenge::read(
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#,
        );
        let expected = Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: Some("registry.example".into()),
            scope: Some("repository:a/b:pull,push".into()),
        };
        assert_eq!(bearer, Some(expected));
        let sparse = Challenge::Bearer { realm: "x".into(), service: Some("a\"b".into()), scope: None };
        assert_eq!(Challenge::read(r#"bearer service="a\"b" , realm=x"#), Some(sparse));
        assert_eq!(Challenge::read("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(Challenge::read("Negotiate"), None);
        assert_eq!(Challenge::read("Bearer service=\"x\""), None);
    }

    proptest! {
        #[test]
        fn g22_no_challenge_is_too_odd(text in "\\PC{0,80}") {
            let _ = Challenge::read(&format!("Bearer {text}"));
        }
    }
}

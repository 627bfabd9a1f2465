//! Version numbers: `MAJOR.MINOR.PATCH`, compared numerically; a pre-release tag marks a development build.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// A version number. Ordered as semver orders: numerically, a pre-release below its release.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionNumber {
    /// The three numbers, each at most 2^31 − 1, so that every database and every client can hold them.
    pub core: [u32; 3],
    /// What follows the `-`: dot-separated `[0-9A-Za-z-]`, at most 64 characters.
    pub pre: Option<String>,
}

const MAX_PART: u32 = i32::MAX as u32;

impl VersionNumber {
    /// Whether it carries a pre-release tag and so can never be submitted or published.
    pub fn is_prerelease(&self) -> bool {
        self.pre.is_some()
    }
}

fn part(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let no_leading_zero = text == "0" || !text.starts_with('0');
    if plain && no_leading_zero { text.parse().ok().filter(|n| *n <= MAX_PART) } else { None }
}

fn is_pre(text: &str) -> bool {
    text.len() <= 64
        && text.split('.').all(|id| {
            !id.is_empty()
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && (id.len() == 1 || !id.starts_with('0') || !id.bytes().all(|b| b.is_ascii_digit()))
        })
}

fn parse(text: &str) -> Option<VersionNumber> {
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let mut parts = core.split('.');
    let core = [part(parts.next()?)?, part(parts.next()?)?, part(parts.next()?)?];
    let complete = parts.next().is_none() && pre.is_none_or(is_pre);
    complete.then(|| VersionNumber { core, pre: pre.map(Into::into) })
}

impl utoipa::PartialSchema for VersionNumber {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ObjectBuilder, Type};
        ObjectBuilder::new().schema_type(Type::String).examples(["1.10.0"]).into()
    }
}

impl utoipa::ToSchema for VersionNumber {}

impl FromStr for VersionNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::new(
                Code::InvalidVersion,
                format!("{text:?} is not a version: expected MAJOR.MINOR.PATCH without leading zeros, each at most {MAX_PART}, such as 1.10.0 or 1.10.0-rc.1."),
            )
        })
    }
}

impl TryFrom<String> for VersionNumber {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<VersionNumber> for String {
    fn from(version: VersionNumber) -> String {
        version.to_string()
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.core;
        write!(f, "{major}.{minor}.{patch}")?;
        match &self.pre {
            Some(pre) => write!(f, "-{pre}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Semver 2.0.0 §11: numeric identifiers below alphanumeric ones, numerically; fewer identifiers below more.
fn compare_pre(a: &str, b: &str) -> Ordering {
    let rank = |id: &str| match id.parse::<u128>() {
        Ok(number) => (0, number, String::new()),
        Err(_) => (1, 0, id.to_owned()),
    };
    a.split('.').map(rank).cmp(b.split('.').map(rank))
}

impl Ord for VersionNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.core.cmp(&other.core).then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => compare_pre(a, b),
        })
    }
}

impl PartialOrd for VersionNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

crate::text_in_sql!(VersionNumber);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v(text: &str) -> VersionNumber {
        text.parse().expect(text)
    }

    #[test]
    fn f29_versions_order_numerically() {
        let ascending = [
            "0.0.1",
            "0.9.0",
            "0.10.0",
            "1.9.0",
            "1.10.0-alpha",
            "1.10.0-alpha.1",
            "1.10.0-alpha.beta",
            "1.10.0-rc.2",
            "1.10.0-rc.11",
            "1.10.0",
            "2.0.0",
            "2147483647.0.0",
        ];
        assert!(ascending.windows(2).all(|pair| v(pair[0]) < v(pair[1])));
    }

    #[test]
    fn f29_what_is_not_a_version_is_refused() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.3-",
            "1.2.3-a..b",
            "1.2.3-01",
            "-1.2.3",
            "1.2.18446744073709551616",
            "2147483648.0.0",
            "١.٢.٣",
            "1.2.3 ",
            "v1.2.3",
            "1.2.3+b",
            "1.2.3_1",
        ] {
            assert!(text.parse::<VersionNumber>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn text_and_number_round_trip(core in [0..=MAX_PART, 0..=MAX_PART, 0..=MAX_PART], pre in proptest::option::of("[a-z]{1,5}(\\.[1-9][0-9]{0,3})?")) {
            let version = VersionNumber { core, pre };
            prop_assert_eq!(v(&version.to_string()), version);
        }

        #[test]
        fn the_order_is_the_order_of_the_numbers(a in [0u32..30, 0u32..30, 0u32..30], b in [0u32..30, 0u32..30, 0u32..30]) {
            let number = |core| VersionNumber { core, pre: None };
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }
    }
}

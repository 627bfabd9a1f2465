//! Version numbers: `MAJOR.MINOR.PATCH`, compared numerically; a pre-release tag marks a development build.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use crate::error::{Code, Error, Result};

/// A version number. Ordered as semver orders: numerically, and a pre-release below its release.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct VersionNumber(semver::Version);

/// The largest value of each of the three numbers, which every database and client can hold.
const MAX_PART: u32 = i32::MAX as u32;
/// How many characters a pre-release tag may have.
const MAX_PRE: usize = 64;

impl VersionNumber {
    /// The major, minor and patch number.
    pub fn core(&self) -> [u32; 3] {
        let semver::Version { major, minor, patch, .. } = self.0;
        // Exact: none is above MAX_PART.
        [major, minor, patch].map(|part| part as u32)
    }

    /// Whether it has a pre-release tag, and so can never be submitted or published.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }
}

/// Parses a semver within these bounds. Build metadata (`+…`) is refused, as two texts would then mean the same
/// version.
fn parse(text: &str) -> Option<VersionNumber> {
    let version = semver::Version::parse(text).ok()?;
    let small = [version.major, version.minor, version.patch].iter().all(|part| *part <= MAX_PART.into());
    let ours = small && version.pre.len() <= MAX_PRE && version.build.is_empty();
    ours.then_some(VersionNumber(version))
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

impl Serialize for VersionNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<VersionNumber> for String {
    fn from(version: VersionNumber) -> String {
        version.to_string()
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
            "1.10.0-rc.99999999999999999999999999999999999999999",
            "1.10.0",
            "2.0.0",
            "2147483647.0.0",
        ];
        assert!(ascending.windows(2).all(|pair| v(pair[0]) < v(pair[1])));
    }

    #[test]
    fn f29_what_is_not_a_version_is_refused() {
        let endless = format!("1.2.3-{}", "a".repeat(MAX_PRE + 1));
        for text in [
            endless.as_str(),
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
            let [major, minor, patch] = core;
            let text = format!("{major}.{minor}.{patch}{}", pre.iter().map(|pre| format!("-{pre}")).collect::<String>());
            let version = v(&text);
            prop_assert_eq!((version.to_string(), version.core(), version.is_prerelease()), (text, core, pre.is_some()));
        }

        #[test]
        fn the_order_is_the_order_of_the_numbers(a in [0u32..30, 0u32..30, 0u32..30], b in [0u32..30, 0u32..30, 0u32..30]) {
            let number = |[major, minor, patch]: [u32; 3]| v(&format!("{major}.{minor}.{patch}"));
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }
    }
}

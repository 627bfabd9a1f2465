//! Versions as devices state them: any number of numeric parts, of which missing ones are 0.

use std::{cmp::Ordering, fmt, str::FromStr};

/// The version of an app or of an operating system, such as `3.2.1` or `14`. Versions are compared numerically, and
/// missing parts are 0, so that `3.2` equals `3.2.0` (G4).
#[derive(Clone, Debug)]
pub struct Version(Vec<u64>);

/// A text that is not a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAVersion;

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected numbers separated by dots, such as 3.2.1")
    }
}

fn number(part: &str) -> Option<u64> {
    // `parse` alone would take a leading `+`.
    part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let parts: Option<Vec<u64>> = text.split('.').map(number).collect();
        parts.map(Self).ok_or(NotAVersion)
    }
}

impl Version {
    /// Whether it is above `upper` and does not begin with it: 18 is above 17, and 17.4.1 is not (G4).
    pub fn above(&self, upper: &Self) -> bool {
        let count = self.0.len().min(upper.0.len());
        Self(self.0[..count].to_vec()) > *upper
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let count = self.0.len().max(other.0.len());
        let padded = |parts: &[u64], at: usize| parts.get(at).copied().unwrap_or(0);
        (0..count)
            .map(|at| padded(&self.0, at).cmp(&padded(&other.0, at)))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().expect(text)
    }

    #[test]
    fn g4_missing_parts_are_zero() {
        assert_eq!(v("3.2"), v("3.2.0"));
        assert!(v("3.2") < v("3.2.0.1"));
        assert_eq!(v("14"), v("14.0.0.0"));
    }

    #[test]
    fn g4_an_upper_bound_stands_for_its_family() {
        for (version, upper, above) in [
            ("17.4.1", "17", false),
            ("17", "17", false),
            ("18", "17", true),
            ("3.10.9", "3.10", false),
            ("3.11", "3.10", true),
            ("3.2", "3.2.1", false),
            ("3.3", "3.2.1", true),
        ] {
            assert_eq!(v(version).above(&v(upper)), above, "{version} {upper}");
        }
    }

    #[test]
    fn f29_parts_are_numbers_and_not_text() {
        assert!(v("1.9.0") < v("1.10.0"));
        assert_eq!(v("1.02"), v("1.2"));
    }

    #[test]
    fn f29_what_is_not_a_version_is_not_guessed() {
        for text in ["", ".", "1.", "1..2", "+1", "-1", "v1", "1.2-rc", "1 ", "١", "18446744073709551616"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }
}

//! Ranges of versions, which include both ends. The upper end stands for all versions that begin with it: `17` takes
//! 17.4.1, too.

use std::fmt;

use berth_policy::{serde::Deserialize, version::Version};

/// A version in the config, as it is written and as it is compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(crate = "berth_policy::serde", try_from = "String")]
pub struct VersionText {
    text: String,
    version: Version,
}

impl TryFrom<String> for VersionText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let version = text.parse().map_err(|reason| format!("{text:?} is not a version: {reason}"))?;
        Ok(Self { text, version })
    }
}

/// A range of versions, with two, one or no ends.
pub struct Range {
    from: Option<VersionText>,
    to: Option<VersionText>,
}

impl Range {
    pub fn new(from: Option<VersionText>, to: Option<VersionText>) -> Self {
        Self { from, to }
    }

    /// Refuses a range that no version can be in, which must be a mistake.
    pub fn check(from: &Option<VersionText>, to: &Option<VersionText>) -> Result<(), String> {
        match (from, to) {
            (Some(from), Some(to)) if from.version.above(&to.version) => {
                Err(format!("the range from {} to {} is empty: exchange the two.", from.text, to.text))
            }
            _ => Ok(()),
        }
    }

    fn holds(&self, told: &str) -> Result<(), String> {
        if self.from.is_none() && self.to.is_none() {
            return Ok(());
        }
        let version: Version = told.parse().map_err(|_| format!("the device told {told:?}, which is not a version"))?;
        let inside = self.from.as_ref().is_none_or(|from| from.version <= version)
            && self.to.as_ref().is_none_or(|to| !version.above(&to.version));
        inside.then_some(()).ok_or_else(|| format!("{told} is not {self}"))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "from {} to {}.*", from.text, to.text),
            (Some(from), None) => write!(f, "{} or later", from.text),
            (None, Some(to)) => write!(f, "{}.* or earlier", to.text),
            (None, None) => f.write_str("any"),
        }
    }
}

/// Checks whether one of the ranges contains the version that the device sent. The error is `None` when there are no
/// ranges, and otherwise says why each of them does not contain it.
pub fn one_holds(ranges: impl Iterator<Item = Range>, told: &str) -> Result<(), Option<String>> {
    let mut reasons: Vec<String> = Vec::new();
    for range in ranges {
        match range.holds(told) {
            Ok(()) => return Ok(()),
            Err(reason) if reasons.contains(&reason) => {}
            Err(reason) => reasons.push(reason),
        }
    }
    Err((!reasons.is_empty()).then(|| reasons.join(", and ")))
}

//! Why checks answer `force: true`: which versions of a MiniApp must not run any more (A2, V11, V12).

use berth_base::{text::text_enum, version::VersionNumber};
use serde::{Deserialize, Serialize};

use crate::mini_app::OnShelf;

text_enum! {
    /// What makes a check answer `force: true`.
    ForceCause {
        /// The MiniApp is off the shelf.
        OffShelf = "off-shelf",
        /// The minimum usable version.
        MinVersion = "min-version",
        /// A forced release that was not rolled back.
        ForcedRelease = "forced-release",
    }
}

/// One reason why devices are told `force: true`, and which devices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Force {
    /// What it comes from.
    pub cause: ForceCause,
    /// Versions below this one must not run; absent when no version may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<VersionNumber>,
    /// The same in words.
    pub says: String,
}

impl Force {
    /// Every reason that holds for some device, the widest first. `min` is the minimum usable version, `forced` the
    /// greatest version whose forced release still stands.
    pub fn reasons(shelf: OnShelf<'_>, min: Option<&VersionNumber>, forced: Option<&VersionNumber>) -> Vec<Self> {
        let off = Self { cause: ForceCause::OffShelf, below: None, says: shelf.why_not() };
        let bounds = [(ForceCause::MinVersion, min), (ForceCause::ForcedRelease, forced)];
        let below = |(cause, below): (ForceCause, Option<&VersionNumber>)| Some(Self::below(cause, below?));
        (!shelf.is()).then_some(off).into_iter().chain(bounds.into_iter().filter_map(below)).collect()
    }

    fn below(cause: ForceCause, below: &VersionNumber) -> Self {
        let why = cause.of(below);
        Self { cause, below: Some(below.clone()), says: format!("Versions below {below} must not run: {why}.") }
    }
}

impl ForceCause {
    /// Where the bound `below` comes from, as a part of a sentence.
    pub fn of(self, below: &VersionNumber) -> String {
        match self {
            Self::OffShelf => "the MiniApp is off the shelf".into(),
            Self::MinVersion => format!("{below} is the minimum usable version"),
            Self::ForcedRelease => format!("{below} was published as forced and not rolled back"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shop, v};

    #[test]
    fn v11_v12_every_reason_is_told_with_the_versions_that_it_forces() {
        let (id, min, forced) = (shop(), v("1.1.0"), v("1.2.0"));
        let told = |on, min, forced| Force::reasons(OnShelf::of(&id, on, "recall"), min, forced);
        assert_eq!(told(true, None, None), []);
        let says: Vec<_> = told(false, Some(&min), Some(&forced)).into_iter().map(|one| one.says).collect();
        assert_eq!(
            says,
            [
                "shop is off the shelf and must not run. Reason: recall",
                "Versions below 1.1.0 must not run: 1.1.0 is the minimum usable version.",
                "Versions below 1.2.0 must not run: 1.2.0 was published as forced and not rolled back.",
            ]
        );
    }
}

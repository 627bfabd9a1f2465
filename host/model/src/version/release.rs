//! Publishing and rolling back: the release history of a MiniApp (V7–V9, V12, I1).

use berth_base::{
    clock::Millis,
    ids::{GrayTaskId, MiniAppId},
    text::text_enum,
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// How a version came online.
    ReleaseKind {
        /// It was published.
        Publish = "publish",
        /// It was brought back by a rollback.
        Rollback = "rollback",
    }
}

/// One entry of a release history. The newest entry says which version is online.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Release {
    /// Id of the MiniApp.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// The version that came online.
    #[cfg_attr(feature = "sql", sqlx(rename = "number"))]
    pub version: VersionNumber,
    /// How it came online.
    pub kind: ReleaseKind,
    /// Whether devices with an older version must update before they may run the MiniApp, unless it was rolled back.
    pub forced: bool,
    /// Whether a later rollback led below this version. A forced release that was rolled back forces nobody any more
    /// (V12). Always `false` in the event that tells of the release.
    #[serde(default)]
    #[cfg_attr(feature = "sql", sqlx(skip))]
    pub rolled_back: bool,
    /// The note that was given; absent when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account that released it.
    pub released_by: String,
    /// When it came online.
    pub released_at: Millis,
}

/// Whether a version may still come online by a publish: none leads to what is not above the online version (V7).
pub fn is_above(number: &VersionNumber, online: Option<&VersionNumber>) -> bool {
    online.is_none_or(|online| number > online)
}

/// Says of each release whether it was rolled back, which is when a later rollback led below its version. The releases
/// are those of one MiniApp, newest first, with every rollback that followed the oldest of them.
pub fn note_rollbacks(newest_first: &mut [Release]) {
    let mut lowest: Option<VersionNumber> = None;
    for release in newest_first {
        release.rolled_back = lowest.as_ref().is_some_and(|lowest| *lowest < release.version);
        if release.kind == ReleaseKind::Rollback && !release.rolled_back {
            lowest = Some(release.version.clone());
        }
    }
}

/// A release that was just made, with what else it changed.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Released {
    /// The release; its fields are part of this object.
    #[serde(flatten)]
    pub release: Release,
    /// The gray tasks that it ended (V8); absent when it ended none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended_tasks: Vec<GrayTaskId>,
    /// The version whose trial it ended; absent when it ended none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_trial: Option<VersionNumber>,
    /// What the minimum usable version was before a rollback lowered it to the version that is online now; absent when
    /// it stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_min_from: Option<VersionNumber>,
}

/// The options of a publication.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Whether devices with an older version must update before they may run the MiniApp (V12).
    #[serde(default)]
    pub forced: bool,
    /// Whether to publish it although a guard has suspended or ended a gray task of the version. Without this such a publication
    /// is refused (V14).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub despite_guard: bool,
    /// A note for the release history, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A rollback to perform.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The version to bring back, which must have been online before.
    pub to: VersionNumber,
    /// Whether the minimum usable version is lowered to that version, if it is above it. Without this such a rollback is
    /// refused (V11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lower_min: bool,
    /// A note for the release history, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{DAWN, shop, v};

    fn release(minor: u32, kind: ReleaseKind) -> Release {
        Release {
            mini_app: shop(),
            version: v(&format!("1.{minor}.0")),
            kind,
            forced: false,
            rolled_back: false,
            note: String::new(),
            released_by: "usr_1".into(),
            released_at: DAWN,
        }
    }

    /// Which of these releases, given oldest first, were rolled back.
    fn rolled_back(history: &[(u32, ReleaseKind)]) -> Vec<bool> {
        let mut newest_first: Vec<_> = history.iter().rev().map(|(minor, kind)| release(*minor, *kind)).collect();
        note_rollbacks(&mut newest_first);
        newest_first.iter().rev().map(|release| release.rolled_back).collect()
    }

    #[test]
    fn v12_a_release_is_rolled_back_by_a_later_rollback_below_it() {
        use ReleaseKind::{Publish, Rollback};
        let history = [(0, Publish), (1, Publish), (2, Publish), (1, Rollback)];
        assert_eq!(rolled_back(&history), [false, false, true, false]);
        let history = [(0, Publish), (1, Publish), (0, Rollback), (1, Publish), (2, Publish)];
        assert_eq!(rolled_back(&history), [false, true, false, false, false], "published again, it stands again");
        let history = [(0, Publish), (1, Publish), (2, Publish), (1, Rollback), (3, Publish), (0, Rollback)];
        assert_eq!(rolled_back(&history), [false, true, true, true, true, false]);
    }

    proptest! {
        /// The definition, with two loops instead of one.
        #[test]
        fn v12_each_release_looks_at_all_rollbacks_after_it(history in proptest::collection::vec((0u32..5, any::<bool>()), 0..12)) {
            let kind = |back: bool| if back { ReleaseKind::Rollback } else { ReleaseKind::Publish };
            let history: Vec<_> = history.into_iter().map(|(minor, back)| (minor, kind(back))).collect();
            let expected: Vec<_> = (0..history.len())
                .map(|at| history[at + 1..].iter().any(|(to, kind)| *kind == ReleaseKind::Rollback && *to < history[at].0))
                .collect();
            prop_assert_eq!(rolled_back(&history), expected);
        }
    }
}

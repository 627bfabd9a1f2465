//! Publishing and rolling back: the release history of a MiniApp (V7–V9, V12, I1).

use berth_base::{clock::Millis, ids::MiniAppId, text::text_enum, version::VersionNumber};
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
    /// Whether devices with an older version must update before they may run the MiniApp.
    pub forced: bool,
    /// The note that was given; absent when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account that released it.
    pub released_by: String,
    /// When it came online.
    pub released_at: Millis,
}

/// The options of a publication.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Whether devices with an older version must update before they may run the MiniApp (V12).
    #[serde(default)]
    pub forced: bool,
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
    /// A note for the release history, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

//! MiniApps: a team creates them, edits them, and takes them off the shelf and back. An id never changes (A1–A4, V11).

mod shelf;

pub use shelf::OnShelf;

use berth_base::{
    clock::Millis,
    ids::{MiniAppId, TeamId},
    text::text_enum,
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};

use crate::access::Scope;

/// A MiniApp: a mini-program with its versions.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct MiniApp {
    /// Id of the MiniApp. It never changes and never comes to mean another MiniApp.
    pub id: MiniAppId,
    /// Id of the team that owns it.
    #[cfg_attr(feature = "sql", sqlx(rename = "team_id"))]
    pub team: TeamId,
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// Description for people, at most 2,000 characters; may be empty.
    pub description: String,
    /// Whether it is on the shelf. Off the shelf it has no service in any host app.
    pub on_shelf: bool,
    /// Why it is off the shelf; absent when no reason was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shelf_note: String,
    /// Devices with an older version than this must update before they run the MiniApp; absent for no minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<VersionNumber>,
    /// When it was created.
    pub created_at: Millis,
}

/// A MiniApp in a list, with what is next for it. Through a host app, without a role in its team, somebody sees what was
/// submitted to that host app; what is in grayscale, and when something changed, is the team's own.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct ListedMiniApp {
    /// The MiniApp; its members are part of this object.
    #[serde(flatten)]
    #[cfg_attr(feature = "sql", sqlx(flatten))]
    pub mini_app: MiniApp,
    /// The online version; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<VersionNumber>,
    /// The greatest version that is under audit; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auditing: Option<VersionNumber>,
    /// The greatest version that is approved and was never online; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<VersionNumber>,
    /// How many gray tasks deliver; absent when the caller sees it through a host app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivering: Option<i64>,
    /// How many gray tasks are suspended; absent when the caller sees it through a host app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<i64>,
    /// When somebody last changed it, its versions or its gray tasks; absent when the caller sees it through a host app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
}

/// A MiniApp to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMiniApp {
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// Id of the team that is to own it; may be left out when the caller has a role in one team only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Id of the MiniApp: 3 to 63 characters of a-z, 0-9 and `-`, with single dots between parts, such as `coffee` or
    /// `org.example.coffee`. Generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MiniAppId>,
    /// Description for people, at most 2,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Changes to what describes a MiniApp. Absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditMiniApp {
    /// New display name, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// New description, at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Takes a MiniApp off the shelf or puts it back.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shelf {
    /// Whether it is to be on the shelf.
    pub on: bool,
    /// The reason for taking it off the shelf, at most 500 characters. Refused downloads show it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether the gray tasks that a recall suspended go on. Only with `on`; also for a MiniApp that is on the shelf
    /// already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resume: bool,
}

/// The minimum usable version of a MiniApp, to be set.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MinVersion {
    /// The oldest version that may still run, not above the online version; `null` for no minimum.
    pub version: Option<VersionNumber>,
}

text_enum! {
    /// Whether a MiniApp is on the shelf or off it.
    ShelfSide {
        /// It is on the shelf: host apps get service.
        On = "on",
        /// It is off the shelf.
        Off = "off",
    }
}

/// Which MiniApps to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MiniAppQuery {
    /// Only MiniApps of this team.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Only MiniApps whose name or id contains this text, in upper or lower case.
    #[serde(default)]
    pub search: Option<String>,
    /// Only MiniApps that are on the shelf, or only those that are off it.
    #[serde(default)]
    pub shelf: Option<ShelfSide>,
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many MiniApps a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl MiniApp {
    /// The scope in which roles for this MiniApp are held: its team.
    pub fn scope(&self) -> Scope {
        Scope::Team(self.team.clone())
    }
}

//! Creates gray tasks (G1–G4, G12).

use berth_base::{clock::Millis, version::VersionNumber};
use serde::{Deserialize, Serialize};

use super::{Admits, Conditions, HostAppRange, ObjectList, PlatformRange};
use crate::policy::registry::NewPolicyBinding;

/// A gray task to create. Unknown fields are refused, as a misspelt condition would restrict nobody.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrayTask {
    /// Display name, 1 to 20 characters (G2).
    pub name: String,
    /// The version to deliver. It must be approved, never have been online, and be above the online version (G1).
    pub version: VersionNumber,
    /// When the task begins to deliver.
    pub start: Millis,
    /// When the task ends; not in the past and not before `start` (G3).
    pub end: Millis,
    /// The cap: how many distinct devices the task admits at most, 1 or more; leave it out for no cap (G7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// Only devices in any of these host apps (G4). This and the following conditions never restrict when they are
    /// empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_apps: Vec<HostAppRange>,
    /// Only devices with any of these platforms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformRange>,
    /// Only devices on any of these networks, such as `wifi` or `5g`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Only devices or accounts in any of these lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectList>,
    /// Further policies, at most 16: grayscale policies, all of which must admit a device unless `admits` says otherwise (G12),
    /// and guards, each of which watches the health of the task (G13).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<NewPolicyBinding>,
    /// Which of them have to admit a device, as an expression over their names (G24); all, and all conditions, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admits: Option<Admits>,
}

impl NewGrayTask {
    /// What a device has to be, as the config of the standard conditions.
    pub fn conditions(&self) -> Conditions {
        let Self { host_apps, platforms, networks, objects, .. } = self.clone();
        Conditions { host_apps, platforms, networks, objects }
    }
}

//! The standard conditions of a gray task (G4): what people fill in, and the same in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::{Condition, English, Phrases};

use berth_base::{
    error::{Error, Result},
    ids::{CohortId, HostAppId},
    text::{self, text_enum},
};

/// Name of the built-in policy that judges [`Conditions`]; its config is their JSON.
pub const POLICY: &str = "standard-conditions";

/// Entries that each condition takes.
const MAX_ENTRIES: usize = 100;
const MAX_TYPED_OBJECTS: usize = 1000;

text_enum! {
    /// The operating system of a device.
    Platform {
        /// Android.
        Android = "android",
        /// iOS and iPadOS.
        Ios = "ios",
        /// HarmonyOS.
        Harmony = "harmony",
    }
}

text_enum! {
    /// Which property of a device a list of objects names.
    ObjectKind {
        /// The `guid` of a device, which names an installation of a host app.
        Guid = "guid",
        /// The `device_id`, which names the hardware.
        DeviceId = "device_id",
        /// The account that is logged in.
        Account = "account",
    }
}

/// A host app, optionally limited to a range of its versions, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HostAppRange {
    /// Id of the host app, which must be bound to the MiniApp.
    pub id: HostAppId,
    /// Oldest version of the host app that qualifies, such as `3.2`; absent for no lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<String>,
    /// Newest version of the host app that qualifies, with all that begin with it: `3.9` takes 3.9.4, too. Absent for no
    /// upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_version: Option<String>,
}

/// A platform, optionally limited to a range of system versions, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformRange {
    /// The platform.
    pub platform: Platform,
    /// Oldest system version that qualifies, such as `12`; absent for no lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_os: Option<String>,
    /// Newest system version that qualifies, with all that begin with it: `17` takes 17.4.1, too. Absent for no upper
    /// bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_os: Option<String>,
}

/// A list of devices or accounts: either typed (`values`) or uploaded (`cohort`), never both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectList {
    /// Which property of a device the members of the list are compared with.
    pub kind: ObjectKind,
    /// The typed members, at most 1,000 of at most 255 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Id of an uploaded list of the same MiniApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<CohortId>,
}

/// The standard conditions of a gray task. A device must meet all of them; an empty one never restricts (G4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Conditions {
    /// The device runs in any of these host apps; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_apps: Vec<HostAppRange>,
    /// The device has any of these platforms; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformRange>,
    /// The device is on any of these networks, such as `wifi` or `5g`; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// The device or its account is in any of these lists; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectList>,
}

impl Conditions {
    /// Whether no condition restricts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks counts and lengths. Whether the ranges make sense is left to the policy that uses them.
    ///
    /// # Errors
    /// `invalid-field`, naming the condition.
    pub fn check(&self) -> Result<()> {
        at_most("host_apps", self.host_apps.len(), MAX_ENTRIES)?;
        at_most("platforms", self.platforms.len(), MAX_ENTRIES)?;
        at_most("networks", self.networks.len(), MAX_ENTRIES)?;
        at_most("objects", self.objects.len(), MAX_ENTRIES)?;
        for network in &self.networks {
            text::name("networks", network, 32)?;
        }
        self.objects.iter().try_for_each(ObjectList::check)
    }

    /// The config of the policy that judges them.
    pub fn config(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// One condition in words, named as its member; `None` when it does not restrict.
    pub fn told(&self, member: &str) -> Option<String> {
        let none = Self::default();
        let Self { host_apps, platforms, networks, objects } = self.clone();
        let alone = match member {
            "host_apps" => Self { host_apps, ..none },
            "platforms" => Self { platforms, ..none },
            "networks" => Self { networks, ..none },
            "objects" => Self { objects, ..none },
            _ => none,
        };
        alone.in_words().pop()
    }

    /// The conditions in words, one phrase for each that restricts (G8).
    pub fn in_words(&self) -> Vec<String> {
        self.in_words_of(&English)
    }

    /// The same in a language.
    pub fn in_words_of(&self, phrases: &dyn Phrases) -> Vec<String> {
        let listed = |parts: Vec<String>| parts.join(phrases.or());
        let lists = [
            (Condition::HostApp, listed(self.host_apps.iter().map(|range| range.told(phrases)).collect())),
            (Condition::Platform, listed(self.platforms.iter().map(|range| range.told(phrases)).collect())),
            (Condition::Network, listed(self.networks.clone())),
            (Condition::Object, listed(self.objects.iter().map(|list| phrases.objects(list)).collect())),
        ];
        lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(what, list)| phrases.condition(what, &list))
            .collect()
    }
}

impl ObjectList {
    fn check(&self) -> Result<()> {
        if self.values.is_empty() == self.cohort.is_none() {
            return Err(Error::field("objects", "each list has either values or a cohort."));
        }
        if self.values.len() > MAX_TYPED_OBJECTS {
            return Err(Error::field(
                "objects",
                format!(
                    "at most {MAX_TYPED_OBJECTS} values are typed, these are {}. Upload them as a cohort: POST /v1/mini-apps/{{id}}/cohorts.",
                    self.values.len()
                ),
            ));
        }
        self.values.iter().try_for_each(|value| text::name("objects", value, 255).map(drop))
    }
}

fn at_most(field: &str, count: usize, limit: usize) -> Result<()> {
    if count <= limit { Ok(()) } else { Err(Error::field(field, format!("at most {limit}, these are {count}."))) }
}

impl HostAppRange {
    fn told(&self, phrases: &dyn Phrases) -> String {
        phrases.range(self.id.as_str(), self.min_version.as_deref(), self.max_version.as_deref())
    }
}

impl fmt::Display for HostAppRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(&English))
    }
}

impl PlatformRange {
    fn told(&self, phrases: &dyn Phrases) -> String {
        phrases.range(self.platform.as_str(), self.min_os.as_deref(), self.max_os.as_deref())
    }
}

impl fmt::Display for PlatformRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(&English))
    }
}

impl fmt::Display for ObjectList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&English.objects(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g8_conditions_read_as_words() {
        let conditions: Conditions = serde_json::from_value(serde_json::json!({
            "host_apps": [{"id": "ha-shop", "min_version": "3.2", "max_version": "3.9"}, {"id": "ha-two"}],
            "platforms": [{"platform": "android", "min_os": "12"}],
            "networks": ["wifi", "5g"],
            "objects": [{"kind": "guid", "values": ["a", "b"]}],
        }))
        .expect("conditions");
        assert_eq!(
            conditions.in_words(),
            [
                "Host app: ha-shop 3.2 to 3.9.* or ha-two",
                "Platform: android 12 and newer",
                "Network: wifi or 5g",
                "Object: guid among 2 typed",
            ]
        );
    }

    #[test]
    fn g4_an_empty_condition_never_restricts() {
        assert!(Conditions::default().is_empty());
        assert!(Conditions::default().in_words().is_empty());
    }

    #[test]
    fn g4_a_list_is_typed_or_uploaded() {
        let list = |values: Vec<String>| ObjectList { kind: ObjectKind::Guid, values, cohort: None };
        assert!(list(vec!["a".into()]).check().is_ok());
        assert!(list(vec![]).check().is_err());
        assert!(list(vec!["x".into(); 1001]).check().is_err());
    }
}

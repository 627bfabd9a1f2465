//! Lists of devices and accounts, which are written in the config or kept by the host.

use std::collections::BTreeSet;

use berth_policy::{Device, cohort, serde::Deserialize};

/// What the members of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(crate = "berth_policy::serde", rename_all = "snake_case")]
enum Kind {
    Guid,
    DeviceId,
    Account,
}

impl Kind {
    /// The value of the device that a list of this kind may contain; `None` when the device sent none.
    fn key(self, device: &Device) -> Option<&str> {
        let key = match self {
            Self::Guid => Some(device.guid.as_str()),
            Self::DeviceId => device.device_id.as_deref(),
            Self::Account => device.account.as_deref(),
        };
        key.filter(|key| !key.is_empty())
    }

    fn words(self) -> &'static str {
        match self {
            Self::Guid => "guids",
            Self::DeviceId => "device ids",
            Self::Account => "accounts",
        }
    }
}

/// A list: its values, or the name of a cohort of the host.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields)]
pub struct ObjectList {
    kind: Kind,
    values: Option<BTreeSet<String>>,
    cohort: Option<String>,
}

impl ObjectList {
    /// Whether the device is in the list.
    pub fn contains(&self, device: &Device) -> bool {
        let Some(key) = self.kind.key(device) else { return false };
        let typed = self.values.as_ref().is_some_and(|values| values.contains(key));
        typed || self.cohort.as_ref().is_some_and(|name| cohort::contains(name, key))
    }
}

/// Checks that every list has either values or a cohort.
pub fn check(lists: &[ObjectList]) -> Result<(), String> {
    match lists.iter().find(|list| list.values.is_some() == list.cohort.is_some()) {
        Some(list) => Err(format!("objects: the list of {} needs either values or a cohort.", list.kind.words())),
        None => Ok(()),
    }
}

/// The kinds of the lists, in words.
pub fn kinds(lists: &[ObjectList]) -> String {
    let mut words: Vec<_> = lists.iter().map(|list| list.kind.words()).collect();
    words.dedup();
    words.join(", ")
}

//! The device that asks for a check, as it describes itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use berth_base::{
    error::{Error, Result},
    ids::HostAppId,
    text::short,
};

const MAX_ATTRIBUTES: usize = 32;

/// A device, as it describes itself. Nothing of this is proved.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Device {
    /// Id of the host app in which it runs.
    pub host_app: HostAppId,
    /// Version of the host app.
    #[serde(default)]
    pub host_version: String,
    /// Version of the SDK.
    #[serde(default)]
    pub sdk_version: String,
    /// Operating system: `android`, `ios` or `harmony`.
    #[serde(default)]
    pub platform: String,
    /// Version of the operating system.
    #[serde(default)]
    pub os_version: String,
    /// Id of this installation of the host app; grayscale counts devices by it. Required, at most 256 bytes.
    pub guid: String,
    /// Id of the hardware, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Id of the account that is logged in to the host app, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Network that the device uses, such as `wifi` or `5g`.
    #[serde(default)]
    pub network: String,
    /// Further attributes that the host app knows of the device, for policies; at most 32.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Device {
    /// A device that says no more of itself than where it runs and which installation it is.
    pub fn named(host_app: HostAppId, guid: &str) -> Self {
        Self {
            host_app,
            host_version: String::new(),
            sdk_version: String::new(),
            platform: String::new(),
            os_version: String::new(),
            guid: guid.into(),
            device_id: None,
            account: None,
            network: String::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// Checks that the guid is not blank, and that texts and attributes keep their limits.
    ///
    /// # Errors
    /// `invalid-field`, naming the field.
    pub fn check(&self) -> Result<()> {
        if self.guid.trim().is_empty() {
            return Err(Error::field("guid", "must name the installation; grayscale counts by it."));
        }
        if self.attributes.len() > MAX_ATTRIBUTES {
            return Err(Error::field("attributes", format!("must be at most {MAX_ATTRIBUTES}.")));
        }
        let known = [
            ("host_version", self.host_version.as_str()),
            ("sdk_version", &self.sdk_version),
            ("platform", &self.platform),
            ("os_version", &self.os_version),
            ("guid", &self.guid),
            ("device_id", self.device_id.as_deref().unwrap_or_default()),
            ("account", self.account.as_deref().unwrap_or_default()),
            ("network", &self.network),
        ];
        let own = self.attributes.iter().flat_map(|(name, value)| [name.as_str(), value]);
        known.into_iter().chain(own.map(|text| ("attributes", text))).try_for_each(|(name, text)| short(name, text))
    }
}

/// Stands for a guid, a device id or an account where millions of them are kept in memory: the first 16 bytes of the
/// SHA-256 of the text. It is not feasible to make two texts with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of `text`.
    pub fn of(text: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(text).into();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }
}

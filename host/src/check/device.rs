//! Who asks: a device, as it describes itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    error::{Error, Result},
    ids::HostAppId,
};

/// Characters that one text of a device may have.
const MAX_TEXT: usize = 256;
const MAX_ATTRIBUTES: usize = 32;

/// A device, as it describes itself. Nothing of it is proved.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Device {
    /// The host app it asks from.
    pub host_app: HostAppId,
    /// Version of the host app.
    #[serde(default)]
    pub host_version: String,
    /// Version of the SDK.
    #[serde(default)]
    pub sdk_version: String,
    /// `android`, `ios`, `harmony`.
    #[serde(default)]
    pub platform: String,
    /// Version of its system.
    #[serde(default)]
    pub os_version: String,
    /// The installation: the unit that grayscale counts.
    pub guid: String,
    /// The hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The account that is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `wifi`, `5g` …
    #[serde(default)]
    pub network: String,
    /// The host app's own attributes of the device, for policies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Device {
    /// Refuses what is too long to be meant, and a device without a guid.
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

/// Refuses texts that are too long, and NUL, which PostgreSQL cannot hold.
pub(crate) fn short(name: &str, text: &str) -> Result<()> {
    if text.len() > MAX_TEXT {
        return Err(Error::field(name, format!("must have at most {MAX_TEXT} bytes, has {}.", text.len())));
    }
    if text.contains('\0') { Err(Error::field(name, "must not contain NUL.")) } else { Ok(()) }
}

/// Stands for a guid, a device id or an account where millions of them are kept in memory: the first 16 bytes of its
/// SHA-256. Nobody can make two texts with one key.
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

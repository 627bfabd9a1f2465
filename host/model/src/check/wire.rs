//! The request and the response of a check, as they go over the wire.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Device, Step};
use berth_base::{
    error::{Error, Result},
    ids::{Digest, GrayTaskId, HostAppId},
    text::{short, text_enum},
    version::VersionNumber,
};

use crate::runtime::Runtime;

/// How many MiniApps one check may ask about.
const MAX_APPS: usize = 200;

/// How many characters of an unreadable version are quoted.
const MOST_QUOTED: usize = 64;

/// A check: a device asks which versions of its MiniApps it should run.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(from = "Told")]
pub struct CheckRequest {
    /// The device that asks; its fields are part of this object.
    #[serde(flatten)]
    pub device: Device,
    /// The MiniApps that it asks about, at most 200, each at most once.
    pub apps: Vec<Having>,
}

/// A check as it is read. A flattened device would be kept as a whole before it is read, and a refusal could not name
/// the member.
#[derive(Deserialize)]
struct Told {
    host_app: HostAppId,
    #[serde(default)]
    host_version: String,
    #[serde(default)]
    sdk_version: String,
    #[serde(default)]
    platform: String,
    #[serde(default)]
    os_version: String,
    guid: String,
    #[serde(default)]
    device_id: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    network: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    apps: Vec<Having>,
}

impl From<Told> for CheckRequest {
    fn from(told: Told) -> Self {
        let Told { host_app, host_version, sdk_version, platform, os_version, guid, .. } = told;
        let Told { device_id, account, network, attributes, apps, .. } = told;
        let device = Device {
            host_app,
            host_version,
            sdk_version,
            platform,
            os_version,
            guid,
            device_id,
            account,
            network,
            attributes,
        };
        Self { device, apps }
    }
}

/// A MiniApp, and the version of it that the device has, embedded packages included (O3).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Having {
    /// Id of the MiniApp.
    pub mini_app: String,
    /// The version that the device would run if it got no answer; leave it out if it has none. One that cannot be read
    /// counts as none, and the result has a `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<VersionNumber>)]
    pub version: Option<Had>,
}

/// The version that a device says it has. One that cannot be read must not keep the answers about other MiniApps back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Had {
    /// A version.
    Version(VersionNumber),
    /// A text that is no version, cut to a readable length.
    Unreadable(String),
}

impl Having {
    /// The version that the device has, when it can be read.
    pub fn version(&self) -> Option<&VersionNumber> {
        self.version.as_ref().and_then(Had::version)
    }
}

impl Had {
    /// The version, when it can be read.
    pub fn version(&self) -> Option<&VersionNumber> {
        match self {
            Self::Version(version) => Some(version),
            Self::Unreadable(_) => None,
        }
    }

    /// What to tell the developer of the SDK about a version that cannot be read.
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Version(_) => None,
            Self::Unreadable(text) => {
                Some(format!("The version {text:?} cannot be read, so the device counts as having none."))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Had {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Told;
        impl serde::de::Visitor<'_> for Told {
            type Value = Had;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version")
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<Had, E> {
                let unreadable = |_| Had::Unreadable(text.chars().take(MOST_QUOTED).collect());
                Ok(text.parse().map_or_else(unreadable, Had::Version))
            }

            fn visit_u64<E>(self, number: u64) -> std::result::Result<Had, E> {
                Ok(Had::Unreadable(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> std::result::Result<Had, E> {
                Ok(Had::Unreadable(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> std::result::Result<Had, E> {
                Ok(Had::Unreadable(number.to_string()))
            }
        }
        deserializer.deserialize_any(Told)
    }
}

/// The answer to a check.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResponse {
    /// One result for each MiniApp, in the order of the request.
    pub results: Vec<CheckResult>,
}

text_enum! {
    /// What the device should do about a MiniApp.
    Status {
        /// Fetch `package` and run it.
        Update = "update",
        /// Run the version that the device has.
        Current = "current",
        /// The MiniApp is off the shelf: no version of it may run, not even an embedded one.
        Removed = "removed",
        /// The MiniApp is not bound to this host app, or there is no version of it to run.
        Unknown = "unknown",
    }
}

text_enum! {
    /// Why a device gets its version.
    Reason {
        /// It is the online version, which everyone gets.
        Online = "online",
        /// The device is admitted to a gray task.
        Gray = "gray",
        /// The account of the device is named in the trial.
        Trial = "trial",
    }
}

/// The answer to a check for one MiniApp.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResult {
    /// Id of the MiniApp, as in the request.
    pub mini_app: String,
    /// What the device should do.
    pub status: Status,
    /// The version to run; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
    /// Why the device gets this version; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The gray task that delivers the version; absent for other reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// Whether what the device has must not run any more (V11, V12); always `true` with `removed`.
    pub force: bool,
    /// The oldest version that may run; absent for no minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<VersionNumber>,
    /// The page at which a trial opens; absent unless `reason` is `trial`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_path: Option<String>,
    /// Where to fetch the package; absent when there is no version to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageRef>,
    /// What is wrong with what the device told of this MiniApp; absent when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// What the host app enforces and shows while the package runs; absent when there is no version to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
}

/// A package and where to fetch it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PackageRef {
    /// Address of the package, relative to the host.
    pub url: String,
    /// SHA-256 of the package, to be verified by the device.
    pub sha256: Digest,
    /// Size of the package in bytes.
    pub size: u64,
}

/// The answers to a check, with the rules that led to them (G14).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// One for each MiniApp, in the order of the request.
    pub results: Vec<Explained>,
}

/// The answer for one MiniApp, with every rule that was tried for it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Explained {
    /// What a check would answer. Explaining admits no device, so that an admission may still be refused then.
    #[serde(flatten)]
    pub result: CheckResult,
    /// The rules, in the order in which they were tried.
    pub steps: Vec<Step>,
}

impl CheckRequest {
    /// Checks lengths and counts, and that no MiniApp is named twice.
    ///
    /// # Errors
    /// `invalid-field`, naming the field.
    pub fn verify(&self) -> Result<()> {
        self.device.check()?;
        if self.apps.len() > MAX_APPS {
            return Err(Error::field(
                "apps",
                format!("at most {MAX_APPS} in one check, these are {}.", self.apps.len()),
            ));
        }
        self.apps.iter().try_for_each(|having| short("apps", &having.mini_app))?;
        self.name_each_once()
    }

    /// Refuses a request that names a MiniApp twice.
    fn name_each_once(&self) -> Result<()> {
        let mut named = HashSet::with_capacity(self.apps.len());
        match self.apps.iter().find(|having| !named.insert(having.mini_app.as_str())) {
            Some(twice) => Err(Error::field("apps", format!("names {} twice.", twice.mini_app))),
            None => Ok(()),
        }
    }
}

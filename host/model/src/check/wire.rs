//! The request and the response of a check, as they go over the wire.

use serde::{Deserialize, Serialize};

use super::{Device, Step, device::short};
use berth_base::{
    error::{Error, Result},
    ids::{Digest, GrayTaskId},
    version::VersionNumber,
};

use crate::endpoint::runtime::Runtime;

/// How many MiniApps one check may ask about.
const MAX_APPS: usize = 200;

/// A check: a device asks which versions of its MiniApps it should run.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckRequest {
    /// The device that asks; its fields are part of this object.
    #[serde(flatten)]
    pub device: Device,
    /// The MiniApps that it asks about, at most 200, each at most once.
    pub apps: Vec<Having>,
}

/// A MiniApp, and the version of it that the device has, embedded packages included (O3).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Having {
    /// Id of the MiniApp.
    pub id: String,
    /// The version that the device would run if it got no answer; leave it out if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
}

/// The answer to a check.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResponse {
    /// One result for each MiniApp, in the order of the request.
    pub results: Vec<CheckResult>,
}

/// What the device should do about a MiniApp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Fetch `package` and run it.
    Update,
    /// Run the version that the device has.
    Current,
    /// The MiniApp is off the shelf: no version of it may run, not even an embedded one.
    Removed,
    /// The MiniApp is not bound to this host app, or there is no version of it to run.
    Unknown,
}

/// Why a device gets its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is the online version, which everyone gets.
    Online,
    /// The device is admitted to a gray task.
    Gray,
    /// The account of the device is named in the trial.
    Trial,
}

/// The answer to a check for one MiniApp.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResult {
    /// Id of the MiniApp, as in the request.
    pub id: String,
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
    /// Settings with which the package runs; absent unless the MiniApp is a channel of an endpoint application.
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
        self.apps.iter().try_for_each(|having| short("apps", &having.id))?;
        self.name_each_once()
    }

    /// Refuses a request that names a MiniApp twice.
    fn name_each_once(&self) -> Result<()> {
        let known_before = |at: usize| self.apps[..at].iter().any(|before| before.id == self.apps[at].id);
        match (1..self.apps.len()).find(|at| known_before(*at)) {
            Some(at) => Err(Error::field("apps", format!("names {} twice.", self.apps[at].id))),
            None => Ok(()),
        }
    }
}

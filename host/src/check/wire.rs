//! A check and its answer, as they go over the wire.

use serde::{Deserialize, Serialize};

use super::{Device, Step, device::short};
use crate::{
    endpoint::runtime::Runtime,
    error::{Error, Result},
    ids::{Digest, GrayTaskId},
    version::VersionNumber,
};

/// MiniApps that one check may ask about.
const MAX_APPS: usize = 200;

/// A check.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckRequest {
    /// Who asks.
    #[serde(flatten)]
    pub device: Device,
    /// What it asks about.
    pub apps: Vec<Having>,
}

/// A MiniApp, and what the device has of it, embedded packages included (O3).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Having {
    /// Id of the MiniApp.
    pub id: String,
    /// The version that the device would run without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
}

/// The answer to a check, in the order of the question.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResponse {
    /// One for each MiniApp.
    pub results: Vec<CheckResult>,
}

/// What to do about one MiniApp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Get `package` and run it.
    Update,
    /// What the device has is right.
    Current,
    /// Off the shelf: nothing of it may run, embedded packages neither.
    Removed,
    /// This host app does not run it, or nothing of it is online.
    Unknown,
}

/// Why it is this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Everyone gets it.
    Online,
    /// The device is admitted to a grayscale release.
    Gray,
    /// The account is named in the trial.
    Trial,
}

/// The answer for one MiniApp.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct CheckResult {
    /// Id of the MiniApp, as asked.
    pub id: String,
    /// What to do.
    pub status: Status,
    /// What to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
    /// Why this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The grayscale release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray_task: Option<GrayTaskId>,
    /// What the device has must not run any more (V11, V12).
    pub force: bool,
    /// The oldest version that may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<VersionNumber>,
    /// Where a trial opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_path: Option<String>,
    /// Where to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageRef>,
    /// What the package runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
}

/// A package to get.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PackageRef {
    /// Relative to the host.
    pub url: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many they are.
    pub size: u64,
}

/// The answers with their reasons (G14).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// One for each MiniApp.
    pub results: Vec<Explained>,
}

/// An answer, and every rule that was tried for it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Explained {
    /// What a check would answer. Nobody was admitted for it.
    #[serde(flatten)]
    pub result: CheckResult,
    /// In the order of trying.
    pub steps: Vec<Step>,
}

impl CheckRequest {
    /// # Errors
    /// `invalid-field`.
    pub(super) fn verify(&self) -> Result<()> {
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

    /// A check of one MiniApp, as most are, pays nothing for it.
    fn name_each_once(&self) -> Result<()> {
        let known_before = |at: usize| self.apps[..at].iter().any(|before| before.id == self.apps[at].id);
        match (1..self.apps.len()).find(|at| known_before(*at)) {
            Some(at) => Err(Error::field("apps", format!("names {} twice.", self.apps[at].id))),
            None => Ok(()),
        }
    }
}

//! The values that are passed to policies and returned by them, as plain Rust. Their shapes are those of `wit/`.

use std::borrow::Cow;

use berth_base::text::text_enum;
use serde::{Deserialize, Serialize};

/// A named value. Records of the interface cannot get further fields, so hosts add what is new as attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute<'a> {
    /// The name of the attribute.
    pub name: Cow<'a, str>,
    /// The value of the attribute.
    pub value: Cow<'a, str>,
}

/// The device that a grayscale policy decides about. It may borrow, as decisions are made very often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrayDevice<'a> {
    /// The id of the installation of the host app.
    pub guid: Cow<'a, str>,
    /// The id of the hardware, when the device sent it.
    pub device_id: Option<Cow<'a, str>>,
    /// The account that is logged in, if any.
    pub account: Option<Cow<'a, str>>,
    /// `android`, `ios` or `harmony`, or whatever else the device sent.
    pub platform: Cow<'a, str>,
    /// The version of the system, as the device sent it.
    pub os_version: Cow<'a, str>,
    /// The id of the host app.
    pub host_app: Cow<'a, str>,
    /// The version of the host app.
    pub host_version: Cow<'a, str>,
    /// The version of the SDK in the host app.
    pub sdk_version: Cow<'a, str>,
    /// `wifi`, `5g` …, or whatever else the device sent.
    pub network: Cow<'a, str>,
    /// The host app's own attributes of the device.
    pub attributes: Vec<Attribute<'a>>,
}

/// The grayscale task that a policy decides for. It may borrow, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrayTask<'a> {
    /// The id of the task.
    pub id: Cow<'a, str>,
    /// The MiniApp whose version it is.
    pub mini_app_id: Cow<'a, str>,
    /// The version in grayscale.
    pub version: Cow<'a, str>,
    /// The version that everyone else gets.
    pub online: Cow<'a, str>,
    /// The version that the device runs now, when it said so.
    pub current: Option<Cow<'a, str>>,
    /// When the task started, in milliseconds since the epoch.
    pub started: u64,
    /// The current time, in milliseconds since the epoch.
    pub now: u64,
    /// Attributes that later hosts may add. At present there are none.
    pub attributes: Vec<Attribute<'a>>,
}

/// The judgement of a grayscale policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrayVerdict {
    /// The device may have the gray version.
    Admit,
    /// The device may not have it. The text says why.
    Refuse(String),
}

/// The large lists of a host. A policy asks them in the middle of an evaluation, so they must answer from memory, at
/// once.
pub trait Cohorts: Send + Sync {
    /// Whether `key` is a member of the list `name`. A list that does not exist has no members.
    fn contains(&self, name: &str, key: &str) -> bool;
}

/// Lists for a host that has none.
pub struct NoCohorts;

impl Cohorts for NoCohorts {
    fn contains(&self, _name: &str, _key: &str) -> bool {
        false
    }
}

/// A file of the package under audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// The path: relative, with `/` between its parts.
    pub path: String,
    /// The size in bytes after inflating.
    pub size: u64,
    /// The SHA-256 of the inflated bytes.
    pub sha256: [u8; 32],
}

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The package has no file with this path.
    NoSuchFile,
    /// The stored bytes are no longer those that were uploaded.
    Damaged,
}

/// The package under audit, as an auditor sees it.
pub trait Contents: Send + Sync {
    /// The id of the MiniApp.
    fn mini_app_id(&self) -> &str;
    /// The number of the version.
    fn version(&self) -> &str;
    /// The size of the package in bytes, as it was uploaded.
    fn size(&self) -> u64;
    /// The path of the manifest.
    fn manifest_path(&self) -> &str;
    /// The manifest as JSON text, as it is in the package.
    fn manifest(&self) -> &str;
    /// All files, sorted by the bytes of their paths.
    fn files(&self) -> &[PackageFile];
    /// Up to `length` bytes of a file from `offset` on. There are fewer at the end of the file, and none after it.
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError>;
}

text_enum! {
    /// How serious a finding is.
    Severity {
        /// For the reader's information.
        Note = "note",
        /// People should look at it before they approve the version.
        Warning = "warning",
        /// It rejects the version when the policy is bound in mode `enforce`.
        Error = "error",
    }
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    /// The path of the file in the package.
    pub path: String,
    /// The line, beginning with 1.
    pub line: u32,
    /// The column, beginning with 1, in Unicode scalar values.
    pub column: u32,
}

/// As compilers write it: `pages/index.js:12:5`.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// Something that an auditor found in a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// The name of the rule: stable, kebab-case, unique in the policy.
    pub rule: String,
    /// How serious it is.
    pub severity: Severity,
    /// What was found, in one sentence.
    pub message: String,
    /// Where it was found; absent when it concerns no single place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do about it; absent when the policy does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Counts of one period of time. Each device counts once for each thing, in the period in which it did it first, so that
/// periods add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Window {
    /// The length of the period in minutes.
    pub minutes: u32,
    /// The devices that asked, and were told to run the version.
    pub checks: u64,
    /// The devices that downloaded the version.
    pub downloads: u64,
    /// The devices that tried the version: they downloaded it, it ran there, or failed.
    // Looks of guards that are stored may have its former name.
    #[serde(alias = "running")]
    pub tried: u64,
    /// The devices on which the version failed.
    pub failed: u64,
}

/// The health of a grayscale release, beside that of the online version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// The id of the task.
    pub task_id: String,
    /// The MiniApp whose version it is.
    pub mini_app_id: String,
    /// The version in grayscale.
    pub version: String,
    /// When the first period began, in milliseconds since the epoch.
    pub since: u64,
    /// The current time, in milliseconds since the epoch.
    pub now: u64,
    /// The periods of the gray version, oldest first.
    pub gray: Vec<Window>,
    /// The same periods of the online version, on devices that asked while the task delivered and got it.
    pub online: Vec<Window>,
}

/// The judgement of a guard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// All is well, or nothing can be said yet.
    CarryOn,
    /// Admit no new devices until a person has looked. The text says why.
    Suspend(String),
    /// End the task. The text says why.
    End(String),
}

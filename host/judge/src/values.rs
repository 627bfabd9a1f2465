//! What goes into a policy and what comes out, free of wasm. The shapes are those of `wit/`.

use serde::{Deserialize, Serialize};

/// A named value: what records cannot grow by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A device that asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct GrayDevice {
    /// The installation's id.
    pub guid: String,
    /// The hardware's id.
    pub device_id: Option<String>,
    /// The account that is logged in.
    pub account: Option<String>,
    /// `android`, `ios` or `harmony`, or what the device said.
    pub platform: String,
    /// As the device said.
    pub os_version: String,
    /// Id of the host app.
    pub host_app: String,
    /// Version of the host app.
    pub host_version: String,
    /// Version of the SDK.
    pub sdk_version: String,
    /// `wifi`, `5g` …, or what the device said.
    pub network: String,
    /// The host app's own attributes of the device.
    pub attributes: Vec<Attribute>,
}

/// The grayscale task that is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct GrayTask {
    /// Id of the task.
    pub id: String,
    /// Whose version it is.
    pub mini_app_id: String,
    /// The version in grayscale.
    pub version: String,
    /// The version that everyone else gets.
    pub online: String,
    /// What the device runs now, when it said so.
    pub current: Option<String>,
    /// Start of the task, epoch milliseconds.
    pub started: u64,
    /// Epoch milliseconds.
    pub now: u64,
    /// What later hosts add.
    pub attributes: Vec<Attribute>,
}

/// A grayscale policy's judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrayVerdict {
    /// The device may have the gray version.
    Admit,
    /// It may not; says why.
    Refuse(String),
}

/// The large lists of a host. Called from inside a policy's evaluation: answer from memory, at once.
pub trait Cohorts: Send + Sync {
    /// Whether `key` is a member of the list `name`. A list that does not exist has no members.
    fn contains(&self, name: &str, key: &str) -> bool;
}

/// A host without lists.
pub struct NoCohorts;

impl Cohorts for NoCohorts {
    fn contains(&self, _name: &str, _key: &str) -> bool {
        false
    }
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// Relative, `/`-separated.
    pub path: String,
    /// Bytes after inflating.
    pub size: u64,
    /// SHA-256 of the inflated bytes.
    pub sha256: [u8; 32],
}

/// Why a read gave no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// There is no such file.
    NoSuchFile,
    /// The stored bytes are no longer those that were uploaded.
    Damaged,
}

/// The package under audit, as an auditor sees it.
pub trait Contents: Send + Sync {
    /// Id of the MiniApp.
    fn mini_app_id(&self) -> &str;
    /// The version, as text.
    fn version(&self) -> &str;
    /// Bytes of the package as uploaded.
    fn size(&self) -> u64;
    /// Path of the manifest.
    fn manifest_path(&self) -> &str;
    /// The manifest as JSON text, as found.
    fn manifest(&self) -> &str;
    /// All files, sorted by path (byte order).
    fn files(&self) -> &[PackageFile];
    /// Up to `length` bytes from `offset`; fewer at the end of the file, none past it.
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError>;
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For the reader's information.
    Note,
    /// People should look before they approve.
    Warning,
    /// In mode `enforce` this rejects the version.
    Error,
}

/// Where a finding is, one-based; the column counts Unicode scalar values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// What an auditor found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// Stable, kebab-case, unique in the policy.
    pub rule: String,
    /// How grave.
    pub severity: Severity,
    /// What was found, in one sentence.
    pub message: String,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Counts of one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Window {
    /// Length in minutes.
    pub minutes: u32,
    /// Devices that asked.
    pub checks: u64,
    /// Packages fetched.
    pub downloads: u64,
    /// Devices that run the version.
    pub running: u64,
    /// Devices on which it failed.
    pub failed: u64,
}

/// How a grayscale release goes, beside the online version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// The task.
    pub task_id: String,
    /// The version in grayscale.
    pub version: String,
    /// Of the gray version, oldest first.
    pub gray: Vec<Window>,
    /// Of the online version, oldest first.
    pub online: Vec<Window>,
}

/// A guard's judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// All is well, or nothing can be said yet.
    CarryOn,
    /// Admit nobody new until a person looks; says why.
    Suspend(String),
    /// End the task; says why.
    End(String),
}

//! The `data` of events that do not simply carry the object that changed.

use serde::Serialize;
use utoipa::ToSchema;

use berth_base::{
    ids::{AuditId, Digest, GrayTaskId, HostAppId, MiniAppId, UserId},
    version::VersionNumber,
};

use super::{Kind, kind};
use crate::{
    access::{Role, ScopeKind},
    audit::Decision,
    rollout::{Cause, Change, FailureReason, Move, State},
    version::TrialEnd,
};

/// An account was given a role.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MemberGranted {
    pub account: UserId,
    /// The kind of the scope in which the role holds.
    pub scope: ScopeKind,
    /// The id of what the scope covers; empty for the platform.
    pub id: String,
    pub role: Role,
}

/// An account lost its role.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MemberRemoved {
    pub account: UserId,
    /// The kind of the scope in which the role held.
    pub scope: ScopeKind,
    /// The id of what the scope covers; empty for the platform.
    pub id: String,
    /// The role that the account had.
    pub role: Role,
}

/// A newer build of a first-party policy replaced the older one in the bindings that Berth itself had made.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PolicyReplaced {
    pub from: Digest,
    pub to: Digest,
}

/// A binding that was removed.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Unbound {
    pub host_app: HostAppId,
    pub mini_app: MiniAppId,
}

/// A version whose state changed.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OfVersion {
    pub version: VersionNumber,
}

/// A version that was submitted.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Submitted {
    pub audit: AuditId,
    pub version: VersionNumber,
    /// The host apps whose decisions the version needs.
    pub host_apps: Vec<HostAppId>,
}

/// An audit that waits for the decision of a host app.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditWaits {
    pub audit: AuditId,
    pub mini_app: MiniAppId,
    pub version: VersionNumber,
    pub host_app: HostAppId,
}

/// An audit that waits for people's decisions now.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditChecked {
    pub audit: AuditId,
    pub version: VersionNumber,
    /// The policies that were to decide, gave no verdict and fail open; absent when there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_open: Vec<String>,
}

/// A host app's decision on a version.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditDecided {
    pub audit: AuditId,
    pub version: VersionNumber,
    pub host_app: HostAppId,
    pub decision: Decision,
}

/// An audit that ended.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditClosed {
    pub audit: AuditId,
    pub version: VersionNumber,
    /// Why it was rejected; empty otherwise.
    pub reason: String,
}

/// A trial that ended.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TrialCleared {
    /// The version that was on trial.
    pub version: VersionNumber,
    pub cause: TrialEnd,
}

/// A grayscale task whose state changed.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct GrayMoved {
    pub id: GrayTaskId,
    pub version: VersionNumber,
    pub from: State,
    pub to: State,
    pub cause: Cause,
    pub note: String,
    /// Devices admitted so far.
    pub admitted: u64,
}

/// A grayscale task that was edited.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct GrayEdited {
    pub id: GrayTaskId,
    pub version: VersionNumber,
    pub state: State,
    pub changes: Vec<Change>,
    pub note: String,
}

/// Devices to which a grayscale task does not offer its version any more, because it failed on them too often.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct GrayFellBack {
    pub id: GrayTaskId,
    pub version: VersionNumber,
    /// How many devices fell back so far; each counts once, also when the version works on it later.
    pub fell_back: u64,
    /// Devices admitted so far.
    pub admitted: u64,
    /// After how many failures a device falls back.
    pub max_failures: u8,
    /// Why the version failed, the reasons of most devices first, at most 3.
    pub reasons: Vec<FailureReason>,
}

impl Move {
    /// The kind of the event that announces the move.
    pub fn event(self) -> Kind<GrayMoved> {
        match self {
            Self::Start => kind::GRAY_TASK_STARTED,
            Self::Suspend => kind::GRAY_TASK_SUSPENDED,
            Self::Resume => kind::GRAY_TASK_RESUMED,
            Self::End => kind::GRAY_TASK_ENDED,
        }
    }
}

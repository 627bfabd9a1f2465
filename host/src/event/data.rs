//! The `data` of events that do not simply carry the thing that changed.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::{Role, ScopeKind},
    audit::Decision,
    ids::{AuditId, Digest, GrayTaskId, HostAppId, MiniAppId, UserId},
    rollout::{Cause, State},
    version::VersionNumber,
};

/// An account has a role.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MemberGranted {
    pub account: UserId,
    /// The kind of the scope that the role holds in.
    pub scope: ScopeKind,
    /// The id of what the scope covers; empty for the platform.
    pub id: String,
    pub role: Role,
}

/// An account has no role any more.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MemberRemoved {
    pub account: UserId,
    /// The kind of the scope that the role held in.
    pub scope: ScopeKind,
    /// The id of what the scope covers; empty for the platform.
    pub id: String,
}

/// A newer build of a first-party policy took the place of the older one where Berth itself had bound it.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PolicyReplaced {
    pub from: Digest,
    pub to: Digest,
}

/// A binding that is gone.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Unbound {
    pub host_app: HostAppId,
    pub mini_app: MiniAppId,
}

/// A version that changed its state.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OfVersion {
    pub version: VersionNumber,
}

/// A version under audit.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Submitted {
    pub audit: AuditId,
    pub version: VersionNumber,
    /// Whose decisions it needs.
    pub host_apps: Vec<HostAppId>,
}

/// An audit that now waits for people.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditChecked {
    pub audit: AuditId,
    pub version: VersionNumber,
}

/// A host app's decision.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditDecided {
    pub audit: AuditId,
    pub version: VersionNumber,
    pub host_app: HostAppId,
    pub decision: Decision,
}

/// The end of an audit.
#[derive(Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AuditClosed {
    pub audit: AuditId,
    pub version: VersionNumber,
    /// Why it was rejected; empty otherwise.
    pub reason: String,
}

/// A move of a grayscale task.
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

/// Nothing to tell beside the subject.
#[derive(Serialize)]
pub struct Nothing;

impl utoipa::PartialSchema for Nothing {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::Null).into()
    }
}

impl ToSchema for Nothing {}

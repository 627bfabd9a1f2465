//! What events tell of an address book: ids, and nothing of a person. The log of events outlives people who leave.

use berth_base::ids::{ContactId, GroupId, MemberId, WorkspaceId};
use serde::Serialize;
use utoipa::ToSchema;

use super::GroupKind;

/// A member came, changed or went.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceMemberTold)]
pub struct MemberTold {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The member.
    pub member: MemberId,
    /// Whether they may use what the workspace has.
    pub active: bool,
}

/// A department or a tag came, changed or went.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceGroupTold)]
pub struct GroupTold {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The department or tag.
    pub group: GroupId,
    /// What it is.
    pub kind: GroupKind,
    /// Its name.
    pub name: String,
    /// Whether it has other members or departments in it than before.
    pub members_changed: bool,
}

/// An external contact came or went.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkspaceContactTold)]
pub struct ContactTold {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The contact.
    pub contact: ContactId,
}

//! Workspaces: an organisation with its address book, its applications, the MiniApps that it has linked, and who may open
//! which (W1–W12).

mod access;
mod contact;
pub mod directory;
mod event;
mod item;
mod portal;
pub mod scim;

pub use access::{Access, AccessChanged, MOST_SUBJECTS, Subject, SubjectKind};
pub use contact::{Contact, ContactQuery, NewContact};
pub use event::{ContactTold, GroupTold, MemberTold};
pub use item::{Application, ApplicationKind, EditApplication, Item, ItemKind, LinkedMiniApp, NewApplication};
pub use portal::{Because, Decision, Grant, Membership, Portal, PortalItem, PortalQuery, Who, decide};
pub use scim::resource::GroupKind;

use berth_base::{
    clock::Millis,
    ids::{GroupId, MemberId, WorkspaceId},
    page::paged,
};
use serde::{Deserialize, Serialize};

/// A workspace: an organisation and what its members use.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Workspace {
    /// Id of the workspace, which is part of the address of its address book.
    pub id: WorkspaceId,
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// When it was created.
    pub created_at: Millis,
}

/// A workspace to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    /// Display name, 1 to 64 characters.
    pub name: String,
    /// Id of the workspace: 3 to 63 characters of a-z, 0-9 and `-`. Generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<WorkspaceId>,
}

/// A change of a workspace.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditWorkspace {
    /// Display name, 1 to 64 characters.
    pub name: String,
}

/// A member of a workspace, as its address book has them. SCIM has all that is known of them.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct WorkspaceMember {
    /// Id of the member, which is that of the User in SCIM.
    pub id: MemberId,
    /// The name by which they log in.
    pub user_name: String,
    /// The name that people see.
    pub name: String,
    /// The id by which the organisation knows them; absent when it has not said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether they may use what the workspace has.
    pub active: bool,
    /// When they came.
    pub created_at: Millis,
    /// When they last changed.
    pub updated_at: Millis,
}

/// A department or a tag of a workspace.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct WorkspaceGroup {
    /// Id of it, which is that of the Group in SCIM.
    pub id: GroupId,
    /// What it is.
    pub kind: GroupKind,
    /// The name that people see.
    pub name: String,
    /// The department that it is in; absent for a tag, and for a department at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "sql", sqlx(rename = "parent_id"))]
    pub parent: Option<GroupId>,
    /// The id by which the organisation knows it; absent when it has not said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// When it came.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
}

/// Which members to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkspaceMemberQuery {
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many members a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only the one who logs in by this name, in upper or lower case.
    #[serde(default)]
    pub user_name: Option<String>,
    /// Only those who are in this department or have this tag, themselves and not by another department.
    #[serde(default)]
    pub group: Option<GroupId>,
}

paged!(WorkspaceMemberQuery);

/// Which departments and tags to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkspaceGroupQuery {
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only departments, or only tags.
    #[serde(default)]
    pub kind: Option<GroupKind>,
    /// Only the departments that are in this one.
    #[serde(default)]
    pub parent: Option<GroupId>,
}

paged!(WorkspaceGroupQuery);

//! The members of a workspace.

use sqlx::types::Json;

use crate::{Tx, execute, fetch, fetch_built, is_unique_violation, push_if};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{MemberId, WorkspaceId},
};
use berth_model::workspace::{
    WorkspaceMember, WorkspaceMemberQuery,
    scim::resource::{Attributes, user_name},
};

/// What is stored of a member.
#[derive(Clone, Debug)]
pub struct MemberRow<'a> {
    /// Their id.
    pub id: &'a MemberId,
    /// The name by which they log in.
    pub user_name: &'a str,
    /// The id by which the organisation knows them.
    pub external_id: Option<&'a str>,
    /// Who says this: `None` for SCIM, else the directory from which it is pulled.
    pub source: Option<&'a str>,
    /// The name that people see.
    pub name: String,
    /// Whether they may use what the workspace has.
    pub active: bool,
    /// All that the directory has said.
    pub attributes: &'a Attributes,
    /// 1 when they are new, and 1 more at each change.
    pub version: i64,
    /// When this was said.
    pub now: Millis,
}

/// Whether a statement was done, and not refused because the user name is taken.
fn unless_taken(done: sqlx::Result<u64>) -> Result<bool> {
    match done {
        Err(error) if is_unique_violation(&error) => Ok(false),
        done => Ok(done? > 0),
    }
}

impl Tx {
    /// Adds a member. Returns `false` when another one has the user name; the transaction is of no use then.
    pub async fn insert_member(&mut self, workspace: &WorkspaceId, one: &MemberRow<'_>) -> Result<bool> {
        let done = execute!(
            self,
            "INSERT INTO workspace_member (id, workspace_id, user_key, user_name, external_id, name, active, attributes,
                version, created_at, updated_at, source)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)",
            one.id,
            workspace,
            one.user_name.to_lowercase(),
            one.user_name,
            one.external_id,
            &one.name,
            one.active,
            Json(one.attributes),
            one.version,
            one.now,
            one.source
        );
        unless_taken(done)
    }

    /// Stores what is known of a member now. Returns `false` as [`Tx::insert_member`] does.
    pub async fn set_member(&mut self, one: &MemberRow<'_>) -> Result<bool> {
        let done = execute!(
            self,
            "UPDATE workspace_member SET user_key = $2, user_name = $3, external_id = $4, name = $5, active = $6,
                attributes = $7, version = $8, updated_at = $9, source = $10 WHERE id = $1",
            one.id,
            one.user_name.to_lowercase(),
            one.user_name,
            one.external_id,
            &one.name,
            one.active,
            Json(one.attributes),
            one.version,
            one.now,
            one.source
        );
        unless_taken(done)
    }

    /// The member of a workspace with this id.
    pub async fn workspace_member(
        &mut self,
        workspace: &WorkspaceId,
        id: &MemberId,
    ) -> Result<Option<WorkspaceMember>> {
        const SQL: &str =
            "SELECT id, user_name, name, external_id, active, created_at, updated_at FROM workspace_member
             WHERE id = $1 AND workspace_id = $2";
        Ok(fetch!(self, fetch_optional, WorkspaceMember, SQL, id, workspace)?)
    }

    /// A page of the members of a workspace, by id, and one more than the page holds.
    pub async fn workspace_members(
        &mut self,
        workspace: &WorkspaceId,
        query: &WorkspaceMemberQuery,
    ) -> Result<Vec<WorkspaceMember>> {
        let page = query.page();
        let key = query.user_name.as_ref().map(|name| user_name(name).to_lowercase());
        Ok(fetch_built!(self, WorkspaceMember, |q| {
            q.push("SELECT id, user_name, name, external_id, active, created_at, updated_at FROM workspace_member");
            q.push(" WHERE workspace_id = ").push_bind(workspace).push(" AND id > ").push_bind(page.after());
            push_if!(q, &key, " AND user_key = ", "");
            let listed = " AND id IN (SELECT member_id FROM workspace_group_member WHERE group_id = ";
            push_if!(q, &query.group, listed, ")");
            q.push(" ORDER BY id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}

//! Workspaces: their address books, what they have for their members, and to whom it is given.

mod contact;
pub(crate) mod directory;
mod group;
mod item;
mod member;
mod resource;

pub use directory::{DirectoryRow, DirectorySecrets, StandingGroup, StandingMember, SyncEnd};
pub use group::GroupRow;
pub use member::MemberRow;
pub use resource::ResourceRow;

use super::{Tx, chosen, execute, fetch, fetch_built};
use berth_base::{
    error::{Error, Result},
    ids::WorkspaceId,
    page::PageQuery,
};
use berth_model::{access::Caller, workspace::Workspace};

impl Tx {
    /// The workspace with this id.
    pub async fn workspace(&mut self, id: &WorkspaceId) -> Result<Option<Workspace>> {
        Ok(fetch!(self, fetch_optional, Workspace, "SELECT * FROM workspace WHERE id = $1", id)?)
    }

    /// Locks a workspace until the transaction ends, so that changes of who is in what come one after the other.
    pub async fn hold_workspace(&mut self, id: &WorkspaceId) -> Result<Workspace> {
        const SQL: &str = "UPDATE workspace SET revision = revision + 1 WHERE id = $1 RETURNING *";
        let row = fetch!(self, fetch_optional, Workspace, SQL, id)?;
        row.ok_or_else(|| Error::not_found("workspace", id))
    }

    /// Adds a workspace. Returns the error of the database, by which callers recognise that the id is taken.
    pub async fn insert_workspace(&mut self, one: &Workspace) -> sqlx::Result<()> {
        const SQL: &str = "INSERT INTO workspace (id, name, revision, created_at) VALUES ($1, $2, 0, $3)";
        execute!(self, SQL, &one.id, &one.name, one.created_at).map(drop)
    }

    /// Sets the name of a workspace.
    pub async fn set_workspace_name(&mut self, id: &WorkspaceId, name: &str) -> Result<()> {
        execute!(self, "UPDATE workspace SET name = $2 WHERE id = $1", id, name)?;
        Ok(())
    }

    /// A page of the workspaces that the caller may know about, by id, and one more than the page holds.
    pub async fn workspaces_known_to(&mut self, caller: &Caller, page: &PageQuery) -> Result<Vec<Workspace>> {
        Ok(fetch_built!(self, Workspace, |q| {
            q.push("SELECT * FROM workspace WHERE id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(" AND id IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'workspace' AND account_id = ");
                q.push_bind(&caller.account).push(")");
            }
            q.push(" ORDER BY id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }
}

//! External contacts.

use crate::{Tx, execute, fetch, fetch_built, push_if};
use berth_base::{
    error::Result,
    ids::{ContactId, WorkspaceId},
};
use berth_model::workspace::{Contact, ContactQuery};

impl Tx {
    /// Adds a contact. Returns the error of the database, by which callers recognise that the external id is taken.
    pub async fn insert_contact(&mut self, workspace: &WorkspaceId, one: &Contact) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO workspace_contact (id, workspace_id, name, external_id, created_at) VALUES ($1, $2, $3, $4, $5)",
            &one.id,
            workspace,
            &one.name,
            one.external_id.as_ref(),
            one.created_at
        )
        .map(drop)
    }

    /// The contact of a workspace with this id.
    pub async fn contact(&mut self, workspace: &WorkspaceId, id: &ContactId) -> Result<Option<Contact>> {
        const SQL: &str = "SELECT id, name, external_id, created_at FROM workspace_contact
             WHERE id = $1 AND workspace_id = $2";
        Ok(fetch!(self, fetch_optional, Contact, SQL, id, workspace)?)
    }

    /// A page of the contacts of a workspace, by id, and one more than the page holds.
    pub async fn contacts(&mut self, workspace: &WorkspaceId, query: &ContactQuery) -> Result<Vec<Contact>> {
        let page = query.page();
        Ok(fetch_built!(self, Contact, |q| {
            q.push("SELECT id, name, external_id, created_at FROM workspace_contact WHERE workspace_id = ");
            q.push_bind(workspace).push(" AND id > ").push_bind(page.after());
            push_if!(q, &query.external_id, " AND external_id = ", "");
            q.push(" ORDER BY id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Deletes a contact, and what was shared with them.
    pub async fn delete_contact(&mut self, workspace: &WorkspaceId, id: &ContactId) -> Result<()> {
        const ACCESS: &str = "DELETE FROM workspace_access WHERE workspace_id = $1 AND subject_id = $2";
        execute!(self, ACCESS, workspace, id)?;
        execute!(self, "DELETE FROM workspace_contact WHERE id = $1", id)?;
        Ok(())
    }
}

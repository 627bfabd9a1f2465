//! Members, departments and tags as the resources that SCIM knows: what both have in common.

use sqlx::types::Json;

use crate::{Tx, chosen, execute, execute_built, fetch_built};
use berth_base::{clock::Millis, error::Result, ids::WorkspaceId};
use berth_model::workspace::scim::{filter::Narrow, resource::Attributes, schema::Resource};

/// A User or a Group as it is stored, without the members of a group.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ResourceRow {
    /// Its id.
    pub id: String,
    /// What the client has said of it.
    pub attributes: Json<Attributes>,
    /// 1 when it is made, and 1 more at each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
}

const COLUMNS: &str = "id, attributes, version, created_at, updated_at";

/// The table of a type of resource.
fn table(resource: Resource) -> &'static str {
    match resource {
        Resource::User => "workspace_member",
        Resource::Group => "workspace_group",
    }
}

/// The column that an index answers, and the value that it has.
fn column(resource: Resource, narrow: &Narrow) -> Option<(&'static str, &str)> {
    match (narrow, resource) {
        (Narrow::Id(id), _) => Some(("id", id)),
        (Narrow::Key(name), Resource::User) => Some(("user_key", name)),
        (Narrow::Key(name), Resource::Group) => Some(("name_key", name)),
        (Narrow::ExternalId(id), _) => Some(("external_id", id)),
        (Narrow::Member(_), _) => None,
    }
}

/// The member or department that is to be in a group.
fn contained(narrow: &Narrow) -> Option<&str> {
    match narrow {
        Narrow::Member(id) => Some(id),
        Narrow::Id(_) | Narrow::Key(_) | Narrow::ExternalId(_) => None,
    }
}

impl Tx {
    /// A page of the Users or Groups of a workspace by id, after this one, at most `limit`; only those of which an index
    /// knows that `narrow` holds.
    pub async fn resources_after(
        &mut self,
        resource: Resource,
        workspace: &WorkspaceId,
        narrow: Option<&Narrow>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ResourceRow>> {
        Ok(fetch_built!(self, ResourceRow, |q| {
            q.push("SELECT ").push(COLUMNS).push(" FROM ").push(table(resource));
            q.push(" WHERE workspace_id = ").push_bind(workspace).push(" AND id > ").push_bind(after);
            if let Some((column, value)) = chosen!(narrow.and_then(|narrow| column(resource, narrow))) {
                q.push(" AND ").push(column).push(" = ").push_bind(value);
            }
            if let Some(id) = chosen!(narrow.and_then(contained)) {
                q.push(" AND id IN (SELECT group_id FROM workspace_group_member WHERE member_id = ").push_bind(id);
                q.push(" UNION SELECT tag_id FROM workspace_tag_department WHERE department_id = ").push_bind(id);
                q.push(" UNION SELECT parent_id FROM workspace_group WHERE id = ").push_bind(id).push(")");
            }
            q.push(" ORDER BY id LIMIT ").push_bind(limit);
        })?)
    }

    /// The Users or Groups of a workspace by id, without the first `skip`, at most `limit`.
    pub async fn resources_at(
        &mut self,
        resource: Resource,
        workspace: &WorkspaceId,
        skip: i64,
        limit: i64,
    ) -> Result<Vec<ResourceRow>> {
        Ok(fetch_built!(self, ResourceRow, |q| {
            q.push("SELECT ").push(COLUMNS).push(" FROM ").push(table(resource));
            q.push(" WHERE workspace_id = ").push_bind(workspace);
            q.push(" ORDER BY id LIMIT ").push_bind(limit).push(" OFFSET ").push_bind(skip);
        })?)
    }

    /// How many Users or Groups a workspace has.
    pub async fn count_resources(&mut self, resource: Resource, workspace: &WorkspaceId) -> Result<i64> {
        let rows = fetch_built!(self, (i64,), |q| {
            q.push("SELECT COUNT(*) FROM ").push(table(resource)).push(" WHERE workspace_id = ").push_bind(workspace);
        })?;
        Ok(rows.first().map_or(0, |(count,)| *count))
    }

    /// The User or Group of a workspace with this id.
    pub async fn resource(
        &mut self,
        resource: Resource,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<Option<ResourceRow>> {
        let rows = fetch_built!(self, ResourceRow, |q| {
            q.push("SELECT ").push(COLUMNS).push(" FROM ").push(table(resource));
            q.push(" WHERE workspace_id = ").push_bind(workspace).push(" AND id = ").push_bind(id);
        })?;
        Ok(rows.into_iter().next())
    }

    /// As [`Tx::resource`], and locks it until the transaction ends.
    pub async fn hold_resource(
        &mut self,
        resource: Resource,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<Option<ResourceRow>> {
        let rows = fetch_built!(self, ResourceRow, |q| {
            q.push("UPDATE ").push(table(resource)).push(" SET version = version WHERE workspace_id = ");
            q.push_bind(workspace).push(" AND id = ").push_bind(id).push(" RETURNING ").push(COLUMNS);
        })?;
        Ok(rows.into_iter().next())
    }

    /// Deletes a User or a Group, who is in what, and what was given to it.
    pub async fn delete_resource(&mut self, resource: Resource, workspace: &WorkspaceId, id: &str) -> Result<()> {
        const ACCESS: &str = "DELETE FROM workspace_access WHERE workspace_id = $1 AND subject_id = $2";
        execute!(self, ACCESS, workspace, id)?;
        execute_built!(self, |q| {
            q.push("DELETE FROM ").push(table(resource)).push(" WHERE workspace_id = ").push_bind(workspace);
            q.push(" AND id = ").push_bind(id);
        })?;
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::{Backend, testing::fresh};

    /// The query plan of SQLite for a search. PostgreSQL plans by what is in the tables: `bench-workspace` looks at it there.
    #[tokio::test]
    async fn w5_one_resource_of_100_000_is_found_by_an_index() {
        let fresh = fresh().await;
        if !matches!(fresh.db.backend(), Backend::Sqlite { .. }) {
            return;
        }
        type PlanRow = (i64, i64, i64, String);
        let mut tx = fresh.db.read().await.unwrap();
        for (resource, narrow, index) in [
            (Resource::User, Narrow::Key("bob".into()), "(workspace_id=? AND user_key=?)"),
            (
                Resource::User,
                Narrow::ExternalId("1".into()),
                "workspace_member_external (workspace_id=? AND external_id=?",
            ),
            (Resource::Group, Narrow::Key("sales".into()), "workspace_group_name (workspace_id=? AND name_key=?"),
        ] {
            let (column, value) = column(resource, &narrow).unwrap();
            let steps = fetch_built!(tx, PlanRow, |q| {
                q.push("EXPLAIN QUERY PLAN SELECT ").push(COLUMNS).push(" FROM ").push(table(resource));
                q.push(" WHERE workspace_id = ").push_bind("ws-1").push(" AND id > ").push_bind("");
                q.push(" AND ").push(column).push(" = ").push_bind(value).push(" ORDER BY id LIMIT 10");
            });
            let plan = steps.unwrap().into_iter().map(|(.., step)| step).collect::<Vec<_>>().join("; ");
            assert!(plan.contains(index), "{plan}");
        }
    }
}

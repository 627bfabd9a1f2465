//! Departments and tags, and who is in them.

use sqlx::types::Json;

use crate::{Tx, execute, execute_built, fetch, fetch_built, push_ids, push_if};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{GroupId, WorkspaceId},
};
use berth_model::workspace::{GroupKind, Membership, WorkspaceGroup, WorkspaceGroupQuery, scim::resource::Attributes};

/// How many ids one statement names, at most.
const IDS: usize = 1000;

/// A table of what departments and tags list, by the names of its columns.
struct Lists {
    table: &'static str,
    group: &'static str,
    listed: &'static str,
}

const MEMBERS: Lists = Lists { table: "workspace_group_member", group: "group_id", listed: "member_id" };
const TAGGED: Lists = Lists { table: "workspace_tag_department", group: "tag_id", listed: "department_id" };

/// What is stored of a department or a tag.
#[derive(Clone, Debug)]
pub struct GroupRow<'a> {
    /// Its id.
    pub id: &'a GroupId,
    /// What it is.
    pub kind: GroupKind,
    /// Its name.
    pub name: &'a str,
    /// The id by which the organisation knows it.
    pub external_id: Option<&'a str>,
    /// Who says this: `None` for SCIM, else the directory from which it is pulled.
    pub source: Option<&'a str>,
    /// All that the directory has said.
    pub attributes: &'a Attributes,
    /// 1 when it is new, and 1 more at each change.
    pub version: i64,
    /// When this was said.
    pub now: Millis,
}

/// A membership, and whose it is.
#[derive(sqlx::FromRow)]
struct MembershipRow {
    member_id: String,
    #[sqlx(flatten)]
    membership: Membership,
}

impl Tx {
    /// Adds a department or a tag.
    pub async fn insert_group(&mut self, workspace: &WorkspaceId, one: &GroupRow<'_>) -> Result<()> {
        execute!(
            self,
            "INSERT INTO workspace_group (id, workspace_id, kind, name_key, name, external_id, attributes, version,
                created_at, updated_at, source)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)",
            one.id,
            workspace,
            one.kind,
            one.name.to_lowercase(),
            one.name,
            one.external_id,
            Json(one.attributes),
            one.version,
            one.now,
            one.source
        )?;
        Ok(())
    }

    /// Stores what is known of a department or a tag now.
    pub async fn set_group(&mut self, one: &GroupRow<'_>) -> Result<()> {
        execute!(
            self,
            "UPDATE workspace_group SET kind = $2, name_key = $3, name = $4, external_id = $5, attributes = $6,
                version = $7, updated_at = $8, source = $9 WHERE id = $1",
            one.id,
            one.kind,
            one.name.to_lowercase(),
            one.name,
            one.external_id,
            Json(one.attributes),
            one.version,
            one.now,
            one.source
        )?;
        Ok(())
    }

    /// The departments and tags that list this member, department or tag.
    pub async fn groups_listing(&mut self, id: &str) -> Result<Vec<String>> {
        const SQL: &str = "SELECT group_id FROM workspace_group_member WHERE member_id = $1
             UNION SELECT tag_id FROM workspace_tag_department WHERE department_id = $1
             UNION SELECT parent_id FROM workspace_group WHERE id = $1 AND parent_id IS NOT NULL";
        let rows = fetch!(self, fetch_all, (String,), SQL, id)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Counts a change of departments whose own attributes stay as they are.
    pub async fn touch_groups(&mut self, ids: &[String], now: Millis) -> Result<()> {
        for ids in ids.chunks(IDS) {
            execute_built!(self, |q| {
                q.push("UPDATE workspace_group SET version = version + 1, updated_at = ").push_bind(now);
                q.push(" WHERE id IN ");
                push_ids!(q, ids);
            })?;
        }
        Ok(())
    }

    /// The department or tag of a workspace with this id.
    pub async fn workspace_group(&mut self, workspace: &WorkspaceId, id: &GroupId) -> Result<Option<WorkspaceGroup>> {
        const SQL: &str = "SELECT id, kind, name, parent_id, external_id, created_at, updated_at FROM workspace_group
             WHERE id = $1 AND workspace_id = $2";
        Ok(fetch!(self, fetch_optional, WorkspaceGroup, SQL, id, workspace)?)
    }

    /// A page of the departments and tags of a workspace, by id, and one more than the page holds.
    pub async fn workspace_groups(
        &mut self,
        workspace: &WorkspaceId,
        query: &WorkspaceGroupQuery,
    ) -> Result<Vec<WorkspaceGroup>> {
        let page = query.page();
        Ok(fetch_built!(self, WorkspaceGroup, |q| {
            q.push("SELECT id, kind, name, parent_id, external_id, created_at, updated_at FROM workspace_group");
            q.push(" WHERE workspace_id = ").push_bind(workspace).push(" AND id > ").push_bind(page.after());
            push_if!(q, query.kind, " AND kind = ", "");
            push_if!(q, &query.parent, " AND parent_id = ", "");
            q.push(" ORDER BY id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Every department and tag of a workspace, with what it is and the department that it is in.
    pub async fn group_tree(&mut self, workspace: &WorkspaceId) -> Result<Vec<(String, GroupKind, Option<String>)>> {
        const SQL: &str = "SELECT id, kind, parent_id FROM workspace_group WHERE workspace_id = $1";
        Ok(fetch!(self, fetch_all, (String, GroupKind, Option<String>), SQL, workspace)?)
    }

    /// Which of these are members of the workspace.
    pub async fn known_members(&mut self, workspace: &WorkspaceId, ids: &[String]) -> Result<Vec<String>> {
        let mut known = Vec::new();
        for ids in ids.chunks(IDS) {
            let rows = fetch_built!(self, (String,), |q| {
                q.push("SELECT id FROM workspace_member WHERE workspace_id = ")
                    .push_bind(workspace)
                    .push(" AND id IN ");
                push_ids!(q, ids);
            })?;
            known.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(known)
    }

    /// Puts members into a department or a tag. Returns how many were not in it.
    pub async fn add_group_members(&mut self, group: &GroupId, members: &[String]) -> Result<u64> {
        self.add_listed(&MEMBERS, group, members).await
    }

    /// Takes members out of a department or a tag. Returns how many were in it.
    pub async fn remove_group_members(&mut self, group: &GroupId, members: &[String]) -> Result<u64> {
        self.remove_listed(&MEMBERS, group, members).await
    }

    /// Gives departments a tag. Returns how many did not have it.
    pub async fn tag_departments(&mut self, tag: &GroupId, departments: &[String]) -> Result<u64> {
        self.add_listed(&TAGGED, tag, departments).await
    }

    /// Takes a tag from departments. Returns how many had it.
    pub async fn untag_departments(&mut self, tag: &GroupId, departments: &[String]) -> Result<u64> {
        self.remove_listed(&TAGGED, tag, departments).await
    }

    async fn add_listed(&mut self, lists: &Lists, group: &GroupId, listed: &[String]) -> Result<u64> {
        let Lists { table, group: by, listed: what } = lists;
        let mut added = 0;
        for listed in listed.chunks(IDS) {
            added += execute_built!(self, |q| {
                q.push(format_args!("INSERT INTO {table} ({by}, {what}) "));
                q.push_values(listed, |mut row, one| {
                    row.push_bind(group).push_bind(one);
                });
                q.push(format_args!(" ON CONFLICT ({by}, {what}) DO NOTHING"));
            })?;
        }
        Ok(added)
    }

    async fn remove_listed(&mut self, lists: &Lists, group: &GroupId, listed: &[String]) -> Result<u64> {
        let Lists { table, group: by, listed: what } = lists;
        let mut removed = 0;
        for listed in listed.chunks(IDS) {
            removed += execute_built!(self, |q| {
                q.push(format_args!("DELETE FROM {table} WHERE {by} = ")).push_bind(group);
                q.push(format_args!(" AND {what} IN "));
                push_ids!(q, listed);
            })?;
        }
        Ok(removed)
    }

    /// Puts departments into another one, out of those that they are in; into none with `None`.
    pub async fn set_parent(&mut self, departments: &[String], parent: Option<&GroupId>) -> Result<()> {
        for departments in departments.chunks(IDS) {
            execute_built!(self, |q| {
                q.push("UPDATE workspace_group SET parent_id = ").push_bind(parent).push(" WHERE id IN ");
                push_ids!(q, departments);
            })?;
        }
        Ok(())
    }

    /// Whether a department or a tag has departments in it or is in one, has a tag, or has access to something.
    pub async fn is_entangled(&mut self, id: &GroupId) -> Result<bool> {
        const SQL: &str = "SELECT id FROM workspace_group WHERE parent_id = $1 OR id = $1 AND parent_id IS NOT NULL
             UNION SELECT tag_id FROM workspace_tag_department WHERE tag_id = $1 OR department_id = $1
             UNION SELECT a.subject_id FROM workspace_group g JOIN workspace_access a ON a.workspace_id = g.workspace_id
                 AND a.subject_id = g.id WHERE g.id = $1 LIMIT 1";
        Ok(fetch!(self, fetch_optional, (String,), SQL, id)?.is_some())
    }

    /// The members that these departments and tags list, as group and member, by both.
    pub async fn members_of_groups(&mut self, groups: &[String]) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        for groups in groups.chunks(IDS) {
            found.extend(fetch_built!(self, (String, String), |q| {
                q.push("SELECT group_id, member_id FROM workspace_group_member WHERE group_id IN ");
                push_ids!(q, groups);
                q.push(" ORDER BY group_id, member_id");
            })?);
        }
        Ok(found)
    }

    /// The departments that these departments and tags list, as group and department, by both.
    pub async fn departments_of_groups(&mut self, groups: &[String]) -> Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        for groups in groups.chunks(IDS) {
            found.extend(fetch_built!(self, (String, String), |q| {
                q.push("SELECT parent_id, id FROM workspace_group WHERE parent_id IN ");
                push_ids!(q, groups);
                q.push(" UNION ALL SELECT tag_id, department_id FROM workspace_tag_department WHERE tag_id IN ");
                push_ids!(q, groups);
                q.push(" ORDER BY 1, 2");
            })?);
        }
        Ok(found)
    }

    /// Every department and tag that these members are in, themselves or by another one, as member and membership.
    pub async fn memberships(&mut self, members: &[String]) -> Result<Vec<(String, Membership)>> {
        let mut found = Vec::new();
        for members in members.chunks(IDS) {
            let rows = fetch_built!(self, MembershipRow, |q| {
                q.push(
                    "WITH RECURSIVE above (member_id, through_id, group_id) AS (
                        SELECT member_id, group_id, group_id FROM workspace_group_member WHERE member_id IN ",
                );
                push_ids!(q, members);
                q.push(
                    " UNION SELECT a.member_id, a.through_id, g.parent_id FROM above a
                        JOIN workspace_group g ON g.id = a.group_id WHERE g.parent_id IS NOT NULL)
                     SELECT a.member_id, g.id AS group_id, g.kind, g.name, t.id AS through_id, t.name AS through_name
                        FROM above a JOIN workspace_group g ON g.id = a.group_id JOIN workspace_group t ON t.id = a.through_id
                     UNION SELECT a.member_id, g.id, g.kind, g.name, t.id, t.name FROM above a
                        JOIN workspace_tag_department d ON d.department_id = a.group_id
                        JOIN workspace_group g ON g.id = d.tag_id JOIN workspace_group t ON t.id = a.through_id
                     ORDER BY 1, 2, 5",
                );
            })?;
            found.extend(rows.into_iter().map(|row| (row.member_id, row.membership)));
        }
        Ok(found)
    }
}

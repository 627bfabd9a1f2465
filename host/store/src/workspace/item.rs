//! Applications and linked MiniApps, and to whom they are given.

use std::collections::BTreeSet;

use crate::{Tx, chosen, execute, execute_built, fetch, fetch_built, push_ids};
use berth_base::{error::Result, ids::WorkspaceId};
use berth_model::workspace::{Grant, Item, Subject, SubjectKind};

/// How many subjects one statement inserts, at most.
const ROWS: usize = 1000;

impl Tx {
    /// The applications and linked MiniApps of a workspace, by name; only those of `ids`, if they are given.
    pub async fn items(&mut self, workspace: &WorkspaceId, ids: Option<&BTreeSet<String>>) -> Result<Vec<Item>> {
        if ids.is_some_and(BTreeSet::is_empty) {
            return Ok(Vec::new());
        }
        Ok(fetch_built!(self, Item, |q| {
            q.push(
                "SELECT i.id, i.kind, i.form, COALESCE(m.name, i.name) AS name, i.description, i.url, i.added_at,
                    (i.kind = 'application' OR m.on_shelf AND EXISTS (SELECT 1 FROM version v
                        WHERE v.mini_app_id = i.id AND v.state = 'online')) AS online
                 FROM workspace_item i LEFT JOIN mini_app m ON m.id = i.id AND i.kind = 'mini_app' WHERE i.workspace_id = ",
            );
            q.push_bind(workspace);
            if let Some(ids) = chosen!(ids) {
                q.push(" AND i.id IN ");
                push_ids!(q, ids);
            }
            q.push(" ORDER BY 4, 1");
        })?)
    }

    /// The application or linked MiniApp with this id.
    pub async fn item(&mut self, workspace: &WorkspaceId, id: &str) -> Result<Option<Item>> {
        Ok(self.items(workspace, Some(&[id.to_owned()].into())).await?.pop())
    }

    /// How many applications and linked MiniApps a workspace has.
    pub async fn count_items(&mut self, workspace: &WorkspaceId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM workspace_item WHERE workspace_id = $1";
        Ok(fetch!(self, fetch_one, (i64,), SQL, workspace)?.0)
    }

    /// Adds an application, or links a MiniApp. Returns `false` when it is there already.
    pub async fn insert_item(&mut self, workspace: &WorkspaceId, one: &Item) -> Result<bool> {
        let added = execute!(
            self,
            "INSERT INTO workspace_item (workspace_id, id, kind, form, name, description, url, added_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, id) DO NOTHING",
            workspace,
            &one.id,
            one.kind,
            one.form,
            &one.name,
            &one.description,
            &one.url,
            one.added_at
        )?;
        Ok(added > 0)
    }

    /// Stores what can be edited of an application.
    pub async fn set_item(&mut self, workspace: &WorkspaceId, one: &Item) -> Result<()> {
        const SQL: &str =
            "UPDATE workspace_item SET name = $3, description = $4, url = $5 WHERE workspace_id = $1 AND id = $2";
        execute!(self, SQL, workspace, &one.id, &one.name, &one.description, &one.url)?;
        Ok(())
    }

    /// Removes an application or a link, and to whom it was given.
    pub async fn delete_item(&mut self, workspace: &WorkspaceId, id: &str) -> Result<()> {
        execute!(self, "DELETE FROM workspace_item WHERE workspace_id = $1 AND id = $2", workspace, id)?;
        Ok(())
    }

    /// To whom an item is given.
    pub async fn subjects(&mut self, workspace: &WorkspaceId, item: &str) -> Result<BTreeSet<Subject>> {
        const SQL: &str =
            "SELECT subject_kind, subject_id FROM workspace_access WHERE workspace_id = $1 AND item_id = $2";
        let rows = fetch!(self, fetch_all, (SubjectKind, String), SQL, workspace, item)?;
        Ok(rows.into_iter().map(|(kind, id)| Subject { kind, id }).collect())
    }

    /// Gives an item to these.
    pub async fn give(&mut self, workspace: &WorkspaceId, item: &str, subjects: &[Subject]) -> Result<()> {
        for subjects in subjects.chunks(ROWS) {
            execute_built!(self, |q| {
                q.push("INSERT INTO workspace_access (workspace_id, item_id, subject_kind, subject_id) ");
                q.push_values(subjects, |mut row, subject| {
                    row.push_bind(workspace).push_bind(item).push_bind(subject.kind).push_bind(&subject.id);
                });
            })?;
        }
        Ok(())
    }

    /// Takes an item from one of those to whom it was given.
    pub async fn take(&mut self, workspace: &WorkspaceId, item: &str, subject: &Subject) -> Result<()> {
        execute!(
            self,
            "DELETE FROM workspace_access WHERE workspace_id = $1 AND item_id = $2 AND subject_kind = $3 AND subject_id = $4",
            workspace,
            item,
            subject.kind,
            &subject.id
        )?;
        Ok(())
    }

    /// What is given to any of these, which are ids of departments, tags, members and contacts, or the empty text for
    /// everyone.
    pub async fn grants(&mut self, workspace: &WorkspaceId, subjects: &BTreeSet<String>) -> Result<Vec<Grant>> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        Ok(fetch_built!(self, Grant, |q| {
            q.push("SELECT item_id, subject_kind, subject_id FROM workspace_access WHERE workspace_id = ");
            q.push_bind(workspace).push(" AND subject_id IN ");
            push_ids!(q, subjects);
            q.push(" ORDER BY item_id, subject_kind, subject_id");
        })?)
    }
}

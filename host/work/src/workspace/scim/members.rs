//! Who is in a department or a tag, and which departments are.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    error::Result,
    ids::{GroupId, WorkspaceId},
};
use berth_model::workspace::{
    GroupKind,
    scim::{Reason, filter::Matcher, patch::MemberChange, refuse, resource::Reference, schema::Resource},
};
use berth_store::Tx;
use serde_json::json;

use super::chosen::chosen;

/// How deep departments are in each other, at most.
const DEEPEST: usize = 32;

/// Members and departments, by their ids.
#[derive(Default)]
struct Parts {
    members: Vec<String>,
    departments: Vec<String>,
}

impl Parts {
    /// What references name. The prefix of an id says what it is of.
    ///
    /// # Errors
    /// `scim-value` for an id of neither, or a `type` that it is not of.
    fn of(references: Vec<Reference>) -> Result<Self> {
        let mut parts = Self::default();
        for Reference { value, resource } in references {
            let (is, ids) = match value.get(..4) {
                Some("mem_") => (Resource::User, &mut parts.members),
                Some("grp_") => (Resource::Group, &mut parts.departments),
                _ => return Err(unknown(&value)),
            };
            if resource.is_some_and(|said| said != is) {
                let detail = format!("{value} is the id of a {}. Name that as its type.", is.name());
                return Err(refuse(Reason::InvalidValue, detail));
            }
            ids.push(value);
        }
        Ok(parts)
    }

    /// What ids name; others name nothing that could be in a group.
    fn of_ids(ids: Vec<String>) -> Self {
        let (members, others) = ids.into_iter().partition(|id| id.starts_with("mem_"));
        Self { members, departments: others }
    }
}

fn unknown(id: &str) -> berth_base::error::Error {
    refuse(Reason::InvalidValue, format!("members: there is no User or Group {id} in the workspace."))
}

/// A department or a tag that changes.
pub(super) struct Group<'a> {
    pub workspace: &'a WorkspaceId,
    pub id: &'a GroupId,
    pub kind: GroupKind,
}

impl Group<'_> {
    /// Does what a change says. Returns whether anything is different now.
    ///
    /// # Errors
    /// `scim-value` for what the workspace does not have, a tag, or a department that would be in itself.
    pub(super) async fn change(&self, tx: &mut Tx, change: MemberChange) -> Result<bool> {
        match change {
            MemberChange::Add(references) => self.add(tx, Parts::of(references)?).await,
            MemberChange::Remove(ids) => self.remove(tx, Parts::of_ids(ids)).await,
            MemberChange::RemoveWhere(filter) => {
                let members =
                    Resource::Group.attribute("members").ok_or_else(|| refuse(Reason::InvalidPath, "members"))?;
                let matcher = Matcher::of_values(&filter, members)?;
                let now = self.parts(tx).await?;
                let of = |ids: Vec<String>, resource: Resource| ids.into_iter().map(move |id| (resource, id));
                let all = of(now.members, Resource::User).chain(of(now.departments, Resource::Group));
                let fits = |(resource, id): &(Resource, String)| {
                    json!({"value": id, "type": resource.name()}).as_object().is_some_and(|one| matcher.fits(&[one]))
                };
                let chosen = chosen(all, filter.comparisons(), fits).await;
                if chosen.is_empty() {
                    return Err(refuse(Reason::NoTarget, "No member is as the filter of the path says."));
                }
                self.remove(tx, Parts::of_ids(chosen.into_iter().map(|(_, id)| id).collect())).await
            }
            MemberChange::Set(references) => {
                let (now, then) = (self.parts(tx).await?, Parts::of(references)?);
                let added = Parts {
                    members: less(&then.members, &now.members),
                    departments: less(&then.departments, &now.departments),
                };
                let gone = Parts {
                    members: less(&now.members, &then.members),
                    departments: less(&now.departments, &then.departments),
                };
                let gone = self.remove(tx, gone).await?;
                Ok(self.add(tx, added).await? || gone)
            }
        }
    }

    async fn parts(&self, tx: &mut Tx) -> Result<Parts> {
        let own = [self.id.to_string()];
        let ids = |pairs: Vec<(String, String)>| pairs.into_iter().map(|(_, id)| id).collect();
        Ok(Parts {
            members: ids(tx.members_of_groups(&own).await?),
            departments: ids(tx.departments_of_groups(&own).await?),
        })
    }

    async fn add(&self, tx: &mut Tx, parts: Parts) -> Result<bool> {
        let known: BTreeSet<_> = tx.known_members(self.workspace, &parts.members).await?.into_iter().collect();
        if let Some(id) = parts.members.iter().find(|id| !known.contains(*id)) {
            return Err(unknown(id));
        }
        let added = tx.add_group_members(self.id, &parts.members).await?;
        if parts.departments.is_empty() {
            return Ok(added > 0);
        }
        let tree = Tree::of(tx, self.workspace).await?;
        if let Some(id) = parts.departments.iter().find(|id| !tree.kinds.contains_key(*id)) {
            return Err(unknown(id));
        }
        if let Some(tag) = parts.departments.iter().find(|id| tree.kinds.get(*id) == Some(&GroupKind::Tag)) {
            return Err(refuse(Reason::InvalidValue, format!("members: {tag} is a tag, and a tag is in nothing.")));
        }
        let changed = match self.kind {
            GroupKind::Tag => tx.tag_departments(self.id, &parts.departments).await?,
            GroupKind::Department => self.adopt(tx, &tree, &parts.departments).await?,
        };
        Ok(added + changed > 0)
    }

    /// Puts departments into this one, out of those that they are in, which count that as a change of theirs.
    async fn adopt(&self, tx: &mut Tx, tree: &Tree, departments: &[String]) -> Result<u64> {
        let own = self.id.as_str();
        let above = tree.above(own);
        if let Some(id) = departments.iter().find(|id| *id == own || above.contains(&id.as_str())) {
            return Err(refuse(Reason::InvalidValue, format!("members: {id} would be in itself.")));
        }
        let deepest = departments.iter().map(|id| tree.depth_below(id)).max().unwrap_or(0);
        if above.len() + 1 + deepest > DEEPEST {
            return Err(refuse(Reason::InvalidValue, format!("members: departments are at most {DEEPEST} deep.")));
        }
        let coming: Vec<_> = departments.iter().filter(|id| tree.parent(id) != Some(own)).cloned().collect();
        let left: BTreeSet<_> = coming.iter().filter_map(|id| tree.parent(id)).map(str::to_owned).collect();
        tx.set_parent(&coming, Some(self.id)).await?;
        let now = tx.now();
        tx.touch_groups(&left.into_iter().collect::<Vec<_>>(), now).await?;
        Ok(coming.len() as u64)
    }

    async fn remove(&self, tx: &mut Tx, parts: Parts) -> Result<bool> {
        let gone = tx.remove_group_members(self.id, &parts.members).await?;
        if parts.departments.is_empty() {
            return Ok(gone > 0);
        }
        let changed = match self.kind {
            GroupKind::Tag => tx.untag_departments(self.id, &parts.departments).await?,
            GroupKind::Department => {
                let tree = Tree::of(tx, self.workspace).await?;
                let own = |id: &&String| tree.parent(id) == Some(self.id.as_str());
                let leaving: Vec<_> = parts.departments.iter().filter(own).cloned().collect();
                tx.set_parent(&leaving, None).await?;
                leaving.len() as u64
            }
        };
        Ok(gone + changed > 0)
    }
}

/// What is in the first and not in the second.
fn less(one: &[String], other: &[String]) -> Vec<String> {
    let other: BTreeSet<_> = other.iter().collect();
    one.iter().filter(|id| !other.contains(id)).cloned().collect()
}

/// The departments of a workspace, each in one other at most.
struct Tree {
    kinds: BTreeMap<String, GroupKind>,
    parents: BTreeMap<String, String>,
    children: BTreeMap<String, Vec<String>>,
}

impl Tree {
    async fn of(tx: &mut Tx, workspace: &WorkspaceId) -> Result<Self> {
        let mut tree = Self { kinds: BTreeMap::new(), parents: BTreeMap::new(), children: BTreeMap::new() };
        for (id, kind, parent) in tx.group_tree(workspace).await? {
            tree.kinds.insert(id.clone(), kind);
            if let Some(parent) = parent {
                tree.children.entry(parent.clone()).or_default().push(id.clone());
                tree.parents.insert(id, parent);
            }
        }
        Ok(tree)
    }

    fn parent(&self, id: &str) -> Option<&str> {
        self.parents.get(id).map(String::as_str)
    }

    /// The departments that this one is in, the nearest first.
    fn above(&self, id: &str) -> Vec<&str> {
        std::iter::successors(self.parent(id), |one| self.parent(one)).take(DEEPEST * 2).collect()
    }

    /// How many levels a department has, with itself.
    fn depth_below(&self, id: &str) -> usize {
        let (mut depth, mut level) = (0, vec![id]);
        while !level.is_empty() && depth <= DEEPEST {
            depth += 1;
            level = level.iter().filter_map(|id| self.children.get(*id)).flatten().map(String::as_str).collect();
        }
        depth
    }
}

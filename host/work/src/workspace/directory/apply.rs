//! What stands in a workspace, and the writing of what a sync changes there.

use std::collections::BTreeMap;

use berth_base::{
    error::{Error, Result},
    ids::{GroupId, MemberId, WorkspaceId},
};
use berth_model::{
    event::{self, Kind, kind},
    workspace::{
        GroupKind, GroupTold, MemberTold,
        directory::{Book, DirectorySettings, Step, Tag, key, known_group, known_member, stored_group, stored_member},
        scim::{
            resource::{Attributes, display_name, text_of},
            schema::Resource,
        },
    },
};
use berth_store::{GroupRow, Lease, MemberRow, StandingGroup, StandingMember, Tx};

use super::{Directories, manage::kept_by_others};

/// How many steps one transaction does. A first sync of a large organisation has many, and others want to write, too.
const STEPS: usize = 500;
/// Seconds for which the lease is prolonged with each transaction.
const LEASE_SECONDS: i64 = 120;

/// What stands in a workspace, by the ids of the directory from which it came.
pub(super) struct Standing {
    /// The same as the directory would tell it.
    pub book: Book,
    members: BTreeMap<String, StandingMember>,
    groups: BTreeMap<(GroupKind, String), StandingGroup>,
}

impl Standing {
    /// Reads what stands.
    ///
    /// # Errors
    /// `address-book-kept` when a part of it came from elsewhere.
    pub(super) async fn read(tx: &mut Tx, settings: &DirectorySettings) -> Result<Self> {
        let (workspace, source) = (&settings.workspace, settings.source());
        let (members, groups) = (tx.standing_members(workspace).await?, tx.standing_groups(workspace).await?);
        let mut sources = members.iter().map(|row| &row.source).chain(groups.iter().map(|row| &row.source));
        if sources.any(|from| from.as_ref() != Some(&source)) {
            return Err(kept_by_others(workspace, settings.kind));
        }
        let ids: Vec<_> = groups.iter().map(|row| row.id.to_string()).collect();
        let tags: Vec<_> =
            groups.iter().filter(|row| row.kind == GroupKind::Tag).map(|row| row.id.to_string()).collect();
        let listed = tx.members_of_groups(&ids).await?;
        let tagged = tx.departments_of_groups(&tags).await?;
        Ok(Self::of(members, groups, &listed, &tagged))
    }

    fn of(
        members: Vec<StandingMember>,
        groups: Vec<StandingGroup>,
        listed: &[(String, String)],
        tagged: &[(String, String)],
    ) -> Self {
        let external = |attributes: &Attributes| text_of(attributes, "externalId").to_owned();
        let people: BTreeMap<_, _> =
            members.iter().map(|row| (row.id.to_string(), key(&external(&row.attributes)))).collect();
        let known: BTreeMap<_, _> =
            groups.iter().map(|row| (row.id.to_string(), (row.kind, external(&row.attributes)))).collect();
        let mut book = Book::default();
        for row in &members {
            book.add_person(known_member(&row.attributes, row.active));
        }
        for row in &groups {
            let (id, name) = (external(&row.attributes), known_group(row.kind, &row.attributes));
            let parent = row.parent_id.as_ref().and_then(|parent| known.get(parent.as_str()));
            match row.kind {
                GroupKind::Department => book.add_department(id, name, parent.map(|(_, id)| id.clone())),
                GroupKind::Tag => book.add_tag(id, Tag { name, ..Tag::default() }),
            }
        }
        for (group, member) in listed {
            let (Some((kind, group)), Some(person)) = (known.get(group), people.get(member)) else { continue };
            match kind {
                GroupKind::Department => {
                    if let Some(person) = book.people.get_mut(person) {
                        person.departments.insert(group.clone());
                    }
                }
                GroupKind::Tag => {
                    if let Some(tag) = book.tags.get_mut(group) {
                        tag.people.insert(person.clone());
                    }
                }
            }
        }
        for (tag, department) in tagged {
            let (Some((_, tag)), Some((_, department))) = (known.get(tag), known.get(department)) else { continue };
            if let Some(tag) = book.tags.get_mut(tag) {
                tag.departments.insert(department.clone());
            }
        }
        Self {
            book,
            members: members.into_iter().map(|row| (key(&external(&row.attributes)), row)).collect(),
            groups: groups.into_iter().map(|row| ((row.kind, external(&row.attributes)), row)).collect(),
        }
    }
}

/// Does the steps of a sync, some in each transaction. Each is safe by itself: what is not done is done by the next sync. Returns
/// `false` when the right to go on was lost, as another host has it or the directory was set anew or removed.
pub(super) async fn apply(
    directories: &Directories,
    settings: &DirectorySettings,
    standing: Standing,
    after: &Book,
    steps: &[Step<'_>],
) -> Result<bool> {
    let Standing { members, groups, .. } = standing;
    let mut applying = Applying {
        workspace: &settings.workspace,
        source: settings.source(),
        after,
        members,
        groups,
        touched: BTreeMap::new(),
    };
    for steps in steps.chunks(STEPS) {
        let mut tx = directories.db.begin().await?;
        if !tx.keep_directory(settings, &Lease::of(&directories.db, LEASE_SECONDS)).await? {
            return Ok(false);
        }
        tx.hold_workspace(&settings.workspace).await?;
        for step in steps {
            applying.step(&mut tx, step).await?;
        }
        tx.commit().await?;
    }
    Ok(true)
}

struct Applying<'a> {
    workspace: &'a WorkspaceId,
    source: String,
    after: &'a Book,
    members: BTreeMap<String, StandingMember>,
    groups: BTreeMap<(GroupKind, String), StandingGroup>,
    /// How often a department or a tag was counted as changed beside its own step, by its id.
    touched: BTreeMap<String, i64>,
}

impl Applying<'_> {
    async fn step(&mut self, tx: &mut Tx, step: &Step<'_>) -> Result<()> {
        match step {
            Step::Deactivate(key) => self.deactivate(tx, key).await,
            Step::Person { key, .. } => self.person(tx, key).await,
            Step::Group { kind, id, .. } => self.group(tx, *kind, id).await,
            Step::List { kind, id, people, departments } => {
                let row = self.standing_group(*kind, id)?.clone();
                tx.remove_group_members(&row.id, &self.members_of(&people.less)?).await?;
                tx.add_group_members(&row.id, &self.members_of(&people.more)?).await?;
                tx.untag_departments(&row.id, &self.departments_of(&departments.less)?).await?;
                tx.tag_departments(&row.id, &self.departments_of(&departments.more)?).await?;
                self.touch(tx, vec![row.id.to_string()]).await?;
                self.tell_group(tx, kind::WORKSPACE_GROUP_CHANGED, &row, true);
                Ok(())
            }
            Step::Drop { kind, id } => {
                let row = self.standing_group(*kind, id)?.clone();
                let listing = tx.groups_listing(row.id.as_str()).await?;
                self.touch(tx, listing).await?;
                tx.delete_resource(Resource::Group, self.workspace, row.id.as_str()).await?;
                self.groups.remove(&(*kind, (*id).to_owned()));
                self.tell_group(tx, kind::WORKSPACE_GROUP_DELETED, &row, false);
                Ok(())
            }
        }
    }

    async fn deactivate(&mut self, tx: &mut Tx, key: &str) -> Result<()> {
        let mut row = self.members.get(key).ok_or_else(|| gone(key))?.clone();
        row.attributes.0.insert("active".into(), false.into());
        row.active = false;
        self.write_member(tx, key, row, false).await
    }

    async fn person(&mut self, tx: &mut Tx, key: &str) -> Result<()> {
        let person = self.after.people.get(key).ok_or_else(|| gone(key))?;
        let before = self.members.get(key);
        let is_new = before.is_none();
        let row = StandingMember {
            id: before.map_or_else(|| MemberId::generate(tx.now(), tx.random()), |row| row.id.clone()),
            source: Some(self.source.clone()),
            attributes: stored_member(before.map(|row| &row.attributes.0), person).into(),
            active: person.active,
            version: before.map_or(0, |row| row.version),
        };
        self.write_member(tx, key, row, is_new).await
    }

    async fn write_member(&mut self, tx: &mut Tx, key: &str, mut row: StandingMember, is_new: bool) -> Result<()> {
        row.version += 1;
        let attributes = &row.attributes.0;
        let written = MemberRow {
            id: &row.id,
            user_name: text_of(attributes, "userName"),
            external_id: Some(text_of(attributes, "externalId")),
            source: Some(&self.source),
            name: display_name(attributes),
            active: row.active,
            attributes,
            version: row.version,
            now: tx.now(),
        };
        let done =
            if is_new { tx.insert_member(self.workspace, &written).await? } else { tx.set_member(&written).await? };
        if !done {
            return Err(gone(key));
        }
        if !row.active {
            tx.end_member_sign_ons(&row.id).await?;
        }
        let event = if is_new { kind::WORKSPACE_MEMBER_CREATED } else { kind::WORKSPACE_MEMBER_CHANGED };
        let told = MemberTold { workspace: self.workspace.clone(), member: row.id.clone(), active: row.active };
        tx.tell(event, &row.id, event::BERTH, &told).for_workspace(self.workspace);
        self.members.insert(key.to_owned(), row);
        Ok(())
    }

    async fn group(&mut self, tx: &mut Tx, kind: GroupKind, id: &str) -> Result<()> {
        let (name, parent) = match kind {
            GroupKind::Department => {
                self.after.departments.get(id).map_or((None, None), |one| (one.name.as_deref(), one.parent.as_deref()))
            }
            GroupKind::Tag => (self.after.tags.get(id).and_then(|tag| tag.name.as_deref()), None),
        };
        let parent_id = parent.map(|parent| self.standing_group(GroupKind::Department, parent)).transpose()?;
        let parent_id = parent_id.map(|parent| parent.id.clone());
        let before = self.groups.get(&(kind, id.to_owned()));
        let is_new = before.is_none();
        let left = before.and_then(|row| row.parent_id.clone());
        let row = StandingGroup {
            id: before.map_or_else(|| GroupId::generate(tx.now(), tx.random()), |row| row.id.clone()),
            kind,
            parent_id: parent_id.clone(),
            source: Some(self.source.clone()),
            attributes: stored_group(before.map(|row| &row.attributes.0), kind, id, name).into(),
            version: before.map_or(0, |row| row.version + self.touched.get(row.id.as_str()).unwrap_or(&0)) + 1,
        };
        self.write_group(tx, &row, is_new).await?;
        if left != parent_id {
            tx.set_parent(&[row.id.to_string()], parent_id.as_ref()).await?;
            // What a department has in it is a part of what it is.
            self.touch(tx, [left, parent_id].into_iter().flatten().map(|id| id.to_string()).collect()).await?;
        }
        let event = if is_new { kind::WORKSPACE_GROUP_CREATED } else { kind::WORKSPACE_GROUP_CHANGED };
        self.tell_group(tx, event, &row, false);
        self.groups.insert((kind, id.to_owned()), row);
        Ok(())
    }

    async fn write_group(&self, tx: &mut Tx, row: &StandingGroup, is_new: bool) -> Result<()> {
        let attributes = &row.attributes.0;
        let written = GroupRow {
            id: &row.id,
            kind: row.kind,
            name: text_of(attributes, "displayName"),
            external_id: Some(text_of(attributes, "externalId")),
            source: Some(&self.source),
            attributes,
            version: row.version,
            now: tx.now(),
        };
        if is_new { tx.insert_group(self.workspace, &written).await } else { tx.set_group(&written).await }
    }

    /// Counts a change of departments and tags whose own attributes stay as they are.
    async fn touch(&mut self, tx: &mut Tx, ids: Vec<String>) -> Result<()> {
        let now = tx.now();
        tx.touch_groups(&ids, now).await?;
        for id in ids {
            *self.touched.entry(id).or_default() += 1;
        }
        Ok(())
    }

    fn standing_group(&self, kind: GroupKind, id: &str) -> Result<&StandingGroup> {
        self.groups.get(&(kind, id.to_owned())).ok_or_else(|| gone(id))
    }

    fn members_of(&self, keys: &[&str]) -> Result<Vec<String>> {
        keys.iter().map(|key| self.members.get(*key).map(|row| row.id.to_string()).ok_or_else(|| gone(key))).collect()
    }

    fn departments_of(&self, ids: &[&str]) -> Result<Vec<String>> {
        ids.iter().map(|id| self.standing_group(GroupKind::Department, id).map(|row| row.id.to_string())).collect()
    }

    fn tell_group(&self, tx: &mut Tx, event: Kind<GroupTold>, row: &StandingGroup, members_changed: bool) {
        let (id, name) = (row.id.clone(), text_of(&row.attributes.0, "displayName").to_owned());
        let told = GroupTold { workspace: self.workspace.clone(), group: id, kind: row.kind, name, members_changed };
        tx.tell(event, &row.id, event::BERTH, &told).for_workspace(self.workspace);
    }
}

/// The error of a plan that names what is not there. That would be a defect, as the plan was made of what stands.
fn gone(what: &str) -> Error {
    Error::internal(anyhow::anyhow!("{what} is not in the address book as it stands"))
}

//! Changes of Users and Groups.

use berth_base::{
    error::{Code, Error, Result},
    ids::{GroupId, MemberId},
};
use berth_model::{
    event::{Kind, kind},
    workspace::{
        GroupKind, GroupTold, MemberTold,
        scim::{
            Reason,
            message::names_version,
            patch::{self, MemberChange},
            refuse,
            resource::{self, Attributes, display_name, keep_what_decides, said_active, said_kind, text_of},
            schema::Resource,
            view::View,
        },
    },
};
use berth_store::{GroupRow, MemberRow, ResourceRow, Tx};
use serde_json::Value;

use super::{Directory, Shown, members::Group, no_such, shown};

/// How many departments and tags a workspace has, at most.
const MOST_GROUPS: i64 = 20_000;

/// What a request about one resource has besides its body.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The type of the resource.
    pub resource: Resource,
    /// Its id; for a new one the id that it gets.
    pub id: &'a str,
    /// The `If-Match` of the request.
    pub if_match: Option<&'a str>,
    /// What is wanted of the answer.
    pub view: &'a View,
}

/// A fresh id for a resource of this type.
pub fn fresh_id(of: &Directory<'_>, resource: Resource) -> String {
    match resource {
        Resource::User => MemberId::generate(of.db.now(), of.db.random()).to_string(),
        Resource::Group => GroupId::generate(of.db.now(), of.db.random()).to_string(),
    }
}

/// Makes a User or a Group.
///
/// # Errors
/// `scim-uniqueness` for a `userName` that another member has; `scim-syntax`, `scim-value`; `workspace-limit`; `not-found`;
/// `missing-grant`.
#[tracing::instrument(name = "scim.create", skip_all, fields(workspace = %of.workspace, resource = ask.resource.name()))]
pub async fn create(of: &Directory<'_>, ask: &Ask<'_>, body: &Value) -> Result<Shown> {
    let (attributes, references) = resource::read(ask.resource, body)?;
    let mut tx = of.begin_adding().await?;
    let now = tx.now();
    let row =
        ResourceRow { id: ask.id.into(), attributes: attributes.into(), version: 1, created_at: now, updated_at: now };
    match ask.resource {
        Resource::User => {
            let id: MemberId = ask.id.parse()?;
            let active = is_active(&mut tx, of, &id, &row.attributes.0).await?;
            if !tx.insert_member(of.workspace, &member_row(&id, &row, active)).await? {
                return Err(taken());
            }
            tell_member(&mut tx, of, kind::WORKSPACE_MEMBER_CREATED, &id, active);
        }
        Resource::Group => {
            let id: GroupId = ask.id.parse()?;
            require_room(&mut tx, of).await?;
            let kind = kind_of(&mut tx, of, &id, &row.attributes.0).await?;
            tx.insert_group(of.workspace, &group_row(&id, &row, kind)).await?;
            let group = Group { workspace: of.workspace, id: &id, kind };
            let changed = group.change(&mut tx, MemberChange::Add(references)).await?;
            tell_group(&mut tx, of, kind::WORKSPACE_GROUP_CREATED, &group, &row.attributes.0, changed);
        }
    }
    let shown = shown::one(&mut tx, of, ask.resource, row, ask.view).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Puts what the body says in the place of all that the client has said of a resource, but for what decides about access and
/// is not said.
///
/// # Errors
/// As for [`create`]; `precondition-failed`; `scim-mutability` for a group that cannot become a tag or a department.
#[tracing::instrument(name = "scim.replace", skip_all, fields(workspace = %of.workspace, resource = ask.resource.name()))]
pub async fn replace(of: &Directory<'_>, ask: &Ask<'_>, body: &Value) -> Result<Shown> {
    let (mut attributes, references) = resource::read(ask.resource, body)?;
    let (mut tx, row) = hold(of, ask, ask.resource == Resource::Group).await?;
    keep_what_decides(&row.attributes.0, &mut attributes);
    let row = store(&mut tx, of, ask.resource, row, attributes, vec![MemberChange::Set(references)]).await?;
    let shown = shown::one(&mut tx, of, ask.resource, row, ask.view).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Changes a resource by operations, all or none.
///
/// # Errors
/// As for [`replace`]; `scim-path`, `scim-no-target`.
#[tracing::instrument(name = "scim.patch", skip_all, fields(workspace = %of.workspace, resource = ask.resource.name()))]
pub async fn patch(of: &Directory<'_>, ask: &Ask<'_>, body: &Value) -> Result<Shown> {
    let (mut tx, row) = hold(of, ask, ask.resource == Resource::Group).await?;
    let mut attributes = row.attributes.0.clone();
    let changes = patch::apply(ask.resource, &mut attributes, body)?;
    let row = store(&mut tx, of, ask.resource, row, attributes, changes).await?;
    let shown = shown::one(&mut tx, of, ask.resource, row, ask.view).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Deletes a User or a Group. The departments in a deleted one are at the top then.
///
/// # Errors
/// `precondition-failed`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "scim.delete", skip_all, fields(workspace = %of.workspace, resource = ask.resource.name()))]
pub async fn delete(of: &Directory<'_>, ask: &Ask<'_>) -> Result<()> {
    let (mut tx, row) = hold(of, ask, true).await?;
    let attributes = &row.attributes.0;
    match ask.resource {
        Resource::User => {
            let id = ask.id.parse()?;
            let active = is_active(&mut tx, of, &id, attributes).await?;
            tell_member(&mut tx, of, kind::WORKSPACE_MEMBER_DELETED, &id, active);
        }
        Resource::Group => {
            let id = ask.id.parse()?;
            let kind = kind_of(&mut tx, of, &id, attributes).await?;
            let group = Group { workspace: of.workspace, id: &id, kind };
            tell_group(&mut tx, of, kind::WORKSPACE_GROUP_DELETED, &group, attributes, false);
        }
    }
    // Who is in a group is a part of what it is.
    let (listing, now) = (tx.groups_listing(ask.id).await?, tx.now());
    tx.touch_groups(&listing, now).await?;
    tx.delete_resource(ask.resource, of.workspace, ask.id).await?;
    tx.commit().await
}

/// Locks a resource, when it is still the one that the request means; with `all` the workspace, too, as who is in what changes
/// one after the other, and a member who leaves is in nothing.
async fn hold(of: &Directory<'_>, ask: &Ask<'_>, all: bool) -> Result<(Tx, ResourceRow)> {
    let mut tx = of.begin().await?;
    if all {
        tx.hold_workspace(of.workspace).await?;
    }
    let row = tx.hold_resource(ask.resource, of.workspace, ask.id).await?;
    let row = row.ok_or_else(|| no_such(ask.resource, ask.id))?;
    if ask.if_match.is_some_and(|wanted| !names_version(wanted, row.version)) {
        let detail = "It was changed since it was read with the ETag in If-Match. Read it again, decide anew, and send the new ETag.";
        return Err(Error::new(Code::PreconditionFailed, detail));
    }
    Ok((tx, row))
}

/// Stores what a resource is now. When nothing is different, nothing is written.
async fn store(
    tx: &mut Tx,
    of: &Directory<'_>,
    resource: Resource,
    before: ResourceRow,
    attributes: Attributes,
    changes: Vec<MemberChange>,
) -> Result<ResourceRow> {
    let same = before.attributes.0 == attributes;
    let row = ResourceRow { attributes: attributes.into(), ..before.clone() };
    let next = ResourceRow { version: before.version + 1, updated_at: tx.now(), ..row.clone() };
    match resource {
        Resource::User if same => return Ok(row),
        Resource::User => {
            let id: MemberId = row.id.parse()?;
            let active = is_active(tx, of, &id, &next.attributes.0).await?;
            if !tx.set_member(&member_row(&id, &next, active)).await? {
                return Err(taken());
            }
            if !active {
                tx.end_member_sign_ons(&id).await?;
            }
            tell_member(tx, of, kind::WORKSPACE_MEMBER_CHANGED, &id, active);
        }
        Resource::Group => {
            let id: GroupId = row.id.parse()?;
            let kind = kind_of(tx, of, &id, &row.attributes.0).await?;
            if kind != kind_of(tx, of, &id, &before.attributes.0).await? && tx.is_entangled(&id).await? {
                return Err(cannot_turn(kind));
            }
            let group = Group { workspace: of.workspace, id: &id, kind };
            let mut changed = false;
            for change in changes {
                changed |= group.change(tx, change).await?;
            }
            if same && !changed {
                return Ok(row);
            }
            tx.set_group(&group_row(&id, &next, kind)).await?;
            tell_group(tx, of, kind::WORKSPACE_GROUP_CHANGED, &group, &next.attributes.0, changed);
        }
    }
    Ok(next)
}

/// Whether a member is active: what is said, else what was said last, else yes. An attribute can be taken away; what it decided stays.
async fn is_active(tx: &mut Tx, of: &Directory<'_>, id: &MemberId, attributes: &Attributes) -> Result<bool> {
    match said_active(attributes) {
        Some(active) => Ok(active),
        None => Ok(tx.workspace_member(of.workspace, id).await?.is_none_or(|member| member.active)),
    }
}

/// What a group is: what is said, else what was said last, else a department.
async fn kind_of(tx: &mut Tx, of: &Directory<'_>, id: &GroupId, attributes: &Attributes) -> Result<GroupKind> {
    match said_kind(attributes) {
        Some(kind) => Ok(kind),
        None => Ok(tx.workspace_group(of.workspace, id).await?.map_or(GroupKind::Department, |group| group.kind)),
    }
}

fn cannot_turn(kind: GroupKind) -> Error {
    let detail = format!(
        "It cannot become a {kind} while departments are in it, it is in one or has a tag, or it has access to something, which \
         would be lost. Take these apart first, and the access away."
    );
    refuse(Reason::Mutability, detail)
}

fn taken() -> Error {
    let detail = "Another member of the workspace has this userName. Names are the same in upper and lower case.";
    refuse(Reason::Uniqueness, detail)
}

async fn require_room(tx: &mut Tx, of: &Directory<'_>) -> Result<()> {
    if tx.count_resources(Resource::Group, of.workspace).await? < MOST_GROUPS {
        return Ok(());
    }
    let detail = format!("A workspace has at most {MOST_GROUPS} departments and tags. Delete what is not used.");
    Err(Error::new(Code::WorkspaceLimit, detail).with("limit", MOST_GROUPS))
}

fn external_id(attributes: &Attributes) -> Option<&str> {
    Some(text_of(attributes, "externalId")).filter(|id| !id.is_empty())
}

fn member_row<'a>(id: &'a MemberId, row: &'a ResourceRow, active: bool) -> MemberRow<'a> {
    let attributes = &row.attributes.0;
    MemberRow {
        id,
        user_name: text_of(attributes, "userName"),
        external_id: external_id(attributes),
        source: None,
        name: display_name(attributes),
        active,
        attributes,
        version: row.version,
        now: row.updated_at,
    }
}

fn group_row<'a>(id: &'a GroupId, row: &'a ResourceRow, kind: GroupKind) -> GroupRow<'a> {
    let attributes = &row.attributes.0;
    GroupRow {
        id,
        kind,
        name: text_of(attributes, "displayName"),
        external_id: external_id(attributes),
        source: None,
        attributes,
        version: row.version,
        now: row.updated_at,
    }
}

fn tell_member(tx: &mut Tx, of: &Directory<'_>, kind: Kind<MemberTold>, id: &MemberId, active: bool) {
    let told = MemberTold { workspace: of.workspace.clone(), member: id.clone(), active };
    tx.tell(kind, id, of.caller.account.as_str(), &told).for_workspace(of.workspace);
}

fn tell_group(
    tx: &mut Tx,
    of: &Directory<'_>,
    event: Kind<GroupTold>,
    group: &Group<'_>,
    attributes: &Attributes,
    members_changed: bool,
) {
    let (id, name) = (group.id.clone(), text_of(attributes, "displayName").to_owned());
    let told = GroupTold { workspace: of.workspace.clone(), group: id, kind: group.kind, name, members_changed };
    tx.tell(event, group.id, of.caller.account.as_str(), &told).for_workspace(of.workspace);
}

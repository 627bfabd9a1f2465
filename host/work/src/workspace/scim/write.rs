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
            resource::{self, Attributes, display_name, is_active, keep_what_decides, kind_of, text_of},
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
    let mut tx = of.begin().await?;
    let now = tx.now();
    let row =
        ResourceRow { id: ask.id.into(), attributes: attributes.into(), version: 1, created_at: now, updated_at: now };
    match ask.resource {
        Resource::User => {
            let id: MemberId = ask.id.parse()?;
            if !tx.insert_member(of.workspace, &member_row(&id, &row)).await? {
                return Err(taken());
            }
            tell_member(&mut tx, of, kind::WORKSPACE_MEMBER_CREATED, &id, is_active(&row.attributes.0));
        }
        Resource::Group => {
            let id: GroupId = ask.id.parse()?;
            tx.hold_workspace(of.workspace).await?;
            require_room(&mut tx, of).await?;
            tx.insert_group(of.workspace, &group_row(&id, &row)).await?;
            let group = Group { workspace: of.workspace, id: &id, kind: kind_of(&row.attributes.0) };
            let changed = group.change(&mut tx, MemberChange::Add(references)).await?;
            tell_group(&mut tx, of, kind::WORKSPACE_GROUP_CREATED, &id, &row.attributes.0, changed);
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
    let (attributes, references) = resource::read(ask.resource, body)?;
    let (mut tx, row) = hold(of, ask, ask.resource == Resource::Group).await?;
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
    tx.delete_resource(ask.resource, of.workspace, ask.id).await?;
    match ask.resource {
        Resource::User => {
            let active = is_active(&row.attributes.0);
            tell_member(&mut tx, of, kind::WORKSPACE_MEMBER_DELETED, &ask.id.parse()?, active);
        }
        Resource::Group => {
            tell_group(&mut tx, of, kind::WORKSPACE_GROUP_DELETED, &ask.id.parse()?, &row.attributes.0, false);
        }
    }
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
    mut attributes: Attributes,
    changes: Vec<MemberChange>,
) -> Result<ResourceRow> {
    keep_what_decides(&before.attributes.0, &mut attributes);
    let same = before.attributes.0 == attributes;
    let row = ResourceRow { attributes: attributes.into(), ..before.clone() };
    let next = ResourceRow { version: before.version + 1, updated_at: tx.now(), ..row.clone() };
    match resource {
        Resource::User if same => return Ok(row),
        Resource::User => {
            let id: MemberId = row.id.parse()?;
            if !tx.set_member(&member_row(&id, &next)).await? {
                return Err(taken());
            }
            tell_member(tx, of, kind::WORKSPACE_MEMBER_CHANGED, &id, is_active(&next.attributes.0));
        }
        Resource::Group => {
            let id: GroupId = row.id.parse()?;
            let kind = kind_of(&row.attributes.0);
            if kind != kind_of(&before.attributes.0) && tx.is_entangled(&id).await? {
                return Err(cannot_turn(kind));
            }
            let mut changed = false;
            for change in changes {
                changed |= Group { workspace: of.workspace, id: &id, kind }.change(tx, change).await?;
            }
            if same && !changed {
                return Ok(row);
            }
            tx.set_group(&group_row(&id, &next)).await?;
            tell_group(tx, of, kind::WORKSPACE_GROUP_CHANGED, &id, &next.attributes.0, changed);
        }
    }
    Ok(next)
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

fn member_row<'a>(id: &'a MemberId, row: &'a ResourceRow) -> MemberRow<'a> {
    let attributes = &row.attributes.0;
    MemberRow {
        id,
        user_name: text_of(attributes, "userName"),
        external_id: external_id(attributes),
        name: display_name(attributes),
        active: is_active(attributes),
        attributes,
        version: row.version,
        now: row.updated_at,
    }
}

fn group_row<'a>(id: &'a GroupId, row: &'a ResourceRow) -> GroupRow<'a> {
    let attributes = &row.attributes.0;
    GroupRow {
        id,
        kind: kind_of(attributes),
        name: text_of(attributes, "displayName"),
        external_id: external_id(attributes),
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
    kind: Kind<GroupTold>,
    id: &GroupId,
    attributes: &Attributes,
    members_changed: bool,
) {
    let (group, name) = (id.clone(), text_of(attributes, "displayName").to_owned());
    let told = GroupTold { workspace: of.workspace.clone(), group, kind: kind_of(attributes), name, members_changed };
    tx.tell(kind, id, of.caller.account.as_str(), &told).for_workspace(of.workspace);
}

//! Workspaces: an organisation with its address book, what it has for its members, and who may open which (W1–W12).
//!
//! The directory of the organisation keeps the address book by SCIM, in [`scim`], or it is pulled from there, by [`directory`]. What somebody may open is decided in one place
//! of the model, from what the address book says at that moment; there is no second list that could differ from it.

mod contact;
pub mod directory;
mod item;
mod portal;
pub mod scim;

pub use berth_model::workspace::*;
pub use contact::{add_contact, contacts, remove_contact};
pub(crate) use item::found_application;
pub use item::{
    access, add_application, application, applications, edit_application, link_mini_app, mini_apps, remove_application,
    set_access, unlink_mini_app,
};
pub use portal::portal;
pub(crate) use portal::{Opening, opened_by, opening};

use berth_base::{
    error::{Code, Error, Result},
    ids::WorkspaceId,
    page::{Page, PageQuery},
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller, Scope, TokenScope},
    event::kind,
};
use berth_store::{Db, Tx};

/// Where the portal of a workspace is, on a host that browsers reach at `here`.
pub(crate) fn portal_url(here: &str, workspace: &WorkspaceId) -> String {
    format!("{here}/portal/{workspace}")
}

/// The workspace, when the caller may do `action` in it.
///
/// # Errors
/// `not-found` when the caller may not know of the workspace, `missing-grant` when the role or the token is not enough.
pub async fn authorise(tx: &mut Tx, caller: &Caller, id: &WorkspaceId, action: Action) -> Result<Workspace> {
    let scope = Scope::Workspace(id.clone());
    let workspace = tx.workspace(id).await?.filter(|_| caller.knows(&scope));
    let workspace = workspace.ok_or_else(|| Error::not_found("workspace", id))?;
    caller.require(action, &scope)?;
    Ok(workspace)
}

/// Creates a workspace; only an admin of the platform may.
///
/// # Errors
/// `workspace-exists` when the id is taken; `invalid-field`; `missing-grant`.
#[tracing::instrument(name = "workspace.create", skip_all)]
pub async fn create(db: &Db, caller: &Caller, new: NewWorkspace) -> Result<Workspace> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let workspace = Workspace {
        id: new.id.unwrap_or_else(|| WorkspaceId::generate(db.random())),
        name: text::name("name", &new.name, 64)?,
        created_at: db.now(),
    };
    let mut tx = db.begin().await?;
    match tx.insert_workspace(&workspace).await {
        Err(error) if is_unique_violation(&error) => {
            let detail = format!("The id {} is taken. Choose another one.", workspace.id);
            return Err(Error::new(Code::WorkspaceExists, detail));
        }
        inserted => inserted?,
    }
    tx.tell(kind::WORKSPACE_CREATED, &workspace.id, caller.account.as_str(), &workspace).for_workspace(&workspace.id);
    tx.commit().await?;
    Ok(workspace)
}

/// Edits a workspace. When nothing changes, nothing is written.
///
/// # Errors
/// `invalid-field`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.edit", skip_all, fields(workspace = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &WorkspaceId, edit: &EditWorkspace) -> Result<Workspace> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    let mut workspace = tx.hold_workspace(id).await?;
    let name = text::name("name", &edit.name, 64)?;
    if name == workspace.name {
        return Ok(workspace);
    }
    let before = workspace.clone();
    workspace.name = name;
    tx.set_workspace_name(id, &workspace.name).await?;
    let event = tx.tell(kind::WORKSPACE_EDITED, id, caller.account.as_str(), &workspace);
    event.for_workspace(id).was(Some(&before));
    tx.commit().await?;
    Ok(workspace)
}

/// One workspace, for a caller who may read it.
pub async fn get(db: &Db, caller: &Caller, id: &WorkspaceId) -> Result<Workspace> {
    authorise(&mut db.read().await?, caller, id, Action::Read).await
}

/// A page of the workspaces that the caller may know about, by id.
pub async fn list(db: &Db, caller: &Caller, page: &PageQuery) -> Result<Page<Workspace>> {
    caller.require_scope(TokenScope::Read)?;
    let items = db.read().await?.workspaces_known_to(caller, page).await?;
    Ok(Page::of(items, page, |workspace| workspace.id.to_string()))
}

/// A page of the members of a workspace, oldest first, for a caller who may read it.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn members(
    db: &Db,
    caller: &Caller,
    id: &WorkspaceId,
    query: &WorkspaceMemberQuery,
) -> Result<Page<WorkspaceMember>> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let items = tx.workspace_members(id, query).await?;
    Ok(Page::of(items, &query.page(), |member| member.id.to_string()))
}

/// A page of the departments and tags of a workspace, oldest first, for a caller who may read it.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn groups(
    db: &Db,
    caller: &Caller,
    id: &WorkspaceId,
    query: &WorkspaceGroupQuery,
) -> Result<Page<WorkspaceGroup>> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let items = tx.workspace_groups(id, query).await?;
    Ok(Page::of(items, &query.page(), |group| group.id.to_string()))
}

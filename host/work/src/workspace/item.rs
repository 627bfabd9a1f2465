//! Applications and linked MiniApps, and to whom they are given (W1, W2, W4).

use berth_base::{
    error::{Code, Error, Result},
    ids::{ApplicationId, MiniAppId, WorkspaceId},
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    workspace::{
        Access, AccessChanged, Application, EditApplication, GroupKind, Item, ItemKind, LinkedMiniApp, NewApplication,
        Subject, SubjectKind,
    },
};
use berth_store::{Db, Tx};

use super::authorise;
use crate::mini_app;

/// How many applications and linked MiniApps a workspace has, at most.
const MOST: i64 = 1000;

async fn require_room(tx: &mut Tx, id: &WorkspaceId) -> Result<()> {
    if tx.count_items(id).await? < MOST {
        return Ok(());
    }
    let detail = format!("A workspace has at most {MOST} applications and linked MiniApps. Remove one first.");
    Err(Error::new(Code::WorkspaceLimit, detail).with("limit", MOST))
}

fn of_application(one: Application) -> Item {
    let Application { id, kind, name, description, url, added_at } = one;
    let (id, form) = (id.to_string(), Some(kind));
    Item { id, kind: ItemKind::Application, form, name, description, url, online: true, added_at }
}

/// One application of a workspace.
///
/// # Errors
/// `not-found`.
pub(crate) async fn found_application(
    tx: &mut Tx,
    id: &WorkspaceId,
    application: &ApplicationId,
) -> Result<Application> {
    let found = tx.item(id, application.as_str()).await?.and_then(Item::application);
    found.ok_or_else(|| Error::not_found("application", application))
}

/// Adds an application, which nobody may open until it is given to somebody.
///
/// # Errors
/// `workspace-limit`; `invalid-field`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.add_application", skip_all, fields(workspace = %id))]
pub async fn add_application(db: &Db, caller: &Caller, id: &WorkspaceId, new: NewApplication) -> Result<Application> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    let application = new.check(ApplicationId::generate(tx.now(), tx.random()), tx.now())?;
    tx.hold_workspace(id).await?;
    require_room(&mut tx, id).await?;
    tx.insert_item(id, &of_application(application.clone())).await?;
    let actor = caller.account.as_str();
    tx.tell(kind::WORKSPACE_APPLICATION_ADDED, &application.id, actor, &application).for_workspace(id);
    tx.commit().await?;
    Ok(application)
}

/// The applications of a workspace, by name.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn applications(db: &Db, caller: &Caller, id: &WorkspaceId) -> Result<Vec<Application>> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    Ok(tx.items(id, None).await?.into_iter().filter_map(Item::application).collect())
}

/// One application.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn application(
    db: &Db,
    caller: &Caller,
    id: &WorkspaceId,
    application: &ApplicationId,
) -> Result<Application> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    found_application(&mut tx, id, application).await
}

/// Edits an application. When nothing changes, nothing is written.
///
/// # Errors
/// `invalid-field`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.edit_application", skip_all, fields(workspace = %id))]
pub async fn edit_application(
    db: &Db,
    caller: &Caller,
    id: &WorkspaceId,
    application: &ApplicationId,
    edit: EditApplication,
) -> Result<Application> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let before = found_application(&mut tx, id, application).await?;
    let after = edit.apply(before.clone())?;
    if after == before {
        return Ok(after);
    }
    tx.set_item(id, &of_application(after.clone())).await?;
    let event = tx.tell(kind::WORKSPACE_APPLICATION_EDITED, application, caller.account.as_str(), &after);
    event.for_workspace(id).was(Some(&before));
    tx.commit().await?;
    Ok(after)
}

/// Removes an application, and to whom it was given.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.remove_application", skip_all, fields(workspace = %id))]
pub async fn remove_application(db: &Db, caller: &Caller, id: &WorkspaceId, application: &ApplicationId) -> Result<()> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let before = found_application(&mut tx, id, application).await?;
    tx.delete_item(id, application.as_str()).await?;
    tx.tell(kind::WORKSPACE_APPLICATION_REMOVED, application, caller.account.as_str(), &before).for_workspace(id);
    tx.commit().await
}

/// Links a MiniApp, which the caller must be able to read. Linking it again changes nothing. What is linked is shown; that a
/// host app runs it takes a binding, as ever.
///
/// # Errors
/// `not-online` when it has no online version; `mini-app-off-shelf`; `workspace-limit`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.link_mini_app", skip_all, fields(workspace = %id, mini_app = %mini_app))]
pub async fn link_mini_app(db: &Db, caller: &Caller, id: &WorkspaceId, mini_app: &MiniAppId) -> Result<LinkedMiniApp> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    let linked = mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    tx.hold_workspace(id).await?;
    if let Some(linked) = tx.item(id, mini_app.as_str()).await?.and_then(Item::mini_app) {
        return Ok(linked);
    }
    if !linked.on_shelf {
        let detail = format!("{mini_app} is off the shelf. Link it when it is back.");
        return Err(Error::new(Code::MiniAppOffShelf, detail));
    }
    if tx.online_version(mini_app).await?.is_none() {
        let detail = format!("{mini_app} has no online version. A workspace links what is approved and online.");
        return Err(Error::new(Code::NotOnline, detail).next(format!("berth app show {mini_app}")));
    }
    require_room(&mut tx, id).await?;
    let empty = String::new;
    let added_at = tx.now();
    let (kind, name) = (ItemKind::MiniApp, linked.name.clone());
    let item = Item {
        id: mini_app.to_string(),
        kind,
        form: None,
        name: empty(),
        description: empty(),
        url: empty(),
        online: true,
        added_at,
    };
    tx.insert_item(id, &item).await?;
    let told = LinkedMiniApp { mini_app: mini_app.clone(), name, online: true, added_at };
    tx.tell(kind::WORKSPACE_MINI_APP_LINKED, mini_app, caller.account.as_str(), &told).for_workspace(id);
    tx.commit().await?;
    Ok(told)
}

/// The linked MiniApps of a workspace, by name.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn mini_apps(db: &Db, caller: &Caller, id: &WorkspaceId) -> Result<Vec<LinkedMiniApp>> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    Ok(tx.items(id, None).await?.into_iter().filter_map(Item::mini_app).collect())
}

/// Ends the link to a MiniApp, and to whom it was given.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.unlink_mini_app", skip_all, fields(workspace = %id, mini_app = %mini_app))]
pub async fn unlink_mini_app(db: &Db, caller: &Caller, id: &WorkspaceId, mini_app: &MiniAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let linked = tx.item(id, mini_app.as_str()).await?.and_then(Item::mini_app);
    let linked = linked.ok_or_else(|| Error::not_found("linked MiniApp", mini_app))?;
    tx.delete_item(id, mini_app.as_str()).await?;
    tx.tell(kind::WORKSPACE_MINI_APP_UNLINKED, mini_app, caller.account.as_str(), &linked).for_workspace(id);
    tx.commit().await
}

async fn found(tx: &mut Tx, id: &WorkspaceId, item: &str) -> Result<Item> {
    tx.item(id, item).await?.ok_or_else(|| Error::not_found("application or linked MiniApp", item))
}

/// To whom an application or a linked MiniApp is given.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn access(db: &Db, caller: &Caller, id: &WorkspaceId, item: &str) -> Result<Access> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    found(&mut tx, id, item).await?;
    Access::of(tx.subjects(id, item).await?)
}

/// Gives an application or a linked MiniApp to these, and to nobody else. When nothing changes, nothing is written.
///
/// # Errors
/// `workspace-internal` for an application and external contacts (W4); `invalid-field` for a department, tag, member or contact
/// that the workspace does not have; what `still` refuses; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.set_access", skip_all, fields(workspace = %id))]
pub async fn set_access(
    db: &Db,
    caller: &Caller,
    id: &WorkspaceId,
    item: &str,
    set: &Access,
    still: &(dyn Fn(&Access) -> Result<()> + Sync),
) -> Result<Access> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let item = found(&mut tx, id, item).await?;
    let before = tx.subjects(id, &item.id).await?;
    still(&Access::of(before.clone())?)?;
    set.check(item.kind)?;
    let wanted = set.subjects();
    let given: Vec<_> = wanted.difference(&before).cloned().collect();
    let taken: Vec<_> = before.difference(&wanted).cloned().collect();
    if given.is_empty() && taken.is_empty() {
        return Ok(set.clone());
    }
    require_known(&mut tx, id, &given).await?;
    for subject in &taken {
        tx.take(id, &item.id, subject).await?;
    }
    tx.give(id, &item.id, &given).await?;
    let told = AccessChanged {
        workspace: id.clone(),
        item: item.id.clone(),
        given: Access::of(given)?,
        taken: Access::of(taken)?,
    };
    tx.tell(kind::WORKSPACE_ACCESS_SET, &item.id, caller.account.as_str(), &told).for_workspace(id);
    tx.commit().await?;
    Ok(set.clone())
}

/// Refuses what the workspace does not have.
async fn require_known(tx: &mut Tx, id: &WorkspaceId, subjects: &[Subject]) -> Result<()> {
    let ids = |kind| subjects.iter().filter(move |one| one.kind == kind).map(|one| one.id.clone());
    let unknown = |field: &str, one: &str| {
        let rule = format!("the workspace has no {one}. Take the id from its list.");
        Err(Error::field(field, rule))
    };
    let members: Vec<_> = ids(SubjectKind::Member).collect();
    let known = tx.known_members(id, &members).await?;
    if let Some(one) = members.iter().find(|one| !known.contains(one)) {
        return unknown("members", one);
    }
    let groups =
        [(SubjectKind::Department, GroupKind::Department, "departments"), (SubjectKind::Tag, GroupKind::Tag, "tags")];
    for (subject, kind, field) in groups {
        for one in ids(subject) {
            if tx.workspace_group(id, &one.parse()?).await?.is_none_or(|group| group.kind != kind) {
                return unknown(field, &one);
            }
        }
    }
    for one in ids(SubjectKind::Contact) {
        if tx.contact(id, &one.parse()?).await?.is_none() {
            return unknown("contacts", &one);
        }
    }
    Ok(())
}

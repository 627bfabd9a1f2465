//! From where the address book of a workspace is pulled, as its admins set it (W9).

use berth_base::{
    error::{Code, Error, Result},
    ids::WorkspaceId,
    secret::Secret,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    workspace::directory::{AskSync, Directory, DirectoryKind, DirectoryReads, DirectorySettings, PutDirectory},
};
use berth_store::{DirectoryRow, DirectorySecrets, Tx};

use super::{Directories, named, source::Source, wecom::Wecom};
use crate::workspace::authorise;

/// From where the address book of a workspace is pulled, and how that goes.
///
/// # Errors
/// `not-found`, also when it is pulled from nowhere; `missing-grant`.
pub async fn get(directories: &Directories, caller: &Caller, id: &WorkspaceId) -> Result<Directory> {
    let mut tx = directories.db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    let row = required(&mut tx, id).await?;
    Ok(show(directories, row))
}

/// Sets from where the address book of a workspace is pulled. The directory is asked before whether it lets this host in. The first
/// sync begins at once.
///
/// # Errors
/// `invalid-field`; `directory-denied`, `directory-unreachable`, `directory-wrong`; `address-book-kept`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "directory.put", skip_all, fields(workspace = %id))]
pub async fn put(directories: &Directories, caller: &Caller, id: &WorkspaceId, put: PutDirectory) -> Result<Directory> {
    let settings = DirectorySettings {
        workspace: id.clone(),
        kind: put.kind,
        corp_id: put.corp_id.clone(),
        reads: put.reads.unwrap_or(DirectoryReads::Members),
        base_url: put.base_url().to_owned(),
        every_hours: put.every_hours(),
        callback: put.callback.is_some(),
        changed_by: caller.account.to_string(),
        changed_at: directories.db.now(),
    };
    let mut tx = directories.db.read().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    put.check()?;
    if directories.outbound.guard().address("base_url", &settings.base_url)?.as_str().contains(['?', '#']) {
        return Err(Error::field("base_url", "must have no query and no fragment."));
    }
    require_own(&mut tx, &settings).await?;
    let secret = match &put.secret {
        Some(secret) => secret.clone(),
        None => kept_secret(&mut tx, &settings).await?,
    };
    drop(tx);
    match settings.kind {
        DirectoryKind::Wecom => Wecom::new(directories, &settings, secret.clone()).enter().await?,
    }
    let mut tx = directories.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    require_own(&mut tx, &settings).await?;
    let callback = put.callback.map(|callback| (callback.token, callback.aes_key));
    tx.put_directory(&settings, &DirectorySecrets { secret: Some(secret), callback }).await?;
    let row = required(&mut tx, id).await?;
    tx.tell(kind::WORKSPACE_DIRECTORY_SET, id, caller.account.as_str(), &row.settings).for_workspace(id);
    tx.commit().await?;
    Ok(show(directories, row))
}

/// The secret that was given last. It goes nowhere but where it was given for: whoever may set another address must not learn it.
async fn kept_secret(tx: &mut Tx, new: &DirectorySettings) -> Result<Secret> {
    let of = |one: &DirectorySettings| (one.kind, one.corp_id.clone(), one.base_url.clone());
    let same = tx.directory(&new.workspace).await?.is_some_and(|row| of(&row.settings) == of(new));
    let kept = if same { tx.directory_secret(&new.workspace).await? } else { None };
    kept.ok_or_else(|| Error::field("secret", "is needed: none was given yet for this organisation at this address."))
}

/// Refuses to bring people into an address book that has some from elsewhere.
async fn require_own(tx: &mut Tx, settings: &DirectorySettings) -> Result<()> {
    if tx.is_kept_by_others(&settings.workspace, &settings.source()).await? {
        return Err(kept_by_others(&settings.workspace, settings.kind));
    }
    Ok(())
}

pub(super) fn kept_by_others(id: &WorkspaceId, kind: DirectoryKind) -> Error {
    let who = named(kind);
    let detail = format!(
        "The address book of {id} has members or departments that did not come from this organisation at {who}: SCIM keeps them, or they \
         came from another organisation. The two may not be mixed. Delete them by SCIM, or use another workspace."
    );
    Error::new(Code::AddressBookKept, detail)
}

/// Ends the pulling of an address book. What it brought stays as it is, and SCIM may go on with it.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "directory.remove", skip_all, fields(workspace = %id))]
pub async fn remove(directories: &Directories, caller: &Caller, id: &WorkspaceId) -> Result<()> {
    let mut tx = directories.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let row = required(&mut tx, id).await?;
    tx.delete_directory(id).await?;
    tx.tell(kind::WORKSPACE_DIRECTORY_REMOVED, id, caller.account.as_str(), &row.settings).for_workspace(id);
    tx.commit().await
}

/// Asks for a sync now. One that is under way is followed by another one.
///
/// # Errors
/// `not-found`, also when the address book is pulled from nowhere; `missing-grant`.
#[tracing::instrument(name = "directory.ask_for_sync", skip_all, fields(workspace = %id, force = ask.force))]
pub async fn ask_for_sync(
    directories: &Directories,
    caller: &Caller,
    id: &WorkspaceId,
    ask: AskSync,
) -> Result<Directory> {
    let mut tx = directories.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    let now = tx.now();
    tx.ask_for_sync(id, now, ask.force).await?;
    let row = required(&mut tx, id).await?;
    tx.commit().await?;
    Ok(show(directories, row))
}

fn show(directories: &Directories, row: DirectoryRow) -> Directory {
    let sync = row.sync(directories.db.now());
    Directory { callback_url: directories.callback_url(&row.settings.workspace), sync, settings: row.settings }
}

async fn required(tx: &mut Tx, id: &WorkspaceId) -> Result<DirectoryRow> {
    tx.directory(id).await?.ok_or_else(|| {
        let detail =
            format!("The address book of {id} is pulled from nowhere. SCIM keeps it, unless a directory is set.");
        let refused = Error::new(Code::NotFound, detail).with("what", "directory");
        refused.next(format!("berth workspace directory set {id} --corp-id WW…"))
    })
}

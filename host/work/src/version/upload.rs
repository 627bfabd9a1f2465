//! Uploads: a package becomes a version in development (V1, V2, F26, F30, F59).

use std::fs::File;

use berth_base::{
    error::{Code, Error, Result},
    ids::{MiniAppId, VersionId},
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller},
    event::{OfVersion, kind},
    version::{State, StoredManifest, Transition, Version},
};
use berth_package::{Archive, Limits, Manifest, PackageName};
use berth_store::Json;
use berth_store::{
    Db, Tx,
    blob::{Blobs, Spooled},
    version::VersionRow,
};
use bytes::Bytes;
use futures_util::Stream;

use crate::mini_app;

/// What an upload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// It made a version, or replaced the package of one.
    Stored,
    /// Nothing: the version has the same bytes already.
    Unchanged,
}

/// What an upload reads from the package.
struct Contents {
    files: u64,
    manifest: StoredManifest,
}

/// Stores a package as a version in development, for a caller who may develop the MiniApp. The bytes are spooled to
/// disk while they are hashed, and become a blob and a row only after the package has been checked. With `replace` the
/// package of a version that was never submitted may be replaced, unless it is on trial.
///
/// # Errors
/// `version-exists` when the version has other bytes and may not be replaced (V1) or was deleted (F30); `version-state`
/// when it would be replaced and is on trial (V10); `body-too-large`; the `package-…` codes for what is wrong with the
/// package (V2); `not-found` and `missing-grant`.
#[tracing::instrument(name = "version.upload", skip_all, fields(mini_app = %name.mini_app_id, version = %name.version))]
pub async fn upload<E: Into<Error>>(
    db: &Db,
    blobs: &Blobs,
    limits: &Limits,
    caller: &Caller,
    name: &PackageName,
    replace: bool,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<(Version, Uploaded)> {
    mini_app::authorise(&mut db.read().await?, caller, &name.mini_app_id, Action::Develop).await?;
    let spooled = blobs.spool(body, limits.max_bytes).await?;
    let contents = examine(&spooled, name.clone(), limits.clone()).await?;
    blobs.keep(&spooled).await?;
    let stored = store(db, caller, name, replace, &spooled, contents).await?;
    blobs.keep_still(&spooled).await?;
    Ok(stored)
}

async fn examine(spooled: &Spooled, name: PackageName, limits: Limits) -> Result<Contents> {
    let file = spooled.file.reopen().map_err(Error::internal)?;
    tokio::task::spawn_blocking(move || read(file, &name, &limits)).await.map_err(Error::internal)?
}

fn read(file: File, name: &PackageName, limits: &Limits) -> Result<Contents> {
    let archive = Archive::open(file, limits)?;
    let manifest = Manifest::read(&archive)?;
    manifest.agrees_with(name)?;
    Ok(Contents {
        files: archive.files().len() as u64,
        manifest: StoredManifest {
            path: manifest.path,
            pages: manifest.pages,
            subpackages: manifest.subpackages.into_iter().map(|subpackage| subpackage.root).collect(),
            warnings: manifest.warnings,
        },
    })
}

async fn store(
    db: &Db,
    caller: &Caller,
    name: &PackageName,
    replace: bool,
    spooled: &Spooled,
    contents: Contents,
) -> Result<(Version, Uploaded)> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, &name.mini_app_id, Action::Develop).await?;
    let now = tx.now();
    let existing = tx.version(&name.mini_app_id, &name.version).await?;
    let mut row = VersionRow {
        id: VersionId::generate(now, db.random()),
        mini_app_id: name.mini_app_id.clone(),
        number: name.version.clone(),
        state: State::Development,
        submitted_once: false,
        forced: false,
        sha256: spooled.digest.clone(),
        size: spooled.size,
        files: contents.files,
        manifest: Json(contents.manifest),
        uploaded_by: caller.account.to_string(),
        created_at: now,
        updated_at: now,
        online_at: None,
    };
    let kind = match existing {
        None => {
            tx.insert_version(&row).await?;
            kind::VERSION_UPLOADED
        }
        Some(existing) if existing.sha256 == row.sha256 && existing.state != State::Deleted => {
            return Ok((existing.into(), Uploaded::Unchanged));
        }
        Some(existing) => {
            may_replace(&existing, replace)?;
            require_untried(&mut tx, &existing).await?;
            row.id = existing.id;
            row.created_at = existing.created_at;
            tx.replace_version(&row).await?;
            kind::VERSION_REPLACED
        }
    };
    let version = Version::from(row);
    tx.tell(kind, &name.mini_app_id, caller.account.as_str(), &version.clone().brief()).for_mini_app(&name.mini_app_id);
    tx.commit().await?;
    Ok((version, Uploaded::Stored))
}

fn may_replace(existing: &VersionRow, replace: bool) -> Result<()> {
    let number = &existing.number;
    let detail = match existing.state {
        State::Deleted => format!("{number} was deleted, and a number never comes back. Upload with a greater one."),
        State::Development if !existing.submitted_once && replace => return Ok(()),
        State::Development if !existing.submitted_once => {
            format!(
                "{number} exists with other bytes. Upload with a greater number, or with ?replace=true (berth push --replace) while it was never submitted."
            )
        }
        _ => format!(
            "{number} exists with other bytes and was submitted, so it never changes. Upload with a greater number."
        ),
    };
    Err(Error::new(Code::VersionExists, detail).with("sha256", &existing.sha256).with("state", existing.state))
}

/// Refuses what would take the package of a version away from those who try it (V10).
async fn require_untried(tx: &mut Tx, row: &VersionRow) -> Result<()> {
    let (app, number) = (&row.mini_app_id, &row.number);
    if tx.trial(app).await?.is_none_or(|trial| trial.version_id != row.id) {
        return Ok(());
    }
    let command = format!("berth version trial {app} --clear");
    let detail = format!("{number} is on trial. End the trial first: `{command}`.");
    Err(Error::new(Code::VersionState, detail).with("state", row.state).next(command))
}

/// Deletes a version in development. Its number cannot be used again (F30).
///
/// # Errors
/// `version-state` when the version is in another state or on trial; `not-found` and `missing-grant`.
#[tracing::instrument(name = "version.delete", skip_all, fields(mini_app = %id, version = %number))]
pub async fn delete(db: &Db, caller: &Caller, id: &MiniAppId, number: &VersionNumber) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let row = tx.require_version(id, number).await?;
    require_untried(&mut tx, &row).await?;
    tx.step_version(&row, Transition::Delete).await?;
    let data = OfVersion { version: number.clone() };
    tx.tell(kind::VERSION_DELETED, id, caller.account.as_str(), &data).for_mini_app(id);
    tx.commit().await
}

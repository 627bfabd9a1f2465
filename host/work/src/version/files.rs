//! The files of a version, so that whoever decides on it sees what is in it, and what changed since another one.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};
use berth_model::{
    access::Caller,
    audit::Findings,
    version::{Comparison, MOST_SHOWN_BYTES, Side, VersionFile},
};
use berth_package::{Archive, FileEntry, ReadError};
use berth_store::{Tx, version::VersionRow};
use bytes::Bytes;
use serde_json::Value;

use super::readable;
use crate::audit::{self, Audits};

/// The files in the package of a version by path, for a caller who may read the MiniApp or was asked to decide on the
/// version.
///
/// # Errors
/// `not-found` and `missing-grant`; the error of the blob store when the package cannot be read.
pub async fn list(
    audits: &Audits,
    caller: &Caller,
    id: &MiniAppId,
    number: &VersionNumber,
) -> Result<Vec<VersionFile>> {
    let row = readable(&mut audits.db.read().await?, caller, id, number).await?;
    in_archive(audits, &row, |archive| Ok(files(&archive))).await
}

/// The bytes of a file, and their digest.
pub struct FileBytes {
    /// The bytes, after inflating.
    pub bytes: Bytes,
    /// Their SHA-256.
    pub sha256: Digest,
}

/// One file in the package of a version, for those who may [`list`] them. It is the work of strangers: whoever shows it
/// shows it as data.
///
/// # Errors
/// `not-found`, also when the package has no such file; `missing-grant`; `file-too-large`; the error of the blob store when
/// the package cannot be read.
pub async fn read(
    audits: &Audits,
    caller: &Caller,
    id: &MiniAppId,
    number: &VersionNumber,
    path: String,
) -> Result<FileBytes> {
    let row = readable(&mut audits.db.read().await?, caller, id, number).await?;
    let (missing, name) = (Error::not_found("file in this version called", &path), row.number.clone());
    in_archive(audits, &row, move |archive| {
        let Some(file) = archive.file(&path) else { return Err(missing) };
        if file.size > MOST_SHOWN_BYTES {
            let (size, limit) = (file.size, MOST_SHOWN_BYTES);
            let text = format!("{path} of {name} is {size} bytes; at most {limit} are shown. Download the package.");
            return Err(Error::new(Code::FileTooLarge, text).with("limit", limit));
        }
        let bytes = archive.read_whole(&path).map_err(unreadable)?;
        Ok(FileBytes { bytes: Bytes::from_owner(bytes), sha256: Digest::from_bytes(&file.sha256) })
    })
    .await
}

/// What changed from one version to another, for those who may [`list`] the files of both.
///
/// # Errors
/// As for [`list`].
pub async fn compare(
    audits: &Audits,
    caller: &Caller,
    id: &MiniAppId,
    (from, to): (&VersionNumber, &VersionNumber),
) -> Result<Comparison> {
    let mut tx = audits.db.read().await?;
    let from = readable(&mut tx, caller, id, from).await?;
    let to = readable(&mut tx, caller, id, to).await?;
    let (said_before, said_after) = (findings(&mut tx, &from).await?, findings(&mut tx, &to).await?);
    drop(tx);
    Ok(Comparison::of(id.clone(), side(audits, from, said_before).await?, side(audits, to, said_after).await?))
}

/// What the policies said in the newest audit of a version; `None` before they have judged.
async fn findings(tx: &mut Tx, row: &VersionRow) -> Result<Option<Findings>> {
    let audit = audit::latest(tx, &row.id).await?.filter(|audit| !audit.evaluations.is_empty());
    Ok(audit.map(|audit| Findings::of(audit.evaluations)))
}

async fn side(audits: &Audits, row: VersionRow, findings: Option<Findings>) -> Result<Side> {
    let path = row.manifest.0.path.clone();
    let read = move |archive: Archive| Ok((files(&archive), manifest(&archive, &path)?));
    let (files, manifest) = in_archive(audits, &row, read).await?;
    let pages = row.manifest.0.pages;
    Ok(Side { version: row.number, sha256: row.sha256, size: row.size, pages, manifest, findings, files })
}

/// The manifest of a package as it is.
fn manifest(archive: &Archive, path: &str) -> Result<Value> {
    let bytes = archive.read_whole(path).map_err(unreadable)?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    Ok(serde_json::from_slice(text).unwrap_or_default())
}

/// Does something with the package of a version, on a thread that may wait for the disk.
async fn in_archive<T: Send + 'static>(
    audits: &Audits,
    row: &VersionRow,
    work: impl FnOnce(Archive) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (file, limits) = (audits.blobs.file(&row.sha256).await?, audits.limits.clone());
    let open = move || Archive::open(file, &limits).and_then(work);
    tokio::task::spawn_blocking(open).await.map_err(Error::internal)?
}

fn files(archive: &Archive) -> Vec<VersionFile> {
    let file = |one: &FileEntry| VersionFile {
        path: one.path.clone(),
        size: one.size,
        sha256: Digest::from_bytes(&one.sha256),
    };
    archive.files().iter().map(file).collect()
}

fn unreadable(error: ReadError) -> Error {
    match error {
        ReadError::Storage(error) => error,
        error => Error::new(Code::PackageDamaged, "The stored package is damaged and is not shown.").caused_by(error),
    }
}

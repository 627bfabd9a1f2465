//! The files of a version, so that whoever decides on it sees what is in it.

use berth_base::{
    error::{Error, Result},
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};
use berth_model::{access::Caller, version::VersionFile};
use berth_package::Archive;

use super::readable;
use crate::audit::Audits;

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
    let (file, limits) = (audits.blobs.file(&row.sha256).await?, audits.limits.clone());
    let open = move || Archive::open(file, &limits);
    let archive = tokio::task::spawn_blocking(open).await.map_err(Error::internal)??;
    let file = |one: &berth_package::FileEntry| VersionFile {
        path: one.path.clone(),
        size: one.size,
        sha256: Digest::from_bytes(&one.sha256),
    };
    let mut files: Vec<_> = archive.files().iter().map(file).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

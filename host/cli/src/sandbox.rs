//! The sandbox of a host on the machine of a person, which keeps what it has compiled.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use berth_judge::{Compiler, Engine, EngineConfig};

use super::failure::Failure;

/// How long compiled policies are kept. Those of a berth that is in use are made again now and then.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The sandbox of a host. It compiles a policy once and keeps the code in a folder of the user's, or where there is none, in a
/// temporary one, which lives as long as the second value.
pub fn engine(cache: Option<&Path>) -> Result<(Engine, Option<tempfile::TempDir>), Failure> {
    let in_folder = |folder| Engine::new(EngineConfig::new(folder, Compiler::InProcess));
    if let Some(folder) = cache.and_then(|cache| own_folder(&cache.join("policies")).ok()) {
        return Ok((in_folder(folder)?, None));
    }
    let folder = tempfile::tempdir().map_err(|error| Failure::usage(format!("Cannot make a folder: {error}.")))?;
    Ok((in_folder(folder.path().into())?, Some(folder)))
}

/// A folder in which nobody but its owner can write, as what is in it runs as machine code; without what is old.
fn own_folder(folder: &Path) -> io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let about = fs::symlink_metadata(folder)?;
    let mine = tempfile::tempfile()?.metadata()?.uid();
    if !about.is_dir() || about.uid() != mine || about.permissions().mode() & 0o022 != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    for entry in fs::read_dir(folder)?.flatten() {
        let age = entry.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(folder.to_owned())
}

//! Copies all blobs to another folder.

use std::{
    fs::{self, File, Metadata},
    path::{Path, PathBuf},
};

use super::{Blobs, copy_hashed, disk};
use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};

/// The result of a backup of the blobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    /// How many blobs were copied.
    pub copied: u64,
    /// How many blobs an earlier backup had copied already.
    pub kept: u64,
    /// The blobs that were not copied, because they are damaged. A good copy of an earlier backup stays.
    pub damaged: Vec<Digest>,
}

impl Blobs {
    /// Refuses when the blobs are not in a folder, which alone can be copied.
    ///
    /// # Errors
    /// `bad-request`, with what to do instead.
    pub fn require_folder(&self) -> Result<()> {
        let advice = "The blobs are in S3. Back up the bucket with S3's own means.";
        self.local.as_ref().map(|_| ()).ok_or_else(|| Error::new(Code::BadRequest, advice))
    }

    /// Copies the blobs that the folder `to` does not have yet, and those that were written since it got them.
    ///
    /// # Errors
    /// `bad-request` when the blobs are in S3; `storage-full`.
    pub async fn copy_to(&self, to: &Path) -> Result<Copied> {
        self.require_folder()?;
        let (from, to) = (self.spool.with_file_name("blobs").join("sha256"), to.join("blobs").join("sha256"));
        let copy = move || {
            let mut done = Copied::default();
            copy_folder(&from, &to, &mut done).map(|()| done)
        };
        tokio::task::spawn_blocking(copy).await.map_err(Error::internal)?.map_err(disk)
    }
}

fn copy_folder(from: &Path, to: &Path, done: &mut Copied) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target, done)?;
        } else if !entry.file_name().to_string_lossy().contains('#') {
            copy_file(&entry.path(), target, done)?; // with a # it is half-written
        }
    }
    File::open(to)?.sync_all()
}

fn copy_file(from: &Path, to: PathBuf, done: &mut Copied) -> std::io::Result<()> {
    let source = match File::open(from) {
        Ok(source) => source,
        // Collected a moment ago: nothing names it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if is_copied(&source.metadata()?, &to) {
        done.kept += 1;
        return Ok(());
    }
    // A copy gets its name, its digest, only when it is whole on the disk, and has the bytes that the name says.
    let part = to.with_extension("part");
    let mut out = File::create(&part)?;
    let found = copy_hashed(&mut &source, &mut out)?;
    if let Some(name) = digest_of(&to).filter(|name| *name != found) {
        tracing::error!(digest = %name, "a stored blob is damaged; it is not copied");
        done.damaged.push(name);
        return fs::remove_file(part);
    }
    out.sync_all()?;
    fs::rename(part, to)?;
    done.copied += 1;
    Ok(())
}

/// Whether the copy is of these bytes: what was written since then may have been healed, or damaged.
fn is_copied(source: &Metadata, copy: &Path) -> bool {
    let is_older = |copy: &Metadata| Some(copy.modified().ok()? < source.modified().ok()?);
    fs::metadata(copy).is_ok_and(|copy| copy.len() == source.len() && is_older(&copy) != Some(true))
}

/// The digest that a blob has for its name.
fn digest_of(blob: &Path) -> Option<Digest> {
    blob.file_name()?.to_str()?.parse().ok()
}

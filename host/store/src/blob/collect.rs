//! Removes blobs that nothing uses (F64): those of uploads that failed before there was a row for them, of versions
//! that were replaced or deleted, and of policies that were removed.
//!
//! An upload first stores its bytes and then the row that names them. In between the blob is young, because
//! [`Blobs::keep`] rewrites old ones. Only blobs older than the grace period are considered, and their age is checked
//! again just before they are set aside. This look and that step are two, so that bytes may be set aside that were
//! stored and named in between: once they are aside, the names are looked at again, and what has one comes back. What
//! is named later was not there any more when the upload looked for it ([`Blobs::keep_still`]), and was stored again.
//! Several hosts may collect at the same time; they only do the same work twice.

use crate::Db;
use std::{path::Path, time::Duration};

use futures_util::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt, path::Path as Key};

use super::{Blobs, Spooled, refused};
use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::Digest,
};

/// How often a host collects.
const EVERY: Duration = Duration::from_secs(3600);

/// The result of a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Collected {
    /// How many blobs were removed.
    pub blobs: u64,
    /// How many bytes these had.
    pub bytes: u64,
    /// How many files were removed that interrupted uploads had left behind.
    pub scraps: u64,
}

/// Collects once an hour, for ever; failures are logged.
pub async fn run_collector(db: Db, blobs: Blobs) {
    loop {
        tokio::time::sleep(EVERY).await;
        match collect(&db, &blobs).await {
            Ok(collected) => tracing::info!(?collected, "removed what nothing names"),
            Err(error) => tracing::warn!(?error, "the blob store could not be tidied; later again"),
        }
    }
}

/// Removes blobs that nothing uses, and files left behind by interrupted uploads, if they are older than the grace
/// period. What a collector that was killed has set aside is settled first.
#[tracing::instrument(name = "blobs.collect", skip_all)]
pub async fn collect(db: &Db, blobs: &Blobs) -> Result<Collected> {
    let before = Millis(db.now().0 - blobs.grace.as_millis() as i64);
    let mut collected = Collected { scraps: blobs.sweep(before).await?, ..Collected::default() };
    for digest in blobs.set_aside_before().await? {
        settle(db, blobs, &digest).await?;
    }
    for meta in blobs.older_than(before).await? {
        let Some(digest) = digest_of(&meta) else { continue };
        if db.read().await?.is_blob_named(&digest).await? {
            continue;
        }
        if blobs.set_aside_if_older(&digest, before).await? && settle(db, blobs, &digest).await? {
            collected.blobs += 1;
            collected.bytes += meta.size;
        }
    }
    Ok(collected)
}

/// Deletes a blob that is set aside, or brings it back if it is named by now. Returns whether it was deleted.
async fn settle(db: &Db, blobs: &Blobs, digest: &Digest) -> Result<bool> {
    if db.read().await?.is_blob_named(digest).await? {
        blobs.bring_back(digest).await?;
        return Ok(false);
    }
    unless_gone(blobs.store.delete(&blobs.aside(digest)).await)
}

/// Whether it was done. `false` when the object was gone: another host was faster.
fn unless_gone(done: object_store::Result<()>) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(refused(error)),
    }
}

fn kept_at(meta: &ObjectMeta) -> Millis {
    Millis(meta.last_modified.timestamp_millis())
}

fn digest_of(meta: &ObjectMeta) -> Option<Digest> {
    meta.location.filename()?.parse().ok()
}

impl Blobs {
    async fn older_than(&self, before: Millis) -> Result<Vec<ObjectMeta>> {
        let all = self.store.list(Some(&self.prefix.clone().join("sha256")));
        all.try_filter(|meta| std::future::ready(kept_at(meta) < before)).try_collect().await.map_err(refused)
    }

    /// Whether the stored blob is so young that the collector will not remove it before the upload has named it.
    pub(crate) async fn is_young(&self, spooled: &Spooled) -> bool {
        let now = spooled.file.as_file().metadata().ok().and_then(|meta| written(&meta));
        let kept = self.store.head(&self.key(&spooled.digest)).await;
        let half = self.grace.as_millis() as i64 / 2;
        kept.is_ok_and(|meta| now.is_some_and(|now| kept_at(&meta).0 > now.0 - half))
    }

    /// Where the collector keeps a blob between its last look at the names and its end; no other list of blobs has it.
    fn aside(&self, digest: &Digest) -> Key {
        self.doomed().join(digest.as_str())
    }

    fn doomed(&self) -> Key {
        self.prefix.clone().join("doomed")
    }

    /// What collectors have set aside and not settled: those that were killed, and another one that is at it just now.
    async fn set_aside_before(&self) -> Result<Vec<Digest>> {
        let all: Vec<_> = self.store.list(Some(&self.doomed())).try_collect().await.map_err(refused)?;
        Ok(all.iter().filter_map(digest_of).collect())
    }

    /// Moves a blob aside if it is older than this still. Returns whether it was.
    async fn set_aside_if_older(&self, digest: &Digest, before: Millis) -> Result<bool> {
        let key = self.key(digest);
        match self.store.head(&key).await {
            Ok(meta) if kept_at(&meta) < before => {}
            Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(refused(error)),
        }
        let moved = unless_gone(self.store.rename(&key, &self.aside(digest)).await)?;
        self.verified().remove(digest);
        Ok(moved)
    }

    /// Brings a blob back that was set aside, unless its bytes were stored again meanwhile.
    async fn bring_back(&self, digest: &Digest) -> Result<()> {
        let (key, aside) = (self.key(digest), self.aside(digest));
        let done = match self.store.head(&key).await {
            Ok(_) => self.store.delete(&aside).await,
            Err(object_store::Error::NotFound { .. }) => self.store.rename(&aside, &key).await,
            Err(error) => Err(error),
        };
        unless_gone(done).map(|_| ())
    }

    /// Removes old files: those that a killed host left in the spool and, if the store is a local folder, half-written
    /// blobs; and copies in the cache, which are made again when they are asked for. Whoever reads one goes on.
    pub(super) async fn sweep(&self, before: Millis) -> Result<u64> {
        let (spool, store) = (self.spool.clone(), self.local.as_ref().map(|_| self.spool.with_file_name("blobs")));
        let cache = self.cache.clone();
        let swept = tokio::task::spawn_blocking(move || {
            let halves = store.map_or(Ok(0), |store| sweep(&store, before, &|name| name.contains('#')));
            sweep(&cache, before, &|_| true)?; // nothing that an upload has left
            Ok(sweep(&spool, before, &|_| true)? + halves?)
        });
        swept.await.map_err(Error::internal)?.map_err(|error: std::io::Error| Error::internal(error))
    }
}

fn sweep(folder: &Path, before: Millis, scrap: &dyn Fn(&str) -> bool) -> std::io::Result<u64> {
    let mut swept = 0;
    let Some(entries) = if_there(std::fs::read_dir(folder))? else { return Ok(0) };
    for entry in entries {
        let entry = entry?;
        let Some(meta) = if_there(entry.metadata())? else { continue };
        if meta.is_dir() {
            swept += sweep(&entry.path(), before, scrap)?;
        } else if scrap(&entry.file_name().to_string_lossy())
            && written(&meta).is_some_and(|at| at < before)
            && if_there(std::fs::remove_file(entry.path()))?.is_some()
        {
            swept += 1;
        }
    }
    Ok(swept)
}

/// `None` for what is gone: an upload has ended, or another host sweeps the same folder.
fn if_there<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn written(meta: &std::fs::Metadata) -> Option<Millis> {
    let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Millis(since.as_millis() as i64))
}

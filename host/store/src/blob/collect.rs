//! Removes blobs that nothing uses (F64): those of uploads that failed before there was a row for them, of versions
//! that were replaced or deleted, and of policies that were removed.
//!
//! An upload first stores its bytes and then the row that names them. In between the blob is young, because
//! [`Blobs::keep`] rewrites old ones. Only blobs older than the grace period are considered, and their age is checked
//! again just before they are removed. Several hosts may collect at the same time; they only do the same work twice.

use crate::Db;
use std::{path::Path, time::Duration};

use futures_util::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt};

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
/// period.
#[tracing::instrument(name = "blobs.collect", skip_all)]
pub async fn collect(db: &Db, blobs: &Blobs) -> Result<Collected> {
    let before = Millis(db.now().0 - blobs.grace.as_millis() as i64);
    let mut collected = Collected { scraps: blobs.sweep(before).await?, ..Collected::default() };
    for meta in blobs.older_than(before).await? {
        let Some(digest) = meta.location.filename().and_then(|name| name.parse::<Digest>().ok()) else { continue };
        if db.read().await?.is_blob_named(&digest).await? {
            continue;
        }
        if blobs.remove_if_older(&digest, before).await? {
            collected.blobs += 1;
            collected.bytes += meta.size;
        }
    }
    Ok(collected)
}

fn kept_at(meta: &ObjectMeta) -> Millis {
    Millis(meta.last_modified.timestamp_millis())
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

    async fn remove_if_older(&self, digest: &Digest, before: Millis) -> Result<bool> {
        let key = self.key(digest);
        match self.store.head(&key).await {
            Ok(meta) if kept_at(&meta) < before => {}
            Ok(_) | Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(refused(error)),
        }
        self.store.delete(&key).await.map_err(refused)?;
        self.verified().remove(digest);
        Ok(true)
    }

    /// Removes old files that a killed host left in the spool and, if the store is a local folder, half-written blobs.
    async fn sweep(&self, before: Millis) -> Result<u64> {
        let (spool, store) = (self.spool.clone(), self.local.as_ref().map(|_| self.spool.with_file_name("blobs")));
        let swept = tokio::task::spawn_blocking(move || {
            let halves = store.map_or(Ok(0), |store| sweep(&store, before, &|name| name.contains('#')));
            Ok(sweep(&spool, before, &|_| true)? + halves?)
        });
        swept.await.map_err(Error::internal)?.map_err(|error: std::io::Error| Error::internal(error))
    }
}

fn sweep(folder: &Path, before: Millis, scrap: &dyn Fn(&str) -> bool) -> std::io::Result<u64> {
    let mut swept = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.is_dir() {
            swept += sweep(&entry.path(), before, scrap)?;
        } else if scrap(&entry.file_name().to_string_lossy()) && written(&meta).is_some_and(|at| at < before) {
            std::fs::remove_file(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn written(meta: &std::fs::Metadata) -> Option<Millis> {
    let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Millis(since.as_millis() as i64))
}

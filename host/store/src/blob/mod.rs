//! The blob store: packages, policies and uploaded lists, each under its SHA-256. Blobs never change, and their bytes
//! are checked against the name before one of them leaves the host (F23).

pub mod backup;
pub mod collect;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    io::{BufReader, Read, Seek, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use digest_io::HashReader;
use futures_util::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path as Key,
};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use backup::Copied;
pub use collect::{Collected, collect, run_collector};

use berth_base::{
    clock::duration,
    error::{Code, Error, Result},
    ids::Digest,
};

/// The place of the blob store.
#[derive(Clone, Debug, clap::Args)]
pub struct BlobConfig {
    /// `s3://bucket/prefix` beyond one machine (credentials and endpoint from AWS_… variables); by default the folder
    /// `blobs` in the data folder.
    #[arg(long, env = "BERTH_BLOB_URL")]
    pub blob_url: Option<String>,
    /// Age from which a blob that nothing uses is removed; must be longer than any upload takes.
    #[arg(long, env = "BERTH_BLOB_GRACE", default_value = "24h", value_parser = duration, value_name = "TIME")]
    pub blob_grace: Duration,
}

impl Default for BlobConfig {
    fn default() -> Self {
        Self { blob_url: None, blob_grace: Duration::from_secs(24 * 3600) }
    }
}

/// Size in bytes of a part of a multipart upload; S3 accepts no smaller parts.
const PART: usize = 5 * 1024 * 1024;

/// Bytes that were written to disk and hashed, but are not in the blob store yet.
pub struct Spooled {
    /// A temporary file with the bytes; removed when dropped.
    pub file: NamedTempFile,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The number of bytes.
    pub size: u64,
}

/// The blob store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    /// Set when the store is a local folder, whose files can be opened directly.
    local: Option<Arc<LocalFileSystem>>,
    spool: PathBuf,
    cache: PathBuf,
    grace: Duration,
    verified: Arc<Mutex<HashMap<Digest, Fingerprint>>>,
}

/// Properties of a stored object that change when it is rewritten. A blob is hashed again whenever they differ from
/// those that were verified.
#[derive(Clone, PartialEq, Eq)]
struct Fingerprint {
    modified: i64,
    size: u64,
    tag: Option<String>,
}

impl From<&ObjectMeta> for Fingerprint {
    fn from(meta: &ObjectMeta) -> Self {
        Self { modified: meta.last_modified.timestamp_micros(), size: meta.size, tag: meta.e_tag.clone() }
    }
}

/// The error for the caller when the blob store fails: `storage-full` or `unavailable`.
fn refused(error: object_store::Error) -> Error {
    if is_full(&error) {
        return Error::new(Code::StorageFull, "The blob store has no room left. Make room and try again.")
            .caused_by(error);
    }
    Error::new(Code::Unavailable, "The blob store does not answer. Try again in a moment.")
        .with("retry_after_seconds", 2)
        .caused_by(error)
}

/// Whether "no space left on device" or "quota exceeded" is among the causes of the error.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| matches!(io.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded))
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn disk(error: std::io::Error) -> Error {
    if is_full(&error) {
        return Error::new(Code::StorageFull, "The data folder has no room left. Make room and try again.")
            .caused_by(error);
    }
    if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
        return Error::new(Code::Unavailable, "The data folder is read-only. Reading goes on.").caused_by(error);
    }
    Error::internal(error)
}

impl Blobs {
    /// Opens the store that `config` names, or the folder `blobs` in `data_dir`. Uploads are spooled in `data_dir`, and
    /// copies of remote blobs are kept in `cache`.
    ///
    /// # Errors
    /// `bad-request` for a URL that is not one of S3; `unavailable` and `storage-full`.
    pub fn open(config: &BlobConfig, data_dir: &Path, cache: &Path) -> Result<Self> {
        let spool = data_dir.join("spool");
        let cache = cache.join("blobs");
        for folder in [&spool, &cache] {
            std::fs::create_dir_all(folder).map_err(disk)?;
        }
        let (store, prefix, local): (Arc<dyn ObjectStore>, _, _) = match &config.blob_url {
            Some(url) => {
                let (store, prefix) = open_s3(url)?;
                (store, prefix, None)
            }
            None => {
                let folder = data_dir.join("blobs");
                std::fs::create_dir_all(&folder).map_err(disk)?;
                let local = Arc::new(LocalFileSystem::new_with_prefix(&folder).map_err(refused)?.with_fsync(true));
                (local.clone(), Key::default(), Some(local))
            }
        };
        Ok(Self { store, prefix, local, spool, cache, grace: config.blob_grace, verified: Arc::default() })
    }

    fn key(&self, digest: &Digest) -> Key {
        let name = digest.as_str();
        self.prefix.clone().join("sha256").join(&name[..2]).join(name)
    }

    /// An empty temporary file in the spool, removed when dropped.
    pub fn scratch(&self) -> Result<NamedTempFile> {
        NamedTempFile::new_in(&self.spool).map_err(disk)
    }

    /// Writes a body to a temporary file while hashing it; only one chunk is in memory at a time.
    ///
    /// # Errors
    /// `body-too-large` as soon as there are more than `limit` bytes; `storage-full`; the error of the body.
    pub async fn spool<E: Into<Error>>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
        limit: u64,
    ) -> Result<Spooled> {
        let file = self.scratch()?;
        let mut out = tokio::fs::File::from_std(file.reopen().map_err(disk)?);
        let (mut hash, mut size) = (Sha256::new(), 0u64);
        let mut body = std::pin::pin!(body);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(Into::into)?;
            size += chunk.len() as u64;
            if size > limit {
                return Err(Error::new(
                    Code::BodyTooLarge,
                    format!("The body has more than {limit} bytes, which is the limit."),
                )
                .with("limit", limit));
            }
            hash.update(&chunk);
            out.write_all(&chunk).await.map_err(disk)?;
        }
        out.flush().await.map_err(disk)?;
        Ok(Spooled { file, digest: Digest::from_bytes(&hash.finalize().into()), size })
    }

    /// Puts spooled bytes into the store. If the blob is there already, nothing is written, unless it is so old that
    /// the collector might be about to remove it: then it is written again, which makes it young.
    pub async fn keep(&self, spooled: &Spooled) -> Result<()> {
        if self.is_young(spooled).await && self.is_intact(&spooled.digest).await.unwrap_or(false) {
            return Ok(());
        }
        let mut file = tokio::fs::File::from_std(spooled.file.reopen().map_err(disk)?);
        let parts = self.store.put_multipart(&self.key(&spooled.digest)).await.map_err(refused)?;
        let mut upload = WriteMultipart::new_with_chunk_size(parts, PART);
        if let Err(error) = send(&mut file, &mut upload).await {
            // What cannot be taken back now, a lifecycle rule of the bucket removes.
            let _ = upload.abort().await;
            return Err(error);
        }
        upload.finish().await.map_err(refused)?;
        Ok(())
    }

    /// Puts bytes that are in memory into the store, and returns their digest.
    pub async fn keep_bytes(&self, bytes: Bytes) -> Result<Digest> {
        let spooled = self.spool(futures_util::stream::iter([Ok::<_, Error>(bytes)]), u64::MAX).await?;
        self.keep(&spooled).await?;
        Ok(spooled.digest)
    }

    /// Puts bytes that some row names already into the store again, if they are missing or damaged there (F57). A store
    /// that does not answer is an outage, and no damage.
    pub async fn heal(&self, bytes: Bytes) -> Result<()> {
        if let Ok(false) = self.is_intact(&Digest::of(&bytes)).await {
            self.keep_bytes(bytes).await?;
        }
        Ok(())
    }

    /// Puts bytes into the store again that a row has come to name, if they are gone: a collector that had found them
    /// unnamed may have removed them while the row was written (F64).
    pub async fn keep_still(&self, spooled: &Spooled) -> Result<()> {
        if self.has(&spooled.digest, spooled.size).await? {
            return Ok(());
        }
        self.keep(spooled).await
    }

    /// As [`Blobs::keep_still`], for bytes that are in memory.
    pub async fn keep_bytes_still(&self, bytes: Bytes) -> Result<()> {
        if self.has(&Digest::of(&bytes), bytes.len() as u64).await? {
            return Ok(());
        }
        self.keep_bytes(bytes).await.map(|_| ())
    }

    /// Whether the store has a blob of this size. Only one question, which reads no bytes: what is damaged otherwise is
    /// moved aside when it is read, and is missing from then on.
    async fn has(&self, digest: &Digest, size: u64) -> Result<bool> {
        match self.store.head(&self.key(digest)).await {
            Ok(meta) => Ok(meta.size == size),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(refused(error)),
        }
    }

    /// Whether the blob exists and has the bytes that its name says. A damaged blob is moved aside.
    async fn is_intact(&self, digest: &Digest) -> Result<bool> {
        let key = self.key(digest);
        let meta = match self.store.head(&key).await {
            Ok(meta) => meta,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(refused(error)),
        };
        let fingerprint = Fingerprint::from(&meta);
        if self.verified().get(digest) == Some(&fingerprint) {
            return Ok(true);
        }
        let mut hash = Sha256::new();
        let mut bytes = self.store.get(&key).await.map_err(refused)?.into_stream();
        while let Some(chunk) = bytes.try_next().await.map_err(refused)? {
            hash.update(&chunk);
        }
        let intact = Digest::from_bytes(&hash.finalize().into()) == *digest;
        if intact {
            self.verified().insert(digest.clone(), fingerprint);
        } else {
            self.quarantine(digest).await;
        }
        Ok(intact)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Fingerprint>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves a damaged blob aside, so that its bytes are neither served nor lost, and logs it.
    async fn quarantine(&self, digest: &Digest) {
        let aside = self.prefix.clone().join("quarantine").join(digest.as_str());
        let moved = self.store.rename(&self.key(digest), &aside).await;
        tracing::error!(%digest, moved = moved.is_ok(), "a stored blob is damaged; it is no longer served");
    }

    async fn require_intact(&self, digest: &Digest) -> Result<()> {
        if self.is_intact(digest).await? {
            return Ok(());
        }
        Err(Error::new(Code::PackageDamaged, "The stored bytes are missing or damaged and are not served. Upload them again, or restore the blob store from a backup.")
            .with("sha256", digest))
    }

    /// Streams a range of the blob's bytes. `package-damaged` when the blob is missing or damaged.
    pub async fn stream(&self, digest: &Digest, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.require_intact(digest).await?;
        if range.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = object_store::GetOptions { range: Some(range.into()), ..Default::default() };
        let found = self.store.get_opts(&self.key(digest), options).await.map_err(refused)?;
        Ok(found.into_stream().map_err(refused).boxed())
    }

    /// All bytes of a blob, which should be small. `package-damaged` when the blob is missing or damaged.
    pub async fn bytes(&self, digest: &Digest) -> Result<Bytes> {
        self.require_intact(digest).await?;
        self.store.get(&self.key(digest)).await.map_err(refused)?.bytes().await.map_err(refused)
    }

    /// Opens the blob as a file: the stored one, or a checked copy in the cache. `package-damaged` when the blob is
    /// missing or damaged.
    pub async fn file(&self, digest: &Digest) -> Result<std::fs::File> {
        self.require_intact(digest).await?;
        if let Some(local) = &self.local {
            let path = local.path_to_filesystem(&self.key(digest)).map_err(refused)?;
            return std::fs::File::open(path).map_err(disk);
        }
        let cached = self.cache.join(digest.as_str());
        if let Some(file) = cached_copy(cached.clone(), digest.clone()).await? {
            return Ok(file);
        }
        let bytes = self.store.get(&self.key(digest)).await.map_err(refused)?.into_stream().map_err(refused);
        let copy = self.spool(bytes, u64::MAX).await?;
        if copy.digest != *digest {
            let detail = "The stored bytes changed while they were read. Try again.";
            return Err(Error::new(Code::Unavailable, detail).retry_after(2));
        }
        tokio::task::spawn_blocking(move || put(copy.file, &cached)).await.map_err(Error::internal)?.map_err(disk)
    }

    /// Writes, reads and deletes a small object, to find out whether the store works.
    pub async fn probe(&self) -> Result<()> {
        let key = self.prefix.clone().join("probe");
        self.store.put(&key, Bytes::from_static(b"berth").into()).await.map_err(refused)?;
        self.store.get(&key).await.map_err(refused)?.bytes().await.map_err(refused)?;
        self.store.delete(&key).await.map_err(refused)
    }
}

/// The copy of a blob in the cache, if it has the bytes that its name says: the power may have failed while it was
/// written (F53). A wrong one is removed.
async fn cached_copy(path: PathBuf, digest: Digest) -> Result<Option<std::fs::File>> {
    let open = move || {
        let mut file = std::fs::File::open(&path).ok()?;
        let found = copy_hashed(&mut file, &mut std::io::sink());
        if found.is_ok_and(|found| found == digest) && file.rewind().is_ok() {
            return Some(file);
        }
        tracing::warn!(%digest, "the copy of a blob in the cache is damaged; it is fetched again");
        // What cannot be removed is replaced by the next copy.
        let _ = std::fs::remove_file(&path);
        None
    };
    tokio::task::spawn_blocking(open).await.map_err(Error::internal)
}

/// Gives a temporary file its name once its bytes are on the disk, and opens it from its beginning.
fn put(file: NamedTempFile, to: &Path) -> std::io::Result<std::fs::File> {
    file.as_file().sync_all()?;
    file.persist(to).map_err(|error| error.error)
}

/// Copies what is left to read, and returns its SHA-256.
fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<Digest> {
    let mut from = BufReader::with_capacity(256 * 1024, HashReader::<Sha256, _>::new(from));
    std::io::copy(&mut from, to)?;
    Ok(Digest::from_bytes(&from.into_inner().finalize().into()))
}

/// Sends a file as a multipart upload, a few parts at a time.
async fn send(file: &mut tokio::fs::File, upload: &mut WriteMultipart) -> Result<()> {
    let mut buffer = vec![0u8; 256 * 1024];
    loop {
        let read = file.read(&mut buffer).await.map_err(disk)?;
        if read == 0 {
            return Ok(());
        }
        upload.wait_for_capacity(1).await.map_err(refused)?;
        upload.write(&buffer[..read]);
    }
}

fn open_s3(url: &str) -> Result<(Arc<dyn ObjectStore>, Key)> {
    let wrong = || {
        Error::new(
            Code::BadRequest,
            format!("{url:?} is not a blob store: expected s3://bucket or s3://bucket/prefix."),
        )
    };
    let rest = url.strip_prefix("s3://").ok_or_else(wrong)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(wrong());
    }
    // TLS needs a provider; fails only when one is installed already, which is then the one that is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build().map_err(refused)?;
    Ok((Arc::new(store), Key::parse(prefix).map_err(|_| wrong())?))
}

//! An accepted package: its files by name, size and hash, and their bytes on demand.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{
    cache::Cache,
    limits::Limits,
    source::{ReadAt, Source},
    unpack::Unpacker,
    walk::{self, Entry},
};
use berth_base::error::{Code, Error, Result};

/// Most bytes that one [`Archive::read`] returns.
pub const MAX_READ: u32 = 1 << 20;

/// Unpacked files that an archive keeps between reads, in bytes, unless one alone is larger.
const CACHE_BYTES: u64 = 8 << 20;

/// A package whose every record and byte was checked.
///
/// It holds names and hashes, and up to 8 MiB (or one file) of unpacked bytes, never the package. Share it in an
/// [`Arc`]: reads from several threads do not disturb each other.
pub struct Archive {
    source: Source,
    files: Vec<FileEntry>,
    cache: Mutex<Cache>,
}

/// One file of a package.
#[derive(Clone, Debug)]
pub struct FileEntry {
    /// Relative, `/`-separated, NFC.
    pub path: String,
    /// Bytes after inflating.
    pub size: u64,
    /// SHA-256 of the inflated bytes.
    pub sha256: [u8; 32],
    entry: Entry,
}

/// Why bytes of a file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The package has no such file.
    #[error("the package has no such file")]
    NoSuchFile,
    /// More was asked than one read may return.
    #[error("one read returns at most {0} bytes")]
    TooLong(u32),
    /// The stored bytes are no longer those that were checked.
    #[error("the stored package is damaged")]
    Damaged,
    /// The storage failed; the host's log has the reason.
    #[error("the stored package could not be read")]
    Storage(#[source] Error),
}

impl Archive {
    /// Opens the package at `path`.
    pub fn open_path(path: &Path, limits: &Limits) -> Result<Self> {
        Self::open(File::open(path).map_err(Error::internal)?, limits)
    }

    /// Walks the records, checks the names, and unpacks everything once to check and hash it.
    ///
    /// Takes time in proportion to the package and memory that does not depend on it. The bytes must not change
    /// while the archive is in use; that they did not is checked on every read.
    pub fn open(bytes: impl ReadAt + 'static, limits: &Limits) -> Result<Self> {
        let source = Source::new(bytes)?;
        let entries = walk::walk(&source, limits)?;
        let mut files = Vec::with_capacity(entries.len());
        let mut unpacker = Unpacker::new();
        for entry in entries {
            let sha256 = hash(&mut unpacker, &source, &entry)?;
            if !entry.is_folder {
                files.push(FileEntry { path: entry.path.clone(), size: entry.size, sha256, entry });
            }
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { source, files, cache: Mutex::default() })
    }

    /// Bytes of the package.
    pub fn size(&self) -> u64 {
        self.source.len
    }

    /// All files, sorted by the bytes of their paths. Folders are not files.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The file at `path`.
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        self.index(path).map(|index| &self.files[index])
    }

    /// Up to `len` bytes of a file from `offset`: fewer at its end, none past it.
    pub fn read(&self, path: &str, offset: u64, len: u32) -> Result<Vec<u8>, ReadError> {
        if len > MAX_READ {
            return Err(ReadError::TooLong(MAX_READ));
        }
        let bytes = self.read_whole(path)?;
        let start = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let end = bytes.len().min(start + len as usize);
        Ok(bytes[start..end].to_vec())
    }

    /// A file's bytes, checked against the hash that they had when the archive was opened.
    pub fn read_whole(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
        let index = self.index(path).ok_or(ReadError::NoSuchFile)?;
        if let Some(bytes) = self.cache().get(index) {
            return Ok(bytes);
        }
        // Unpacked without holding the lock: another reader waits for its own file only.
        let bytes: Arc<[u8]> = self.unpack(&self.files[index])?.into();
        self.cache().put(index, bytes.clone(), CACHE_BYTES);
        Ok(bytes)
    }

    fn index(&self, path: &str) -> Option<usize> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        // A cache is never half written in a way that matters.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unpack(&self, file: &FileEntry) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::with_capacity(file.size as usize);
        let unpacked = Unpacker::new().unpack(&self.source, &file.entry, &mut |piece| bytes.extend_from_slice(piece));
        match unpacked {
            Ok(()) if Sha256::digest(&bytes)[..] == file.sha256 => Ok(bytes),
            Err(error) if error.code == Code::Internal => Err(ReadError::Storage(error)),
            _ => Err(ReadError::Damaged),
        }
    }
}

fn hash(unpacker: &mut Unpacker, source: &Source, entry: &Entry) -> Result<[u8; 32]> {
    let mut sha256 = Sha256::new();
    unpacker.unpack(source, entry, &mut |piece| sha256.update(piece))?;
    Ok(sha256.finalize().into())
}

//! A package that was accepted: its files by name, size and hash, and their bytes on demand.

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

/// How many bytes one [`Archive::read`] may return.
pub const MAX_READ: u32 = 1 << 20;

/// How many bytes of inflated files an archive keeps between reads; a single file may be larger.
const CACHE_BYTES: u64 = 8 << 20;

/// A package of which every record and every byte was checked.
///
/// It keeps names and hashes, and up to 8 MiB (or one file) of inflated bytes in memory, but never the whole package.
/// Share it in an [`Arc`]: reads of several threads do not disturb each other.
pub struct Archive {
    source: Source,
    files: Vec<FileEntry>,
    cache: Mutex<Cache>,
}

/// One file of a package.
#[derive(Clone, Debug)]
pub struct FileEntry {
    /// The path: relative, with `/` between its parts, in NFC.
    pub path: String,
    /// The size in bytes after inflating.
    pub size: u64,
    /// The SHA-256 of the inflated bytes.
    pub sha256: [u8; 32],
    entry: Entry,
}

/// Why bytes of a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The package has no file with this path.
    #[error("the package has no such file")]
    NoSuchFile,
    /// More bytes were asked for than one read may return. The number is the limit.
    #[error("one read returns at most {0} bytes")]
    TooLong(u32),
    /// The stored bytes are no longer those that were checked when the archive was opened.
    #[error("the stored package is damaged")]
    Damaged,
    /// The storage failed. The host's log has the cause.
    #[error("the stored package could not be read")]
    Storage(#[source] Error),
}

impl Archive {
    /// Opens the package in the file at `path`.
    ///
    /// # Errors
    /// As [`Archive::open`]; `internal` when the file cannot be opened.
    pub fn open_path(path: &Path, limits: &Limits) -> Result<Self> {
        Self::open(File::open(path).map_err(Error::internal)?, limits)
    }

    /// Opens a package: checks all records and names, and inflates every file once to check and hash it.
    ///
    /// This takes time in proportion to the package, and memory that does not depend on its size. The bytes must not
    /// change while the archive is in use; every read checks that they did not.
    ///
    /// # Errors
    /// `package-archive`, `package-path` or `package-limit` with a stable `rule` when the package is not acceptable;
    /// `internal` when the bytes cannot be read.
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

    /// The size of the package in bytes.
    pub fn size(&self) -> u64 {
        self.source.len
    }

    /// All files, sorted by the bytes of their paths. Folders are not among them.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The file at `path`; `None` when there is none.
    pub fn file(&self, path: &str) -> Option<&FileEntry> {
        self.index(path).map(|index| &self.files[index])
    }

    /// Up to `len` bytes of a file from `offset` on. There are fewer at the end of the file, and none after it.
    ///
    /// # Errors
    /// [`ReadError::TooLong`] when `len` is above [`MAX_READ`], and the other cases of [`ReadError`].
    pub fn read(&self, path: &str, offset: u64, len: u32) -> Result<Vec<u8>, ReadError> {
        if len > MAX_READ {
            return Err(ReadError::TooLong(MAX_READ));
        }
        let bytes = self.read_whole(path)?;
        let start = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let end = bytes.len().min(start + len as usize);
        Ok(bytes[start..end].to_vec())
    }

    /// The bytes of a file, checked against the hash that they had when the archive was opened.
    ///
    /// # Errors
    /// See [`ReadError`].
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

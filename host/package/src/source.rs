//! Access to the bytes of a package, by position.

use std::{fs::File, io};

use super::refusal;
use berth_base::error::{Error, Result};

/// Bytes that can be read at any position, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// The number of bytes.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when there are too few bytes.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buf, offset)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let tail = self.get(start..).and_then(|tail| tail.get(..buf.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(tail);
        Ok(())
    }
}

/// A [`ReadAt`] whose size is known. Reading past its end is a refusal of the package, not a failure of the host.
pub(super) struct Source {
    bytes: Box<dyn ReadAt>,
    /// The size in bytes.
    pub len: u64,
}

impl Source {
    pub fn new(bytes: impl ReadAt + 'static) -> Result<Self> {
        let len = bytes.size().map_err(Error::internal)?;
        Ok(Self { bytes: Box::new(bytes), len })
    }

    /// Fills `buf` with the bytes from `at` on.
    pub fn fill(&self, buf: &mut [u8], at: u64) -> Result<()> {
        if at.checked_add(buf.len() as u64).is_none_or(|end| end > self.len) {
            return Err(truncated());
        }
        self.bytes.read_exact_at(buf, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => truncated(),
            _ => Error::internal(error),
        })
    }

    /// The `N` bytes from `at` on.
    pub fn array<const N: usize>(&self, at: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, at)?;
        Ok(bytes)
    }

    /// The `len` bytes from `at` on. The caller must bound `len`.
    pub fn vec(&self, at: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes, at)?;
        Ok(bytes)
    }
}

fn truncated() -> Error {
    refusal::archive("truncated", "A record points past the end of the file. Upload the whole package.")
}

/// The little-endian number in the two bytes from `at` on. The length of the record must have been checked.
pub(super) fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([record[at], record[at + 1]])
}

/// The little-endian number in the four bytes from `at` on. The length of the record must have been checked.
pub(super) fn u32_at(record: &[u8], at: usize) -> u32 {
    u32::from(u16_at(record, at)) | u32::from(u16_at(record, at + 2)) << 16
}

/// The little-endian number in the eight bytes from `at` on. The length of the record must have been checked.
pub(super) fn u64_at(record: &[u8], at: usize) -> u64 {
    u64::from(u32_at(record, at)) | u64::from(u32_at(record, at + 4)) << 32
}

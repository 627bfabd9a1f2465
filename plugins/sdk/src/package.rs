//! The package under audit, as an auditor sees it.

use std::fmt;

use crate::bindings::berth::policy::contents;
pub use contents::{File, ReadError};

/// Bytes that one read asks for, unless the host allows less.
const CHUNK: u32 = 1 << 20;

/// The package under audit. The host's archive is one, and [`crate::testing::MemoryPackage`] is another.
pub trait Package {
    /// The MiniApp's id.
    fn mini_app_id(&self) -> String;
    /// `MAJOR.MINOR.PATCH`, with a pre-release tag in development.
    fn version(&self) -> String;
    /// Bytes of the package as uploaded.
    fn size(&self) -> u64;
    /// Path of the manifest: `app.json` or `manifest.json`.
    fn manifest_path(&self) -> String;
    /// The manifest as JSON text, as found.
    fn manifest(&self) -> String;
    /// All files, sorted by path (byte order).
    fn files(&self) -> Vec<File>;
    /// Up to `length` bytes from `offset`; fewer at the end of the file, none past it.
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError>;

    /// The whole of a file, in as many reads as the host's limit makes necessary.
    fn read_all(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let (mut bytes, mut length) = (Vec::new(), CHUNK);
        loop {
            match self.read(path, bytes.len() as u64, length) {
                Ok(chunk) if chunk.is_empty() => return Ok(bytes),
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(ReadError::TooLong(limit)) if 0 < limit && limit < length => length = limit,
                Err(error) => return Err(error),
            }
        }
    }

    /// The whole of a file as text. A byte order mark is left out, and what is not UTF-8 becomes U+FFFD.
    fn read_text(&self, path: &str) -> Result<String, ReadError> {
        let bytes = self.read_all(path)?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

impl Package for contents::Archive {
    fn mini_app_id(&self) -> String {
        contents::Archive::mini_app_id(self)
    }
    fn version(&self) -> String {
        contents::Archive::version(self)
    }
    fn size(&self) -> u64 {
        contents::Archive::size(self)
    }
    fn manifest_path(&self) -> String {
        contents::Archive::manifest_path(self)
    }
    fn manifest(&self) -> String {
        contents::Archive::manifest(self)
    }
    fn files(&self) -> Vec<File> {
        contents::Archive::files(self)
    }
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        contents::Archive::read(self, path, offset, length)
    }
}

/// A file that could not be read, in words: what an auditor answers when it could not judge.
pub fn unreadable(path: &str, error: ReadError) -> String {
    let reason = match error {
        ReadError::NoSuchFile => "there is no such file".to_owned(),
        ReadError::TooLong(limit) => format!("one read may ask for at most {limit} bytes"),
        ReadError::Damaged => "the stored bytes are no longer those that were uploaded".to_owned(),
    };
    format!("{path} could not be read: {reason}.")
}

/// Bytes as people read them: `2.4 MiB`, `812 KiB`, `40 bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// This size and another, as people read them; in bytes where rounding would hide that they differ.
    pub fn beside(self, other: Self) -> (String, String) {
        let rounded = (self.to_string(), other.to_string());
        if self == other || rounded.0 != rounded.1 {
            return rounded;
        }
        (format!("{} bytes", self.0), format!("{} bytes", other.0))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        // Tenths in whole numbers: floating point would add its printer to every policy.
        let tenths = |unit: u64| (self.0.saturating_mul(10) / unit / 10, self.0.saturating_mul(10) / unit % 10);
        match self.0 {
            0..KIB => write!(f, "{} bytes", self.0),
            KIB..MIB => write!(f, "{} KiB", self.0 / KIB),
            _ => write!(f, "{}.{} MiB", tenths(MIB).0, tenths(MIB).1),
        }
    }
}

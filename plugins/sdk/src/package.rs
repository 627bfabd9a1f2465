//! The package under audit, as an auditor sees it.

use std::fmt;

use crate::bindings::berth::policy::contents;
pub use contents::{File, ReadError};

/// How many bytes one read asks for, unless the host allows fewer.
const CHUNK: u32 = 1 << 20;

/// The package under audit: that of the host, or in tests a [`crate::testing::MemoryPackage`].
pub trait Package {
    /// The id of the MiniApp.
    fn mini_app_id(&self) -> String;
    /// The number of the version: `MAJOR.MINOR.PATCH`, with a pre-release tag in development.
    fn version(&self) -> String;
    /// The size of the package in bytes, as it was uploaded.
    fn size(&self) -> u64;
    /// The path of the manifest, such as `app.json` or `manifest.json`.
    fn manifest_path(&self) -> String;
    /// The manifest as JSON text, as it is in the package.
    fn manifest(&self) -> String;
    /// All files, sorted by the bytes of their paths.
    fn files(&self) -> Vec<File>;
    /// Up to `length` bytes of a file from `offset` on. There are fewer at the end of the file, and none after it.
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError>;

    /// All bytes of a file, in as many reads as the host's limit requires.
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

    /// A whole file as text, without a byte order mark. Bytes that are not UTF-8 become U+FFFD.
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

/// Says in words that a file could not be read: the error of an auditor that could not judge.
pub fn unreadable(path: &str, error: ReadError) -> String {
    let reason = match error {
        ReadError::NoSuchFile => "there is no such file".to_owned(),
        ReadError::TooLong(limit) => format!("one read may ask for at most {limit} bytes"),
        ReadError::Damaged => "the stored bytes are no longer those that were uploaded".to_owned(),
    };
    format!("{path} could not be read: {reason}.")
}

/// A size in bytes. It is displayed as people read it: `2.4 MiB`, `812 KiB`, `40 bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// This size and another one as people read them; both in bytes if they would otherwise look the same.
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

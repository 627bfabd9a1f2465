//! Reads the user's files, with errors that name them.

use std::{
    io::{self, Read},
    path::Path,
};

use digest_io::IoWrapper;
use serde_json::Value;
use sha2::Digest as _;

use super::failure::Failure;
use berth_base::{ids::Digest, read::where_it_ends};

/// How many bytes a config, manifest or pin file may have.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a JSON file.
pub(crate) fn read_json(path: &Path) -> Result<Value, Failure> {
    let text = read_text(path)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{} is not JSON: {}.", path.display(), why_not_json(&error))))
}

/// Why a text is not JSON, in words.
pub(crate) fn why_not_json(error: &serde_json::Error) -> String {
    if error.is_eof() { "it ends too early".into() } else { format!("see {}", where_it_ends(error)) }
}

/// Reads a small text file, without its byte order mark.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    read_text_up_to(path, MAX_TEXT)
}

/// Reads a text file of `most` bytes at most, without its byte order mark.
pub(crate) fn read_text_up_to(path: &Path, most: u64) -> Result<String, Failure> {
    let file = std::fs::File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    text_of(file, &path.display().to_string(), most)
}

/// Reads a text of `most` bytes at most, which refusals call `name`, without its byte order mark.
pub(crate) fn text_of(source: impl Read, name: &str, most: u64) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = source.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::usage(format!("Cannot read {name}: {error}.")))?;
    if bytes.len() as u64 > most {
        return Err(Failure::usage(format!("{name} has more than {} MiB.", most >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::usage(format!("{name} is not UTF-8: see line {line}."))
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The SHA-256 of a file.
pub fn digest(path: &Path) -> Result<Digest, Failure> {
    let mut hasher = IoWrapper(sha2::Sha256::new());
    let file = std::fs::File::open(path);
    file.and_then(|mut file| io::copy(&mut file, &mut hasher)).map_err(|error| Failure::file("read", path, &error))?;
    Ok(Digest::from_bytes(&hasher.0.finalize().into()))
}

/// What becomes of a file that has other bytes than what is downloaded to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the download is refused.
    Keep,
    /// What is downloaded takes its place.
    Replace,
}

impl Existing {
    /// What `--force` says.
    pub fn by(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

/// Whether these bytes are there already.
///
/// # Errors
/// `file-exists` when others are, and are to stay.
pub fn is_there(to: &Path, sha256: &Digest, existing: Existing) -> Result<bool, Failure> {
    match (to.exists(), existing) {
        (false, _) => Ok(false),
        (true, _) if digest(to)? == *sha256 => Ok(true),
        (true, Existing::Replace) => Ok(false),
        (true, Existing::Keep) => {
            let why = format!(
                "{} is there with other bytes. Give --force to replace it, or another place by -o.",
                to.display()
            );
            Err(Failure::refused("file-exists", why))
        }
    }
}

/// The folder of `path`, in which temporary files are made, so that a rename to `path` is atomic.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

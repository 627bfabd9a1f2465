//! Reads the user's files, with errors that name them.

use std::{
    io::{self, Read},
    path::Path,
};

use digest_io::IoWrapper;
use serde_json::Value;
use sha2::Digest as _;

use super::failure::Failure;
use berth_base::ids::Digest;

/// How many bytes a config, manifest or pin file may have.
const MAX_TEXT: u64 = 16 << 20;

/// Reads a JSON file.
pub(crate) fn read_json(path: &Path) -> Result<Value, Failure> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{} is not JSON: {error}.", path.display())))
}

/// Reads a small text file, without its byte order mark.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let file = std::fs::File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    let mut text = String::new();
    file.take(MAX_TEXT).read_to_string(&mut text).map_err(|error| Failure::file("read", path, &error))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The SHA-256 of a file.
pub fn digest(path: &Path) -> Result<Digest, Failure> {
    let mut hasher = IoWrapper(sha2::Sha256::new());
    let file = std::fs::File::open(path);
    file.and_then(|mut file| io::copy(&mut file, &mut hasher)).map_err(|error| Failure::file("read", path, &error))?;
    Ok(Digest::from_bytes(&hasher.0.finalize().into()))
}

/// The folder of `path`, in which temporary files are made, so that a rename to `path` is atomic.
pub fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

//! The errors of packages that are refused: a code, a stable `rule` and the `path` concerned.

use berth_base::error::{Code, Error};

/// How many characters of a name an error shows.
const SHOWN: usize = 120;

/// The error of an archive whose records are damaged or can be read in two ways.
pub(super) fn archive(rule: &'static str, detail: impl Into<String>) -> Error {
    Error::new(Code::PackageArchive, detail).with("rule", rule)
}

/// The error of an entry whose records are damaged or can be read in two ways.
pub(super) fn entry(rule: &'static str, name: &[u8], detail: impl AsRef<str>) -> Error {
    let name = shown(name);
    archive(rule, format!("{name:?}: {}", detail.as_ref())).with("path", name)
}

/// The error of a name that is not allowed.
pub(super) fn path(rule: &'static str, name: &[u8], detail: impl AsRef<str>) -> Error {
    let name = shown(name);
    Error::new(Code::PackagePath, format!("{name:?}: {}", detail.as_ref())).with("rule", rule).with("path", name)
}

/// The error of a package that exceeds a limit.
pub(super) fn limit(rule: &'static str, max: u64, detail: impl Into<String>) -> Error {
    Error::new(Code::PackageLimit, detail).with("rule", rule).with("limit", max)
}

/// The error of a manifest that breaks a rule.
pub(super) fn manifest(rule: &'static str, path: &str, detail: impl AsRef<str>) -> Error {
    Error::new(Code::PackageManifest, format!("{path}: {}", detail.as_ref())).with("rule", rule).with("path", path)
}

/// A name as errors show it: as text, and not longer than [`SHOWN`] characters.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.into_owned(),
    }
}

//! Refusals of packages: a code for the problem's `type`, a stable `rule`, the offending `path`.

use berth_base::error::{Code, Error};

/// Longest piece of a foreign name that an error repeats, in characters.
const SHOWN: usize = 120;

/// The archive's records are damaged or can be read in two ways.
pub(super) fn archive(rule: &'static str, detail: impl Into<String>) -> Error {
    Error::new(Code::PackageArchive, detail).with("rule", rule)
}

/// One entry's records are damaged or can be read in two ways.
pub(super) fn entry(rule: &'static str, name: &[u8], detail: impl AsRef<str>) -> Error {
    let name = shown(name);
    archive(rule, format!("{name:?}: {}", detail.as_ref())).with("path", name)
}

/// A name that is not allowed.
pub(super) fn path(rule: &'static str, name: &[u8], detail: impl AsRef<str>) -> Error {
    let name = shown(name);
    Error::new(Code::PackagePath, format!("{name:?}: {}", detail.as_ref())).with("rule", rule).with("path", name)
}

/// More than a limit allows.
pub(super) fn limit(rule: &'static str, max: u64, detail: impl Into<String>) -> Error {
    Error::new(Code::PackageLimit, detail).with("rule", rule).with("limit", max)
}

/// The manifest breaks a rule.
pub(super) fn manifest(rule: &'static str, path: &str, detail: impl AsRef<str>) -> Error {
    Error::new(Code::PackageManifest, format!("{path}: {}", detail.as_ref())).with("rule", rule).with("path", path)
}

/// A name as it may be shown: text, and not 65 kB of it.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.into_owned(),
    }
}

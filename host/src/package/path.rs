//! Which names a package may hold: what every system can write, in one spelling, and in one place.

use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{limits::Limits, refusal};
use crate::error::{Error, Result};

/// Longest part of a path between two slashes, in bytes: what common file systems and the W3C packaging note allow.
const MAX_PART_BYTES: usize = 255;

/// Device names of Windows, with or without an extension.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Checks one path (of a file, or of a folder without its trailing slash) by itself.
pub(super) fn check(path: &str, limits: &Limits) -> Result<()> {
    if path.is_empty() {
        return Err(refusal::path("empty-path", b"", "an entry has no name. Leave it out."));
    }
    if path.len() > limits.max_path_bytes {
        return Err(too_long(path, limits));
    }
    check_characters(path)?;
    if path.starts_with('/') {
        return Err(refusal::path(
            "absolute-path",
            path.as_bytes(),
            "paths are relative to the package. Drop the leading /.",
        ));
    }
    let depth = path.bytes().filter(|b| *b == b'/').count();
    if depth > limits.max_depth {
        let detail = format!(
            "{:?} lies {depth} folders deep; {} are allowed.",
            refusal::shown(path.as_bytes()),
            limits.max_depth
        );
        return Err(
            refusal::limit("depth", limits.max_depth as u64, detail).with("path", refusal::shown(path.as_bytes()))
        );
    }
    path.split('/').try_for_each(|part| check_part(path, part))
}

fn too_long(path: &str, limits: &Limits) -> Error {
    let max = limits.max_path_bytes;
    let detail = format!(
        "A path is {} bytes long; {max} are allowed. Shorten {:?}.",
        path.len(),
        refusal::shown(path.as_bytes())
    );
    refusal::limit("path-bytes", max as u64, detail).with("path", refusal::shown(path.as_bytes()))
}

fn check_characters(path: &str) -> Result<()> {
    let refuse = |rule, why: &str| Err(refusal::path(rule, path.as_bytes(), why));
    match path.chars().find_map(forbidden) {
        Some(Forbidden::Control) => refuse("control-character", "the name holds a control character. Rename it."),
        Some(Forbidden::Invisible) => {
            refuse("invisible-character", "the name holds an invisible or direction-changing character. Rename it.")
        }
        Some(Forbidden::Backslash) => {
            refuse("backslash", "folders are separated by /, not \\. Pack it with another tool, or with berth pack.")
        }
        Some(Forbidden::Reserved(c)) => {
            refuse("reserved-character", &format!("{c:?} cannot be part of a file name on every system. Rename it."))
        }
        None if !is_nfc(path) => refuse(
            "not-nfc",
            &format!(
                "the name is not in Unicode normal form C, and would have two spellings. Rename it to {:?}.",
                path.nfc().collect::<String>()
            ),
        ),
        None => Ok(()),
    }
}

enum Forbidden {
    Control,
    Invisible,
    Backslash,
    Reserved(char),
}

fn forbidden(c: char) -> Option<Forbidden> {
    match c {
        c if c.is_control() => Some(Forbidden::Control),
        '\\' => Some(Forbidden::Backslash),
        // `:` makes drives and NTFS streams; Info-ZIP cuts `;1` off as a VMS version.
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | ';' => Some(Forbidden::Reserved(c)),
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' => {
            Some(Forbidden::Invisible)
        }
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => Some(Forbidden::Invisible),
        '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => Some(Forbidden::Invisible),
        _ => None,
    }
}

fn check_part(path: &str, part: &str) -> Result<()> {
    let refuse = |rule, why: &str| Err(refusal::path(rule, path.as_bytes(), why));
    match part {
        "" => refuse("empty-part", "two slashes follow each other. Write one."),
        "." | ".." => refuse("dot-part", "`.` and `..` are not names. Write the path that is meant."),
        _ if part.len() > MAX_PART_BYTES => {
            refuse("part-bytes", "a name between two slashes is over 255 bytes. Shorten it.")
        }
        _ if part.ends_with(['.', ' ']) || part.starts_with(' ') => refuse(
            "edge-dot-or-space",
            "a name begins or ends with a space, or ends with a dot, which some systems drop. Rename it.",
        ),
        _ if is_reserved(part) => refuse("reserved-name", "the name is a device on Windows. Rename it."),
        _ => Ok(()),
    }
}

fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port =
        |rest: &str| matches!(rest, "¹" | "²" | "³") || rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit();
    RESERVED.contains(&stem.as_str()) || numbered.is_some_and(is_port)
}

/// What two names share that some file system would take for one.
pub(super) fn fold(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    // Upper before lower, so that `ß` meets `SS` and `ſ` meets `s`.
    path.nfc().collect::<String>().to_uppercase().to_lowercase().nfc().collect()
}

/// Every name of a package so far, files and folders (the implied ones too), so that no two can clash.
#[derive(Default)]
pub(super) struct Names<'a> {
    taken: HashMap<String, Taken<'a>>,
}

struct Taken<'a> {
    spelling: &'a str,
    kind: Kind,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A folder without an entry of its own: some path goes through it.
    Implied,
}

impl<'a> Names<'a> {
    /// Takes `path` and all folders that lead to it.
    pub fn add(&mut self, path: &'a str, kind: Kind) -> Result<()> {
        for (slash, _) in path.match_indices('/') {
            self.take(&path[..slash], Kind::Implied)?;
        }
        self.take(path, kind)
    }

    fn take(&mut self, path: &'a str, kind: Kind) -> Result<()> {
        let mut entry = match self.taken.entry(fold(path)) {
            std::collections::hash_map::Entry::Occupied(entry) => entry,
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(Taken { spelling: path, kind });
                return Ok(());
            }
        };
        let before = entry.get_mut();
        before.check(path, kind)?;
        if kind == Kind::Folder {
            before.kind = kind;
        }
        Ok(())
    }
}

impl Taken<'_> {
    fn check(&self, path: &str, kind: Kind) -> Result<()> {
        if self.spelling != path {
            let why = format!("some systems take it and {:?} for one name. Rename one of them.", self.spelling);
            return Err(refusal::path("name-collision", path.as_bytes(), why));
        }
        match (self.kind, kind) {
            (Kind::File, Kind::File) | (Kind::Folder, Kind::Folder) => {
                Err(refusal::entry("duplicate-entry", path.as_bytes(), "the archive holds this entry twice. Keep one."))
            }
            (Kind::File, _) | (_, Kind::File) => Err(refusal::path(
                "file-and-folder",
                path.as_bytes(),
                "it is a file and also a folder. Rename one of them.",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str) -> String {
        let error = check(path, &Limits::default()).expect_err(path);
        error.fields["rule"].as_str().expect("a rule").to_owned()
    }

    #[test]
    fn f16_path_escapes_are_refused() {
        for (path, expected) in [
            ("../x", "dot-part"),
            ("a/../../x", "dot-part"),
            ("./a", "dot-part"),
            ("/etc/x", "absolute-path"),
            ("//server/share", "absolute-path"),
            ("C:/x", "reserved-character"),
            ("a\\..\\x", "backslash"),
            ("a//b", "empty-part"),
            ("a/", "empty-part"),
        ] {
            assert_eq!(rule(path), expected, "{path:?}");
        }
    }

    #[test]
    fn f17_control_bytes_empty_long_and_deep_names_are_refused() {
        assert_eq!(rule(""), "empty-path");
        assert_eq!(rule("a\0b"), "control-character");
        assert_eq!(rule("a\nb"), "control-character");
        assert_eq!(rule("a\u{7f}"), "control-character");
        assert_eq!(rule("a\u{85}"), "control-character");
        assert_eq!(rule(&"x".repeat(65_000)), "path-bytes");
        assert_eq!(rule(&"d/".repeat(100)), "depth");
        let limits = Limits { max_path_bytes: 100_000, max_depth: 10_000, ..Limits::default() };
        assert!(check(&"x".repeat(256), &limits).is_err(), "one part of 256 bytes");
        assert!(check(&"d/".repeat(5_000), &Limits { max_path_bytes: 100_000, ..Limits::default() }).is_err());
    }

    #[test]
    fn f18_names_that_some_system_cannot_hold_are_refused() {
        for (path, expected) in [
            ("a.", "edge-dot-or-space"),
            ("a /b", "edge-dot-or-space"),
            (" a", "edge-dot-or-space"),
            ("CON", "reserved-name"),
            ("x/nul.js", "reserved-name"),
            ("com1.json", "reserved-name"),
            ("lpt².txt", "reserved-name"),
            ("a:ads", "reserved-character"),
            ("a;1", "reserved-character"),
            ("what?", "reserved-character"),
            ("a\u{202e}gpj.js", "invisible-character"),
            ("a\u{200d}b", "invisible-character"),
            ("cafe\u{301}.js", "not-nfc"),
        ] {
            assert_eq!(rule(path), expected, "{path:?}");
        }
    }

    #[test]
    fn ordinary_names_are_fine() {
        for path in [
            "app.json",
            "pages/index/index.wxml",
            ".DS_Store",
            "__MACOSX/._app.json",
            "图片/首页.png",
            "café.js",
            "[id].js",
            "a..b",
            "@scope/x",
            "console.js",
            "com10.js",
            "comx",
            "😀.png",
        ] {
            assert!(check(path, &Limits::default()).is_ok(), "{path:?}");
        }
    }

    fn clash(first: (&str, Kind), second: (&str, Kind)) -> Option<String> {
        let mut names = Names::default();
        names.add(first.0, first.1).expect("the first name");
        let error = names.add(second.0, second.1).err()?;
        error.fields["rule"].as_str().map(Into::into)
    }

    #[test]
    fn f18_names_that_fold_together_are_refused() {
        for (a, b) in [
            ("a.js", "A.js"),
            ("straße", "STRASSE"),
            ("ſ", "S"),
            ("K", "k"),
            ("Pages/x", "pages/y"),
            ("é", "É"),
            ("cafe\u{301}", "caf\u{e9}"),
        ] {
            assert_eq!(clash((a, Kind::File), (b, Kind::File)).as_deref(), Some("name-collision"), "{a} {b}");
        }
    }

    #[test]
    fn f20_a_name_is_a_file_or_a_folder_and_only_once() {
        use Kind::*;
        assert_eq!(clash(("a", File), ("a/b", File)).as_deref(), Some("file-and-folder"));
        assert_eq!(clash(("a/b", File), ("a", File)).as_deref(), Some("file-and-folder"));
        assert_eq!(clash(("a", Folder), ("a", File)).as_deref(), Some("file-and-folder"));
        assert_eq!(clash(("a", File), ("a", File)).as_deref(), Some("duplicate-entry"));
        assert_eq!(clash(("a", Folder), ("a", Folder)).as_deref(), Some("duplicate-entry"));
        assert_eq!(clash(("a", Folder), ("a/b", File)), None);
        assert_eq!(clash(("a/b", File), ("a", Folder)), None);
        assert_eq!(clash(("a/b", File), ("a/c", File)), None);
    }
}

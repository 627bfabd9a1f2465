//! Checks paths of packages: every system must be able to write them, and each has one spelling.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::{limits::Limits, refusal};
use berth_base::{
    error::Result,
    text::{is_invisible, is_windows_device},
};

/// How many bytes a part of a path may have between two slashes: what common file systems and the W3C packaging note
/// allow.
const MAX_PART_BYTES: usize = 255;

/// Checks one path, of a file or of a folder without its trailing slash.
pub(super) fn check(path: &str, limits: &Limits) -> Result<()> {
    let refuse = |rule, why: &str| Err(refusal::path(rule, path.as_bytes(), why));
    if path.is_empty() {
        return refuse("empty-path", "an entry has no name. Leave it out.");
    }
    check_extent(path, limits)?;
    check_characters(path)?;
    if path.starts_with('/') {
        return refuse("absolute-path", "paths are relative to the package. Drop the leading /.");
    }
    path.split('/').try_for_each(|part| check_part(path, part))
}

/// Checks the length and the depth of a path.
fn check_extent(path: &str, limits: &Limits) -> Result<()> {
    let shown = refusal::shown(path.as_bytes());
    let over = |rule, max: usize, detail| Err(refusal::limit(rule, max as u64, detail).with("path", &shown));
    let Limits { max_path_bytes, max_depth, .. } = *limits;
    let depth = path.bytes().filter(|b| *b == b'/').count();
    if path.len() > max_path_bytes {
        let len = path.len();
        over(
            "path-bytes",
            max_path_bytes,
            format!("{shown:?}: the path is {len} bytes long; {max_path_bytes} are allowed. Shorten it."),
        )
    } else if depth > max_depth {
        over("depth", max_depth, format!("{shown:?} lies {depth} folders deep; {max_depth} are allowed. Move it up."))
    } else {
        Ok(())
    }
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
        c if is_invisible(c) => Some(Forbidden::Invisible),
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
        _ if is_windows_device(part) => refuse("reserved-name", "the name is a device on Windows. Rename it."),
        _ => Ok(()),
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
}

//! The files of a version.

use berth_base::ids::Digest;
use serde::{Deserialize, Serialize};

/// How many bytes of a file are shown at most, after inflating: 5 MiB. Larger ones are for who downloads the package.
pub const MOST_SHOWN_BYTES: u64 = 5 << 20;

/// Whether bytes are a text that people can read: UTF-8 without control characters besides those that lay it out.
pub fn is_text(bytes: &[u8]) -> bool {
    let plain = |character: char| !character.is_control() || matches!(character, '\t' | '\n' | '\r' | '\u{c}');
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(plain))
}

/// A file in the package of a version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct VersionFile {
    /// The path: relative, with `/` between its parts.
    pub path: String,
    /// The size in bytes after inflating.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_can_read_is_a_text() {
        for text in ["", "App({})\n", "\u{feff}<view>\t咖啡</view>\r\n"] {
            assert!(is_text(text.as_bytes()), "{text:?}");
        }
        for bytes in [&b"\x89PNG\r\n"[..], b"a\0b", b"\x1b[2J", "\u{85}".as_bytes(), b"\xff\xfea\0"] {
            assert!(!is_text(bytes), "{bytes:?}");
        }
    }
}

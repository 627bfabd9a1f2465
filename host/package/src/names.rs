//! Checks the names of a package against each other: no two may be the same on any system.

use std::collections::{HashMap, hash_map};

use unicode_normalization::UnicodeNormalization;

use super::refusal;
use berth_base::error::Result;

/// A form of the path that is the same for two names if some file system would take them for one.
fn fold(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    // Upper before lower, so that `ß` meets `SS` and `ſ` meets `s`.
    path.nfc().collect::<String>().to_uppercase().to_lowercase().nfc().collect()
}

/// All names of a package so far, those of files and of folders, the implied ones too.
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
    /// A folder without an entry of its own, which some path goes through.
    Implied,
}

impl<'a> Names<'a> {
    /// Adds `path` and all folders on the way to it.
    pub fn add(&mut self, path: &'a str, kind: Kind) -> Result<()> {
        for (slash, _) in path.match_indices('/') {
            self.take(&path[..slash], Kind::Implied)?;
        }
        self.take(path, kind)
    }

    fn take(&mut self, path: &'a str, kind: Kind) -> Result<()> {
        let mut entry = match self.taken.entry(fold(path)) {
            hash_map::Entry::Occupied(entry) => entry,
            hash_map::Entry::Vacant(entry) => {
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

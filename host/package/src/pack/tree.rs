//! The files of a folder, sorted into those that are packed and those that are left out.

use std::{
    fs::{self, DirEntry, FileType},
    path::Path,
};

use super::{
    super::{Limits, path},
    Included, LeftOut,
    rules::{Folder, Rules},
    unreadable,
};
use berth_base::error::{Code, Error, Result};

/// What is packed, and what is left out, each sorted by the bytes of the paths.
pub(crate) struct Tree {
    pub files: Vec<Included>,
    pub left_out: Vec<LeftOut>,
}

struct Walk<'a> {
    rules: &'a Rules,
    limits: &'a Limits,
    tree: Tree,
}

impl Tree {
    pub fn read(root: &Path, rules: &Rules, limits: &Limits) -> Result<Self> {
        let mut walk = Walk { rules, limits, tree: Tree { files: Vec::new(), left_out: Vec::new() } };
        walk.folder(root, "", None)?;
        let mut tree = walk.tree;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.left_out.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }
}

impl Walk<'_> {
    /// Reads a folder. `behind` is the reason why the folder itself is left out, so that only files which a rule
    /// includes are packed.
    fn folder(&mut self, dir: &Path, prefix: &str, behind: Option<&str>) -> Result<()> {
        let entries = fs::read_dir(dir)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(dir, error))?;
        if entries.is_empty() && !prefix.is_empty() {
            self.leave(prefix.into(), "is an empty folder");
        }
        entries.iter().try_for_each(|entry| self.entry(entry, prefix, behind))
    }

    fn entry(&mut self, entry: &DirEntry, prefix: &str, behind: Option<&str>) -> Result<()> {
        let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), error))?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if kind.is_dir() {
            return self.inner_folder(&entry.path(), path, behind);
        }
        match self.rules.file(&path, behind).or_else(|| unfit(kind).map(Into::into)) {
            Some(reason) => self.leave(path, &reason),
            None => self.file(entry, path)?,
        }
        Ok(())
    }

    fn inner_folder(&mut self, dir: &Path, path: String, behind: Option<&str>) -> Result<()> {
        let fate = self.rules.folder(&path);
        let prefix = path + "/";
        match (fate, behind) {
            (Folder::Shut(reason), _) => self.leave(prefix, &reason),
            (Folder::In, None) => self.folder(dir, &prefix, None)?,
            (Folder::In | Folder::Behind(_), Some(reason)) => self.folder(dir, &prefix, Some(reason))?,
            (Folder::Behind(reason), None) => self.folder_behind(dir, prefix, &reason)?,
        }
        Ok(())
    }

    /// Reads a folder that is left out. When nothing in it is packed, it becomes one item of the report.
    fn folder_behind(&mut self, dir: &Path, prefix: String, reason: &str) -> Result<()> {
        let (files, left_out) = (self.tree.files.len(), self.tree.left_out.len());
        self.folder(dir, &prefix, Some(reason))?;
        if self.tree.files.len() == files {
            self.tree.left_out.truncate(left_out);
            self.leave(prefix, reason);
        }
        Ok(())
    }

    fn file(&mut self, entry: &DirEntry, path: String) -> Result<()> {
        if entry.file_name().to_str().is_none() {
            return Err(Error::new(Code::PackagePath, format!("{path:?}: the name is not UTF-8. Rename it."))
                .with("rule", "name-encoding")
                .with("path", path));
        }
        path::check(&path, self.limits)?;
        let size = entry.metadata().map_err(|error| unreadable(&entry.path(), error))?.len();
        self.tree.files.push(Included { path, size });
        Ok(())
    }

    fn leave(&mut self, path: String, reason: &str) {
        self.tree.left_out.push(LeftOut { path, reason: reason.into() });
    }
}

/// Why something that is neither a file nor a folder cannot be packed.
fn unfit(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_dir() || kind.is_file() => None,
        _ if kind.is_symlink() => Some("is a symbolic link; packages hold files only"),
        _ => Some("is a device, a socket or a pipe"),
    }
}

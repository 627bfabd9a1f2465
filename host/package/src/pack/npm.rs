//! `node_modules`: most mini-programs run from a folder that the vendor's tools make of it, Alipay's from itself.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// npm's folder within the root.
const FOLDER: &str = "node_modules";

/// Which packages of npm go in.
pub enum Npm {
    /// None: there is `miniprogram_npm`.
    LeftOut,
    /// All, as no `package.json` says which are needed.
    All,
    /// Those at the top of `node_modules` that the mini-program's `package.json` leads to, by name.
    Needed(BTreeSet<String>),
}

impl Npm {
    /// What an Alipay mini-program in `root` runs from: its dependencies and theirs, not those of its developers.
    pub fn of_alipay(root: &Path) -> Self {
        if dependencies(root).is_none() {
            return Self::All;
        }
        let mut needed = BTreeSet::new();
        visit(root, root, &mut needed);
        Self::Needed(needed)
    }

    /// Why the folder at `path` stays behind.
    pub fn reason(&self, path: &str) -> Option<String> {
        match self {
            Self::LeftOut if path.rsplit('/').next() == Some(FOLDER) => {
                Some("is npm's; mini-programs run from miniprogram_npm".into())
            }
            Self::Needed(names) => {
                let name = path.strip_prefix(FOLDER)?.strip_prefix('/')?;
                let is_package = name.split('/').count() == if name.starts_with('@') { 2 } else { 1 };
                (is_package && !names.contains(name)).then(|| "is no dependency of package.json".into())
            }
            _ => None,
        }
    }
}

/// Follows the dependencies of the package in `folder`: a copy of its own first, or else the one at the top.
fn visit(root: &Path, folder: &Path, needed: &mut BTreeSet<String>) {
    for name in dependencies(folder).unwrap_or_default() {
        let own = folder.join(FOLDER).join(&name);
        if folder != root && own.is_dir() {
            visit(root, &own, needed);
        } else if needed.insert(name.clone()) {
            visit(root, &root.join(FOLDER).join(name), needed);
        }
    }
}

/// The names in `dependencies` of a `package.json`; none when it cannot be read.
fn dependencies(folder: &Path) -> Option<Vec<String>> {
    let package: Value = serde_json::from_slice(&fs::read(folder.join("package.json")).ok()?).ok()?;
    let names = package.get("dependencies").and_then(Value::as_object);
    Some(names.map(|names| names.keys().cloned().collect()).unwrap_or_default())
}

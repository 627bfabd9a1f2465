//! `node_modules`. Most mini-programs run from a folder that the vendor's tools make from it; Alipay's run from
//! `node_modules` itself.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// The folder of npm's packages.
const FOLDER: &str = "node_modules";

/// Which of npm's packages are included.
pub enum Npm {
    /// None, as the mini-program runs from `miniprogram_npm`.
    LeftOut,
    /// All, as no `package.json` says which are needed.
    All,
    /// Those at the top of `node_modules`, by name, that the `package.json` of the mini-program depends on, directly or
    /// not.
    Needed(BTreeSet<String>),
}

impl Npm {
    /// The packages that an Alipay mini-program in `root` needs: its dependencies and theirs, but no development
    /// dependencies.
    pub(crate) fn of_alipay(root: &Path) -> Self {
        if dependencies(root).is_none() {
            return Self::All;
        }
        let mut needed = BTreeSet::new();
        visit(root, root, &mut needed);
        Self::Needed(needed)
    }

    /// Why the folder at `path` is left out; `None` when it is not.
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

/// Follows the dependencies of the package in `folder`: to a copy of its own if it has one, or else to the one at the
/// top.
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

/// The names in `dependencies` of the `package.json` in `folder`; `None` when that cannot be read.
fn dependencies(folder: &Path) -> Option<Vec<String>> {
    let package: Value = serde_json::from_slice(&fs::read(folder.join("package.json")).ok()?).ok()?;
    let names = package.get("dependencies").and_then(Value::as_object);
    Some(names.map(|names| names.keys().cloned().collect()).unwrap_or_default())
}

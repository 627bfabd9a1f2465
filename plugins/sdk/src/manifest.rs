//! The manifest of a package, as far as auditors commonly need it, read leniently: real trees carry more, and less.

use serde_json::{Map, Value};

use crate::{audit::Place, package::Package, text::Lines};

/// The manifest: `app.json` in the style of WeChat, or a W3C `manifest.json`.
pub struct Manifest {
    /// Where it lies in the package.
    pub path: String,
    /// Its members.
    pub members: Map<String, Value>,
    text: String,
}

/// A part of a package that is loaded on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subpackage {
    /// The folder, without slashes at its ends.
    pub root: String,
    /// Its pages, as paths from the root of the package.
    pub pages: Vec<String>,
}

impl Subpackage {
    /// Whether a path lies in the subpackage's folder.
    pub fn holds(&self, path: &str) -> bool {
        path.strip_prefix(&*self.root).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl Manifest {
    /// Reads the manifest of a package. The error says why it cannot be read.
    pub fn of(package: &dyn Package) -> Result<Self, String> {
        let (path, text) = (package.manifest_path(), package.manifest());
        match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(Value::Object(members)) => Ok(Self { path, members, text }),
            Ok(_) => Err("it is not a JSON object".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The pages of the main package.
    pub fn pages(&self) -> Vec<String> {
        strings(self.members.get("pages"))
    }

    /// The subpackages; `subPackages` and `subpackages` are both legal.
    pub fn subpackages(&self) -> Vec<Subpackage> {
        let items =
            ["subPackages", "subpackages"].iter().filter_map(|key| self.members.get(*key)?.as_array()).flatten();
        items.filter_map(subpackage).collect()
    }

    /// Every page: those of the main package, then those of the subpackages.
    pub fn all_pages(&self) -> Vec<String> {
        let mut pages = self.pages();
        pages.extend(self.subpackages().into_iter().flat_map(|sub| sub.pages));
        pages
    }

    /// Where the manifest says `text` for the first time, as a JSON string; its beginning when it does not.
    pub fn place_of(&self, text: &str) -> Place {
        match self.text.find(&format!("\"{text}\"")) {
            Some(offset) => Lines::of(&self.text).place(&self.path, offset),
            None => Place::file(&self.path),
        }
    }
}

fn subpackage(item: &Value) -> Option<Subpackage> {
    let root = item.get("root")?.as_str()?.trim_matches('/').to_owned();
    let pages =
        strings(item.get("pages")).iter().map(|page| format!("{root}/{}", page.trim_start_matches('/'))).collect();
    Some(Subpackage { root, pages })
}

/// The strings of an array; nothing when it is none.
fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

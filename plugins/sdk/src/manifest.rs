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
    /// The other name that the manifest may call it by.
    pub name: Option<String>,
    /// Whether it starts without the main package and so may use nothing of it.
    pub independent: bool,
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

    /// The pages of the main package, as paths from its root: `/pages/me` and `pages/me` are one.
    pub fn pages(&self) -> Vec<String> {
        strings(self.members.get("pages")).iter().map(|page| cleaned(page)).collect()
    }

    /// The subpackages; `subPackages` and `subpackages` are both legal.
    pub fn subpackages(&self) -> Vec<Subpackage> {
        let items =
            ["subPackages", "subpackages"].iter().filter_map(|key| self.members.get(*key)?.as_array()).flatten();
        items.filter_map(subpackage).collect()
    }

    /// The folder of the workers where they are a subpackage of their own: `{"path": …, "isSubpackage": true}`.
    pub fn worker_subpackage(&self) -> Option<Subpackage> {
        let workers = self.members.get("workers")?;
        let root = cleaned(workers.get("path")?.as_str()?);
        let own = workers.get("isSubpackage") == Some(&Value::Bool(true));
        own.then_some(Subpackage { root, pages: Vec::new(), name: None, independent: false })
    }

    /// Every page: those of the main package, then those of the subpackages.
    pub fn all_pages(&self) -> Vec<String> {
        let mut pages = self.pages();
        pages.extend(self.subpackages().into_iter().flat_map(|sub| sub.pages));
        pages
    }

    /// Where the manifest says `text` for the first time, as a JSON string, with or without slashes around it; its
    /// beginning when it does not.
    pub fn place_of(&self, text: &str) -> Place {
        let written = [format!("\"{text}\""), format!("\"/{text}\""), format!("\"./{text}\""), format!("\"{text}/\"")];
        match written.iter().find_map(|written| self.text.find(written)) {
            Some(offset) => Lines::of(&self.text).place(&self.path, offset),
            None => Place::file(&self.path),
        }
    }
}

fn subpackage(item: &Value) -> Option<Subpackage> {
    let root = cleaned(item.get("root")?.as_str()?);
    let pages = strings(item.get("pages")).iter().map(|page| format!("{root}/{}", cleaned(page))).collect();
    let name = item.get("name").and_then(Value::as_str).map(str::to_owned);
    let independent = item.get("independent").and_then(Value::as_bool).unwrap_or(false);
    Some(Subpackage { root, pages, name, independent })
}

/// A path without the slashes around it and a dot before them.
fn cleaned(path: &str) -> String {
    path.trim_start_matches("./").trim_matches('/').to_owned()
}

/// The strings of an array; nothing when it is none.
fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

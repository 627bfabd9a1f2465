//! The manifest of a package, as far as auditors commonly need it. It is read leniently: real manifests have more
//! members, and fewer.

use serde_json::{Map, Value};

use crate::{audit::Place, package::Package, text::Lines};

/// A manifest: an `app.json` in the style of WeChat, the `game.json` of a game, or a `manifest.json` of the W3C.
pub struct Manifest {
    /// The path in the package.
    pub path: String,
    /// The members of the JSON object.
    pub members: Map<String, Value>,
    text: String,
}

/// A part of a package that is loaded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subpackage {
    /// The folder, without slashes at its ends.
    pub root: String,
    /// The pages, as paths from the root of the package.
    pub pages: Vec<String>,
    /// The name by which other members of the manifest may refer to it, if it has one.
    pub name: Option<String>,
    /// Whether it starts without the main package, and so may use nothing of it.
    pub independent: bool,
}

impl Subpackage {
    /// Whether a path lies in the folder of the subpackage.
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

    /// The pages of the main package, as paths from the root: `/pages/me` and `pages/me` are the same.
    pub fn pages(&self) -> Vec<String> {
        strings(self.members.get("pages")).iter().map(|page| cleaned(page)).collect()
    }

    /// The subpackages, under both spellings: `subPackages` and `subpackages`.
    pub fn subpackages(&self) -> Vec<Subpackage> {
        let items =
            ["subPackages", "subpackages"].iter().filter_map(|key| self.members.get(*key)?.as_array()).flatten();
        items.filter_map(subpackage).collect()
    }

    /// The folder of the workers, if it is a subpackage by itself: `{"path": …, "isSubpackage": true}`.
    pub fn worker_subpackage(&self) -> Option<Subpackage> {
        let workers = self.members.get("workers")?;
        let root = cleaned(workers.get("path")?.as_str()?);
        let own = workers.get("isSubpackage") == Some(&Value::Bool(true));
        own.then_some(Subpackage { root, pages: Vec::new(), name: None, independent: false })
    }

    /// All pages: those of the main package, then those of the subpackages.
    pub fn all_pages(&self) -> Vec<String> {
        let mut pages = self.pages();
        pages.extend(self.subpackages().into_iter().flat_map(|sub| sub.pages));
        pages
    }

    /// The place where `text` first occurs in the manifest as a JSON string, with or without slashes around it; the
    /// beginning of the manifest when it does not occur.
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

/// A path without slashes at its ends and without a leading `./`.
fn cleaned(path: &str) -> String {
    path.trim_start_matches("./").trim_matches('/').to_owned()
}

/// The strings in an array; none when the value is not an array.
fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

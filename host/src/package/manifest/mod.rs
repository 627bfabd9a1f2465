//! What a package says of itself: `app.json` (WeChat-style), `manifest.json` (W3C MiniApp), or both.

mod app;
mod json;
mod w3c;

use serde_json::{Map, Value};

use super::{Archive, Limits, PackageName, ReadError, path, refusal};
use crate::error::{Code, Error, Result};

/// Largest manifest, in bytes.
const MAX_BYTES: u64 = 256 << 10;

pub(super) const APP_JSON: &str = "app.json";
pub(super) const W3C: &str = "manifest.json";

/// Which kind of manifest leads. A package with both is run by its `app.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// WeChat-style `app.json`.
    AppJson,
    /// W3C MiniApp `manifest.json`.
    W3c,
}

/// A part of the mini-program that is fetched when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subpackage {
    /// Its folder, without slashes at the ends.
    pub root: String,
    /// What other parts call it.
    pub name: Option<String>,
    /// Whether it runs without the main package.
    pub independent: bool,
    /// Its pages, from the package's root.
    pub pages: Vec<String>,
}

/// The manifest of a package, checked as far as its shape goes. That pages have files is a policy's to say.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Which manifest leads.
    pub kind: Kind,
    /// The path of that manifest.
    pub path: String,
    /// Its JSON text as found, without a byte order mark.
    pub text: String,
    /// Every page, those of subpackages too, from the package's root and without extension; the first is the entry.
    pub pages: Vec<String>,
    /// The subpackages of an `app.json`.
    pub subpackages: Vec<Subpackage>,
    /// The id that a manifest declares: `app_id` (W3C), or `mini_app_id` or `app_id` in `app.json`.
    pub declared_id: Option<Declared>,
    /// The version that a manifest declares: `version.name` (W3C), or `version` in `app.json`.
    pub declared_version: Option<Declared>,
    /// What is unusual and yet no reason to refuse.
    pub warnings: Vec<String>,
}

/// A value and the member that declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Such as `manifest.json: version.name`.
    pub by: String,
    /// What it says.
    pub value: String,
}

/// What one manifest yields.
#[derive(Default)]
struct Facts {
    pages: Vec<String>,
    subpackages: Vec<Subpackage>,
    id: Option<Declared>,
    version: Option<Declared>,
    warnings: Vec<String>,
}

impl Manifest {
    /// Reads and checks the manifest of `archive`. Where both kinds are there, both are checked and must not contradict.
    pub fn read(archive: &Archive) -> Result<Self> {
        check_place(archive)?;
        let app = load(archive, APP_JSON)?.map(|file| file.facts(app::read)).transpose()?;
        let w3c = match load(archive, W3C)? {
            // Many tools keep a `manifest.json` of another kind beside an `app.json`.
            Some(file) if app.is_some() && !file.members.contains_key("app_id") => None,
            Some(file) => Some(file.facts(w3c::read)?),
            None => None,
        };
        match (app, w3c) {
            (Some((text, facts)), None) => Ok(Self::new(Kind::AppJson, text, facts)),
            (None, Some((text, facts))) => Ok(Self::new(Kind::W3c, text, facts)),
            (Some((text, facts)), Some((_, other))) => Ok(Self::new(Kind::AppJson, text, merge(facts, other)?)),
            (None, None) => Err(missing(archive)),
        }
    }

    fn new(kind: Kind, text: String, facts: Facts) -> Self {
        let path = if kind == Kind::AppJson { APP_JSON } else { W3C }.to_owned();
        let Facts { pages, subpackages, id, version, warnings } = facts;
        Self { kind, path, text, pages, subpackages, declared_id: id, declared_version: version, warnings }
    }

    /// What the manifest declares is what the package is called (V2). A manifest that declares nothing agrees.
    pub fn agrees_with(&self, name: &PackageName) -> Result<()> {
        agree("id", self.declared_id.as_ref(), name.mini_app_id.as_str(), name)?;
        agree("version", self.declared_version.as_ref(), &name.version.to_string(), name)
    }
}

fn agree(what: &str, declared: Option<&Declared>, named: &str, name: &PackageName) -> Result<()> {
    let Some(declared) = declared.filter(|declared| declared.value != named) else { return Ok(()) };
    let value = refusal::shown(declared.value.as_bytes());
    let detail = format!(
        "{} is {value:?}, but the package is {name}: its {what} is {named:?}. Make them the same.",
        declared.by
    );
    let error = Error::new(Code::PackageMismatch, detail).with("rule", format!("{what}-mismatch"));
    Err(error.with("manifest", value).with("name", named))
}

/// The facts of both manifests: pages of `app.json`, id and version of whichever declares them.
fn merge(app: Facts, w3c: Facts) -> Result<Facts> {
    for (a, b) in [(&app.id, &w3c.id), (&app.version, &w3c.version)] {
        if let (Some(a), Some(b)) = (a, b)
            && a.value != b.value
        {
            let detail = format!("it says {:?}, but {} says {:?}. Make them the same.", a.value, b.by, b.value);
            return Err(refusal::manifest("two-manifests", APP_JSON, detail));
        }
    }
    let warnings = [app.warnings, w3c.warnings].concat();
    Ok(Facts { id: w3c.id.or(app.id), version: w3c.version.or(app.version), warnings, ..app })
}

/// Manifests are found by their exact names: a device that ignores case would find others.
fn check_place(archive: &Archive) -> Result<()> {
    let wrong_case =
        |path: &str| [APP_JSON, W3C].into_iter().find(|name| path != *name && path.eq_ignore_ascii_case(name));
    match archive.files().iter().find_map(|file| Some((&file.path, wrong_case(&file.path)?))) {
        Some((path, name)) => {
            Err(refusal::manifest("manifest-case", path, format!("the name must be {name}, in lower case. Rename it.")))
        }
        None => Ok(()),
    }
}

fn missing(archive: &Archive) -> Error {
    let deeper = archive.files().iter().find(|file| file.path.ends_with("/app.json"));
    let advice = match deeper {
        Some(file) => format!("There is {:?}: pack that folder instead of the one around it.", file.path),
        None => "Add one, or pack the folder that has it.".into(),
    };
    let detail = format!("not found at the root of the package, and neither is {W3C}. {advice}");
    refusal::manifest("manifest-missing", APP_JSON, detail)
}

/// `root/page` without slashes at the ends, with and without which real trees write both; or what is wrong with it.
fn page_path(root: &str, page: &str) -> Result<String, String> {
    let page = page.trim_matches('/');
    let joined = if root.is_empty() { page.to_owned() } else { format!("{root}/{page}") };
    match path::check(&joined, &Limits::default()) {
        Ok(()) if !page.is_empty() => Ok(joined),
        Ok(()) => Err("holds an empty path".into()),
        Err(error) => Err(format!("holds a path that no file can have: {}", error.detail.trim_end_matches('.'))),
    }
}

/// A manifest file that is one JSON object.
struct Loaded {
    path: &'static str,
    text: String,
    members: Map<String, Value>,
    bom: bool,
}

impl Loaded {
    fn facts(self, read: fn(&Map<String, Value>) -> Result<Facts>) -> Result<(String, Facts)> {
        let mut facts = read(&self.members)?;
        if self.bom {
            facts.warnings.push(format!("{}: begins with a byte order mark, which some readers refuse.", self.path));
        }
        Ok((self.text, facts))
    }
}

fn load(archive: &Archive, path: &'static str) -> Result<Option<Loaded>> {
    let Some(file) = archive.file(path) else { return Ok(None) };
    if file.size > MAX_BYTES {
        let detail = format!("{} bytes are too many for a manifest; {MAX_BYTES} are allowed.", file.size);
        return Err(refusal::manifest("manifest-bytes", path, detail));
    }
    let bytes = archive.read_whole(path).map_err(|error| match error {
        ReadError::Storage(error) => error,
        other => Error::internal(other),
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|e| {
        refusal::manifest("json", path, format!("byte {} is not UTF-8. Save it as UTF-8.", e.valid_up_to()))
    })?;
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let members = json::object(path, bare)?;
    Ok(Some(Loaded { path, text: bare.into(), members, bom: bare.len() < text.len() }))
}

#[cfg(test)]
mod tests;

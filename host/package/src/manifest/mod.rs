//! The manifests of packages: `app.json` (WeChat-style), `game.json` (mini-games) or `manifest.json` (W3C MiniApp).

mod app;
mod foreign;
mod game;
mod json;
mod w3c;

use serde::Serialize;
use serde_json::{Map, Value};

pub(super) use foreign::Foreign;

use super::{Archive, Limits, PackageName, ReadError, path, refusal};
use berth_base::error::{Code, Error, Result};

/// How many bytes a manifest may have.
const MAX_BYTES: u64 = 256 << 10;

pub(super) const APP_JSON: &str = "app.json";
pub(super) const GAME_JSON: &str = "game.json";
/// The start script of a game. A `game.json` without it belongs to something else.
pub(super) const GAME_JS: &str = "game.js";
pub(super) const W3C: &str = "manifest.json";
/// The manifest of plugins, which are not packages.
const PLUGIN_JSON: &str = "plugin.json";

/// The kind of the manifest that is used. Of several in a package, `app.json` comes first, then `game.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The WeChat-style `app.json`.
    #[serde(rename = "mini-program")]
    AppJson,
    /// The `game.json` of a mini-game.
    Game,
    /// The `manifest.json` of a W3C MiniApp.
    #[serde(rename = "w3c-mini-app")]
    W3c,
}

impl Kind {
    /// The path of this manifest in the package.
    fn path(self) -> &'static str {
        match self {
            Self::AppJson => APP_JSON,
            Self::Game => GAME_JSON,
            Self::W3c => W3C,
        }
    }
}

/// A part of a mini-program that is fetched when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subpackage {
    /// The folder of the subpackage, without slashes at its ends. In a game it may be a script.
    pub root: String,
    /// The name by which other parts refer to it, if it has one.
    pub name: Option<String>,
    /// Whether it can run without the main package.
    pub independent: bool,
    /// The paths of its pages, from the root of the package. A game's subpackage has none.
    pub pages: Vec<String>,
}

/// The manifest of a package, whose shape was checked. Whether its pages have files is for policies to check.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The kind of the manifest that is used.
    pub kind: Kind,
    /// The path of the manifest in the package.
    pub path: String,
    /// The JSON text of the manifest as it is in the package, without a byte order mark.
    pub text: String,
    /// All pages, with those of subpackages, from the root of the package and without extension. The first one is the
    /// entry. A game has one, `game`.
    pub pages: Vec<String>,
    /// The subpackages of an `app.json` or a `game.json`.
    pub subpackages: Vec<Subpackage>,
    /// The id that a manifest declares, if any: `app_id` (W3C), or `mini_app_id` or `app_id` in `app.json` and
    /// `game.json`.
    pub declared_id: Option<Declared>,
    /// The version that a manifest declares, if any: `version.name` (W3C), or `version` in `app.json` and `game.json`.
    pub declared_version: Option<Declared>,
    /// What is unusual but no reason to refuse the package, in words.
    pub warnings: Vec<String>,
}

/// A value, and the member of a manifest that declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The file and the member, such as `manifest.json: version.name`.
    pub by: String,
    /// The declared value.
    pub value: String,
}

/// What was read from one manifest.
#[derive(Default)]
struct Facts {
    pages: Vec<String>,
    subpackages: Vec<Subpackage>,
    id: Option<Declared>,
    version: Option<Declared>,
    warnings: Vec<String>,
}

impl Manifest {
    /// Reads and checks the manifest of `archive`. When there are two kinds, both are checked and must not contradict
    /// each other.
    ///
    /// # Errors
    /// `package-manifest`, with a stable `rule` and the `path` of the file; `internal` when the package cannot be read.
    pub fn read(archive: &Archive) -> Result<Self> {
        check_place(archive)?;
        let app = load(archive, APP_JSON)?.map(|file| file.facts(app::read)).transpose()?;
        let game = match &app {
            None if archive.file(GAME_JS).is_some() => {
                load(archive, GAME_JSON)?.map(|file| file.facts(game::read)).transpose()?
            }
            _ => None,
        };
        let leading = app.map(|app| (Kind::AppJson, app)).or(game.map(|game| (Kind::Game, game)));
        let Some((kind, (text, mut facts))) = leading else {
            foreign::refuse(archive)?;
            let (text, facts) = load(archive, W3C)?.ok_or_else(|| missing(archive))?.facts(w3c::read)?;
            return Ok(Self::new(Kind::W3c, text, facts));
        };
        match beside(archive)? {
            Beside::Nothing => {}
            Beside::Foreign(warning) => facts.warnings.push(warning),
            Beside::W3c(other) => facts = merge(kind, facts, other)?,
        }
        Ok(Self::new(kind, text, facts))
    }

    fn new(kind: Kind, text: String, facts: Facts) -> Self {
        let path = kind.path().to_owned();
        let Facts { pages, subpackages, id, version, warnings } = facts;
        Self { kind, path, text, pages, subpackages, declared_id: id, declared_version: version, warnings }
    }

    /// Checks that the declared id and version are those in the package's name (V2). What is not declared agrees.
    ///
    /// # Errors
    /// `package-mismatch`, with both values.
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

/// A `manifest.json` beside another manifest, which is used.
enum Beside {
    Nothing,
    /// It is of another kind. The warning says so.
    Foreign(String),
    W3c(Facts),
}

/// Reads the `manifest.json` beside the manifest that is used. Many tools keep one of their own there: uni-app does,
/// with comments in it.
fn beside(archive: &Archive) -> Result<Beside> {
    let foreign =
        || Beside::Foreign(format!("{W3C}: has no app_id, so it is not that of a W3C MiniApp, and is not read."));
    match load(archive, W3C) {
        Ok(None) => Ok(Beside::Nothing),
        Ok(Some(file)) if !file.members.contains_key("app_id") => Ok(foreign()),
        Ok(Some(file)) => Ok(Beside::W3c(file.facts(w3c::read)?.1)),
        Err(error) if error.code == Code::Internal || names_app_id(archive)? => Err(error),
        Err(_) => Ok(foreign()),
    }
}

/// Whether a `manifest.json` that is not JSON is meant as that of a W3C MiniApp.
fn names_app_id(archive: &Archive) -> Result<bool> {
    let bytes = archive.read_whole(W3C).map_err(unreadable)?;
    Ok(bytes.windows(8).any(|eight| eight == b"\"app_id\""))
}

/// The text of the member `name`, if there is one.
fn declared(file: &str, members: &Map<String, Value>, name: &str) -> Option<Declared> {
    let value = members.get(name)?.as_str()?;
    Some(Declared { by: format!("{file}: {name}"), value: value.into() })
}

/// The facts of both manifests: the pages of the one that is used, and the id and version of whichever declares them.
fn merge(kind: Kind, app: Facts, w3c: Facts) -> Result<Facts> {
    for (a, b) in [(&app.id, &w3c.id), (&app.version, &w3c.version)] {
        if let (Some(a), Some(b)) = (a, b)
            && a.value != b.value
        {
            let detail = format!("it says {:?}, but {} says {:?}. Make them the same.", a.value, b.by, b.value);
            return Err(refusal::manifest("two-manifests", kind.path(), detail));
        }
    }
    let warnings = [app.warnings, w3c.warnings].concat();
    Ok(Facts { id: w3c.id.or(app.id), version: w3c.version.or(app.version), warnings, ..app })
}

/// Refuses manifests whose names differ in case: they would be found on systems that ignore case only.
fn check_place(archive: &Archive) -> Result<()> {
    let wrong_case = |path: &str| {
        [APP_JSON, GAME_JSON, W3C].into_iter().find(|name| path != *name && path.eq_ignore_ascii_case(name))
    };
    match archive.files().iter().find_map(|file| Some((&file.path, wrong_case(&file.path)?))) {
        Some((path, name)) => {
            Err(refusal::manifest("manifest-case", path, format!("the name must be {name}, in lower case. Rename it.")))
        }
        None => Ok(()),
    }
}

fn missing(archive: &Archive) -> Error {
    if archive.file(PLUGIN_JSON).is_some() {
        let why = format!(
            "a plugin is no package: packages are mini-programs ({APP_JSON} or {W3C}) and games ({GAME_JSON}), with the \
             code of their plugins inside. Pack the mini-program that uses the plugin."
        );
        return refusal::manifest("plugin", PLUGIN_JSON, why);
    }
    let is_manifest = |path: &str| ["/app.json", "/game.json"].iter().any(|end| path.ends_with(end));
    let advice = match archive.files().iter().find(|file| is_manifest(&file.path)) {
        Some(file) => format!("There is {:?}: pack that folder instead of the one around it.", file.path),
        None => "Add one, or pack the folder that has it.".into(),
    };
    let why =
        format!("not found at the root of the package, and neither is {GAME_JSON} with {GAME_JS}, or {W3C}. {advice}");
    refusal::manifest("manifest-missing", APP_JSON, why)
}

/// The path `root/page` without slashes at its ends, which manifests write with and without; or what is wrong with it.
fn page_path(root: &str, page: &str) -> Result<String, String> {
    let page = page.trim_matches('/');
    let joined = if root.is_empty() { page.to_owned() } else { format!("{root}/{page}") };
    match path::check(&joined, &Limits::default()) {
        Ok(()) if !page.is_empty() => Ok(joined),
        Ok(()) => Err("holds an empty path".into()),
        Err(error) => Err(format!("holds a path that no file can have: {}", error.detail.trim_end_matches('.'))),
    }
}

/// A manifest file that was parsed as one JSON object.
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
    let bytes = archive.read_whole(path).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| {
        refusal::manifest("json", path, format!("byte {} is not UTF-8. Save it as UTF-8.", e.valid_up_to()))
    })?;
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let members = json::object(path, bare)?;
    Ok(Some(Loaded { path, text: bare.into(), members, bom: bare.len() < text.len() }))
}

fn unreadable(error: ReadError) -> Error {
    match error {
        ReadError::Storage(error) => error,
        other => Error::internal(other),
    }
}

#[cfg(test)]
mod tests;

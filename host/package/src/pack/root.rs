//! Finds the mini-program in a project folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    super::manifest::{APP_JSON, GAME_JS, GAME_JSON, W3C},
    dialect::{self, Dialect},
    project::Config,
    refuse, source, unreadable,
};
use berth_base::error::{Error, Result};

/// The folders in which a manifest is looked for when the project file names none, in this order: built ones before
/// sources.
const CANDIDATES: [&str; 4] = ["", "miniprogram", "dist", "src"];

/// The folders in which frameworks put one build for each vendor. A build is used when it is the only one.
const BUILDS: [&str; 3] = ["dist/build", "unpackage/dist/build", "dist"];

/// How deep manifests are searched for elsewhere, to be named in the error.
const SEARCH_DEPTH: usize = 4;

/// The mini-program of a project.
pub struct Root<'a> {
    /// The folder of the mini-program, relative to the project; empty when it is the same.
    pub below: String,
    /// The dialect of the mini-program; `None` when it cannot be told.
    pub dialect: Option<Dialect>,
    /// The project file that belongs to it.
    pub config: Option<&'a Config>,
    /// What is unusual, in words.
    pub warnings: Vec<String>,
}

impl<'a> Root<'a> {
    /// Finds the mini-program in `dir`, whose project files are `configs`.
    pub fn find(dir: &Path, configs: &'a [Config]) -> Result<Self> {
        fs::read_dir(dir).map_err(|error| unreadable(dir, error))?;
        refuse_plugin(dir, configs)?;
        let mut declared = Vec::new();
        for config in configs {
            if let Some((member, below)) = config.root()? {
                if has_manifest(&dir.join(&below)) {
                    return Ok(Self::new(dir, below, Some(config)));
                }
                declared.push((config, member, below));
            }
        }
        match declared.first() {
            Some((config, member, below)) => undeclared(dir, configs, config, member, below),
            None => Ok(Self::of_configs(dir, guessed(dir)?, configs)),
        }
    }

    fn new(dir: &Path, below: String, config: Option<&'a Config>) -> Self {
        let root = dir.join(&below);
        let told = Dialect::of(&root);
        let strange = if told.is_some() { None } else { dialect::strange(&root) };
        let warnings = strange.iter().map(|markup| dialect::unknown(markup)).collect();
        let by_config = || config.filter(|_| strange.is_none()).map(|config| config.dialect);
        Self { below, dialect: told.or_else(by_config), config, warnings }
    }

    /// The mini-program in `below`, with the project file of its dialect, or else the first one.
    fn of_configs(dir: &Path, below: String, configs: &'a [Config]) -> Self {
        let dialect = Dialect::of(&dir.join(&below));
        let own = configs.iter().find(|config| Some(config.dialect) == dialect);
        Self::new(dir, below, own.or(configs.first()))
    }

    /// The path of the mini-program's folder.
    pub fn path(&self, dir: &Path) -> PathBuf {
        if self.below.is_empty() { dir.to_owned() } else { dir.join(&self.below) }
    }

    /// Whether the first page has markup, of a dialect that is known or not.
    pub fn has_markup(&self, dir: &Path) -> bool {
        let root = self.path(dir);
        Dialect::of_page(&root).is_some() || dialect::strange(&root).is_some()
    }

    /// The folders within the mini-program whose content runs on a server, as paths from it, with the reason why they
    /// are left out.
    pub(crate) fn server_folders(&mut self) -> Vec<(String, String)> {
        let Some(config) = self.config else { return Vec::new() };
        let mut folders = Vec::new();
        for (member, folder) in config.server_roots() {
            if folder == self.below || self.below.starts_with(&format!("{folder}/")) {
                let why = format!("{}: {member} {folder:?} holds the mini-program, and is not left out.", config.file);
                self.warnings.push(why);
            } else if let Some(below) = below(&folder, &self.below) {
                let reason = format!("is the {member} of {}, and runs on a server", config.file);
                folders.push((below.to_lowercase(), reason));
            }
        }
        folders
    }
}

/// `folder` as a path from `root`; `None` when it does not lie within.
fn below<'a>(folder: &'a str, root: &str) -> Option<&'a str> {
    if root.is_empty() { Some(folder) } else { folder.strip_prefix(root)?.strip_prefix('/') }
}

/// Handles a project file whose named folder has no manifest. A file that was copied along with a build still names the
/// folder of the source: when that does not exist and there is a manifest here, the mini-program is here.
fn undeclared<'a>(dir: &Path, configs: &'a [Config], config: &Config, member: &str, below: &str) -> Result<Root<'a>> {
    let file = config.file;
    if !dir.join(below).exists() && has_manifest(dir) {
        let mut root = Root::of_configs(dir, String::new(), configs);
        let why = format!("{file}: {member} {below:?} does not exist, so the folder of {file} itself is packed.");
        root.warnings.push(why);
        return Ok(root);
    }
    let why = format!(
        "not found in {below:?}, the {member} of {file}. If a build makes that folder, run it first. {}",
        advice(dir)
    );
    Err(refuse("manifest-missing", APP_JSON, why))
}

fn guessed(dir: &Path) -> Result<String> {
    if let Some(found) = CANDIDATES.into_iter().find(|below| has_manifest(&dir.join(below))) {
        return Ok(found.into());
    }
    match builds(dir).as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(missing(dir)),
    }
}

fn missing(dir: &Path) -> Error {
    let places = CANDIDATES.map(|below| if below.is_empty() { "." } else { below }).join(", ");
    let why = format!(
        "not found in {places} of {}, and neither is {GAME_JSON} with {GAME_JS}, or the {W3C} of a W3C MiniApp. {}",
        dir.display(),
        advice(dir)
    );
    refuse("manifest-missing", APP_JSON, why)
}

fn builds(dir: &Path) -> Vec<String> {
    let folders = BUILDS.into_iter().flat_map(|parent| {
        let entries = fs::read_dir(dir.join(parent)).into_iter().flatten().flatten();
        entries.filter_map(move |entry| Some(format!("{parent}/{}", entry.file_name().to_str()?)))
    });
    folders.filter(|below| has_manifest(&dir.join(below))).collect()
}

/// Refuses projects of plugins, which are not packages.
fn refuse_plugin(dir: &Path, configs: &[Config]) -> Result<()> {
    let Some((config, kind)) = configs.iter().find_map(|config| Some((config, config.plugin()?))) else {
        return Ok(());
    };
    let why = format!(
        "compileType {kind:?} makes a plugin, and a plugin is no package: packages are mini-programs ({APP_JSON} or {W3C}) \
         and games ({GAME_JSON}), with the code of their plugins inside. {}",
        advice(dir)
    );
    Err(refuse("plugin", config.file, why))
}

/// Whether the folder has an `app.json`, a `game.json` with its script, or a `manifest.json` that is not just a web
/// page's.
fn has_manifest(dir: &Path) -> bool {
    let is_w3c = || fs::read_to_string(dir.join(W3C)).is_ok_and(|text| text.contains("\"app_id\""));
    let is_game = || [GAME_JSON, GAME_JS].iter().all(|name| dir.join(name).is_file());
    dir.join(APP_JSON).is_file() || is_game() || is_w3c()
}

/// What to do instead: build the project, or pack one of the folders that do have a manifest.
fn advice(dir: &Path) -> String {
    let mut found = Vec::new();
    search(dir, SEARCH_DEPTH, &mut found);
    found.sort();
    match (found.as_slice(), source::advice(dir)) {
        ([], Some(advice)) => advice,
        ([], None) => source_below(dir, SEARCH_DEPTH).unwrap_or_else(|| "No folder below has one.".into()),
        (some, _) => format!(
            "Pack one of these instead: {}.",
            some.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn search(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for folder in folders(dir) {
        if has_manifest(&folder) {
            found.push(folder);
        } else if depth > 1 {
            search(&folder, depth - 1, found);
        }
    }
}

/// The advice about the first source in a folder below.
fn source_below(dir: &Path, depth: usize) -> Option<String> {
    let mut below: Vec<_> = folders(dir).collect();
    below.sort();
    let told = |folder: &PathBuf| Some(format!("In {}: {}", folder.display(), source::advice(folder)?));
    let deeper = || below.iter().find_map(|folder| source_below(folder, depth - 1));
    below.iter().find_map(told).or_else(|| if depth > 1 { deeper() } else { None })
}

/// The folders in a folder in which a project may lie.
fn folders(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let may_hold = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let skipped = name == "node_modules" || name.to_string_lossy().starts_with('.');
        !skipped && entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    entries.filter(may_hold).map(|entry| entry.path())
}

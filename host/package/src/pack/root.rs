//! Where in a project folder the mini-program lies.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;

use super::{
    super::manifest::{APP_JSON, W3C},
    refuse, unreadable,
};
use berth_base::error::Result;

const PROJECT: &str = "project.config.json";

/// Where a manifest is looked for when the project does not say, in this order: what was built before its source.
const CANDIDATES: [&str; 4] = [".", "miniprogram", "dist", "src"];

/// How deep manifests elsewhere are searched for, to be named in the error.
const SEARCH_DEPTH: usize = 4;

/// The part of `project.config.json` that says what is packed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Project {
    miniprogram_root: Option<String>,
    pub pack_options: PackRules,
}

/// `packOptions`: what stays behind, and what goes in nevertheless.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackRules {
    pub ignore: Vec<PackRule>,
    pub include: Vec<PackRule>,
}

/// One rule of `packOptions`.
#[derive(Debug, Deserialize)]
pub struct PackRule {
    /// `folder`, `file`, `suffix`, `prefix`, `regexp` or `glob`.
    #[serde(rename = "type")]
    pub kind: String,
    pub value: String,
}

impl Project {
    /// Reads `project.config.json` of `dir`, if there is one.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(PROJECT);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(&path, error)),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        serde_json::from_str(text)
            .map_err(|error| refuse("project-config", PROJECT, format!("{error}. Mend it, or remove it.")))
    }

    /// The folder whose content becomes the package.
    pub fn find_root(&self, dir: &Path) -> Result<PathBuf> {
        fs::read_dir(dir).map_err(|error| unreadable(dir, error))?;
        match self.miniprogram_root.as_deref().map(|root| root.trim_matches('/')) {
            Some(root) if !root.is_empty() => declared_root(dir, root),
            _ => guessed_root(dir),
        }
    }
}

fn guessed_root(dir: &Path) -> Result<PathBuf> {
    let candidates = CANDIDATES.map(|name| if name == "." { dir.to_owned() } else { dir.join(name) });
    candidates.into_iter().find(|dir| has_manifest(dir)).ok_or_else(|| {
        let places = CANDIDATES.join(", ");
        let detail = format!("not found in {places} of {}, and neither is {W3C}. {}", dir.display(), advice(dir));
        refuse("manifest-missing", APP_JSON, detail)
    })
}

fn declared_root(dir: &Path, root: &str) -> Result<PathBuf> {
    if !Path::new(root).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(refuse("project-config", PROJECT, format!("miniprogramRoot {root:?} leads out of the project.")));
    }
    let found = dir.join(root.trim_start_matches("./"));
    if has_manifest(&found) {
        return Ok(found);
    }
    let detail = format!(
        "not found in {root:?}, the miniprogramRoot of {PROJECT}. If a build makes that folder, run it first. {}",
        advice(dir)
    );
    Err(refuse("manifest-missing", APP_JSON, detail))
}

/// An `app.json`, or a `manifest.json` that is a mini-program's and not a web page's.
fn has_manifest(dir: &Path) -> bool {
    let is_w3c = || fs::read_to_string(dir.join(W3C)).is_ok_and(|text| text.contains("\"app_id\""));
    dir.join(APP_JSON).is_file() || is_w3c()
}

/// Names the places that do have a manifest.
fn advice(dir: &Path) -> String {
    let mut found = Vec::new();
    search(dir, SEARCH_DEPTH, &mut found);
    found.sort();
    match found.as_slice() {
        [] => "No folder below has one.".into(),
        some => format!(
            "Pack one of these instead: {}.",
            some.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn search(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let skipped = name == "node_modules" || name.to_string_lossy().starts_with('.');
        if skipped || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if has_manifest(&entry.path()) {
            found.push(entry.path());
        } else if depth > 1 {
            search(&entry.path(), depth - 1, found);
        }
    }
}

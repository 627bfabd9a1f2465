//! Makes a package from a folder: the same folder gives the same bytes, and never a package that would be refused.

mod dialect;
mod matcher;
mod npm;
mod pattern;
mod project;
mod root;
mod rules;
mod tree;
mod write;

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use self::{npm::Npm, project::Config, root::Root, rules::Rules, tree::Tree};
use super::{Archive, Limits, Manifest, ManifestKind, refusal};
use berth_base::error::{Code, Error, Result};

pub use dialect::{Dialect, Framework};
pub use write::ZipWriter;

/// How to pack.
#[derive(Clone, Debug, Default)]
pub struct PackOptions {
    /// What the package must stay within.
    pub limits: Limits,
    /// Whether source maps (`*.map`) go in.
    pub source_maps: bool,
    /// The manifest is checked, and the name when there is one (V2).
    pub name: Option<super::PackageName>,
}

/// What was packed, and what was not.
#[derive(Clone, Debug, Serialize)]
pub struct PackReport {
    /// The folder that became the package's root.
    pub root: PathBuf,
    /// A mini-program, or a game.
    pub kind: ManifestKind,
    /// Whose mini-program it is, when that can be told.
    pub dialect: Option<Dialect>,
    /// The framework that built it, when that can be told.
    pub built_by: Option<Framework>,
    /// Every packed file, in the package's order.
    pub included: Vec<Included>,
    /// What stayed behind, and why. A folder that stayed behind whole is one line, and ends with a slash.
    pub left_out: Vec<LeftOut>,
    /// What is unusual about the project or the manifest.
    pub warnings: Vec<String>,
    /// Size of the package in bytes.
    pub bytes: u64,
}

/// A packed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Included {
    /// Path in the package.
    pub path: String,
    /// Bytes of the file.
    pub size: u64,
}

/// A file or folder that stayed behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Path below the root.
    pub path: String,
    /// Why, in words.
    pub reason: String,
}

/// Packs the mini-program in `dir` and writes the package to `out`.
///
/// The root is where the project file says (`miniprogramRoot` of `project.config.json` or `mini.project.json`,
/// `smartProgramRoot` of `project.swan.json`), or else the first of `dir` itself, `miniprogram`, `dist` and `src` that
/// has a manifest, or else the only build of a framework. `packOptions` are honoured, and folders whose content runs on
/// a server stay behind. Nothing is written before the finished package has passed the checks that an upload meets.
pub fn pack(dir: &Path, out: &mut impl Write, options: &PackOptions) -> Result<PackReport> {
    let configs = Config::read_all(dir)?;
    let mut found = Root::find(dir, &configs)?;
    let root = found.path(dir);
    let (rules, mut warnings) = rules(&mut found, &root, options);
    let tree = Tree::read(&root, &rules, &options.limits)?;
    let mut package = write_package(&root, &tree, &options.limits)?;
    let manifest = check(&package, options)?;
    package.rewind().map_err(Error::internal)?;
    let bytes = io::copy(&mut package, out).map_err(Error::internal)?;
    warnings.extend(rules.warnings().chain(manifest.warnings));
    Ok(PackReport {
        kind: manifest.kind,
        dialect: found.dialect,
        built_by: Framework::that_built(&root),
        included: tree.files,
        left_out: tree.left_out,
        root,
        warnings,
        bytes,
    })
}

/// What stays behind, and what is unusual so far.
fn rules(found: &mut Root, root: &Path, options: &PackOptions) -> (Rules, Vec<String>) {
    let (mut rules, unread) = Rules::read(found.config, options.source_maps);
    rules.server = found.server_folders();
    if found.dialect == Some(Dialect::Alipay) {
        rules.npm = Npm::of_alipay(root);
    }
    (rules, found.warnings.drain(..).chain(unread).collect())
}

fn write_package(root: &Path, tree: &Tree, limits: &Limits) -> Result<File> {
    let file = tempfile::tempfile().map_err(Error::internal)?;
    let mut writer = ZipWriter::new(io::BufWriter::new(file));
    for Included { path, size } in &tree.files {
        // A file over the limit would be refused below; do not read it into memory first.
        limits.check_file(path, *size, *size)?;
        let bytes = std::fs::read(root.join(path)).map_err(|error| unreadable(&root.join(path), error))?;
        writer.add(path, &bytes, limits.max_ratio)?;
    }
    writer.finish()?.into_inner().map_err(|error| Error::internal(error.into_error()))
}

/// What an upload would check.
fn check(package: &File, options: &PackOptions) -> Result<Manifest> {
    let again = package.try_clone().map_err(Error::internal)?;
    let manifest = Manifest::read(&Archive::open(again, &options.limits)?)?;
    if let Some(name) = &options.name {
        manifest.agrees_with(name)?;
    }
    Ok(manifest)
}

/// A file of the developer's that cannot be read: theirs to mend, so they are told which and why.
fn unreadable(path: &Path, error: io::Error) -> Error {
    let detail = format!("{} cannot be read: {error}.", path.display());
    Error::new(Code::BadRequest, detail).with("rule", "unreadable").with("path", path.display().to_string())
}

/// A folder that cannot be packed as it is.
fn refuse(rule: &'static str, path: &str, detail: impl AsRef<str>) -> Error {
    refusal::manifest(rule, path, detail)
}

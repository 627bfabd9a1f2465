//! Makes packages from folders: the same folder gives the same bytes, and never a package that would be refused.

mod dialect;
mod matcher;
mod npm;
mod pattern;
mod project;
mod root;
mod rules;
mod source;
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

use self::{npm::Npm, project::Config, root::Root, rules::Rules, source::Source, tree::Tree};
use super::{Archive, Limits, Manifest, ManifestKind, refusal};
use berth_base::error::{Code, Error, Result};

pub use dialect::{Dialect, Framework};
pub use write::ZipWriter;

/// Options of [`pack()`].
#[derive(Clone, Debug, Default)]
pub struct PackOptions {
    /// The limits that the package must keep.
    pub limits: Limits,
    /// Whether source maps (`*.map`) are included.
    pub source_maps: bool,
    /// The name that the package is to have. The manifest must agree with it (V2); `None` skips that check.
    pub name: Option<super::PackageName>,
}

/// What was packed, and what was left out.
#[derive(Clone, Debug, Serialize)]
pub struct PackReport {
    /// The folder that became the root of the package.
    pub root: PathBuf,
    /// The kind of the manifest.
    pub kind: ManifestKind,
    /// The dialect of the mini-program; null when it cannot be told.
    pub dialect: Option<Dialect>,
    /// The framework that built the mini-program; null when it cannot be told.
    pub built_by: Option<Framework>,
    /// Every packed file, in the order of the package.
    pub included: Vec<Included>,
    /// What was left out, and why. A folder of which nothing was packed is one item, whose path ends with a slash.
    pub left_out: Vec<LeftOut>,
    /// What is unusual about the project or the manifest, in words.
    pub warnings: Vec<String>,
    /// The size of the package in bytes.
    pub bytes: u64,
}

/// A packed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Included {
    /// The path in the package.
    pub path: String,
    /// The size of the file in bytes.
    pub size: u64,
}

/// A file or folder that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The path below the root.
    pub path: String,
    /// Why it was left out, in words.
    pub reason: String,
}

/// Packs the mini-program in `dir`, and writes the package to `out`.
///
/// Its root is the folder that the project file names (`miniprogramRoot` of `project.config.json` or
/// `mini.project.json`, `smartProgramRoot` of `project.swan.json`), or else the first of `dir` itself, `miniprogram`,
/// `dist` and `src` that has a manifest, or else the only build of a framework. `packOptions` are obeyed, and folders
/// whose content runs on a server are left out. Nothing is written before the finished package has passed the checks
/// that an upload has to pass.
///
/// # Errors
/// Those of [`Archive::open`], [`Manifest::read`] and [`Manifest::agrees_with`]; `package-manifest` when there is no
/// mini-program or it cannot be packed; `bad-request` when a file cannot be read.
pub fn pack(dir: &Path, out: &mut impl Write, options: &PackOptions) -> Result<PackReport> {
    let configs = Config::read_all(dir)?;
    let mut found = Root::find(dir, &configs)?;
    let root = found.path(dir);
    let (rules, mut warnings) = rules(&mut found, &root, options);
    let tree = Tree::read(&root, &rules, &options.limits)?;
    let mut package = write_package(&root, &tree, &options.limits)?;
    let manifest = check(&package, options).map_err(|error| explained(error, dir))?;
    package.rewind().map_err(Error::internal)?;
    let bytes = io::copy(&mut package, out).map_err(Error::internal)?;
    warnings.extend(rules.warnings().chain(manifest.warnings).chain(unbuilt(&found, dir, manifest.kind)));
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

/// Looks for the mini-program that [`pack`] would pack.
///
/// # Errors
/// `package-manifest` when there is none, with where there is one or what to do first; `bad-request` when a file cannot be read.
pub fn look_for(dir: &Path) -> Result<()> {
    Root::find(dir, &Config::read_all(dir)?).map(drop)
}

/// The rules of what is left out, and the warnings so far.
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

/// Checks the package as an upload would be checked.
fn check(package: &File, options: &PackOptions) -> Result<Manifest> {
    let again = package.try_clone().map_err(Error::internal)?;
    let manifest = Manifest::read(&Archive::open(again, &options.limits)?)?;
    if let Some(name) = &options.name {
        manifest.agrees_with(name)?;
    }
    Ok(manifest)
}

/// The error of a manifest with what to do about it where it is not yet that of a mini-program: the `app.json` of a source
/// is often empty, as a build writes it.
fn explained(error: Error, dir: &Path) -> Error {
    match Source::of(dir) {
        Some(source) if error.code == Code::PackageManifest => {
            Error { detail: format!("{} {}", error.detail, source.advice()), ..error }
        }
        _ => error,
    }
}

/// The warning about a mini-program that is the source of a framework: it has no markup yet.
fn unbuilt(found: &Root, dir: &Path, kind: ManifestKind) -> Option<String> {
    let is_source = kind == ManifestKind::AppJson && !found.has_markup(dir);
    is_source.then(|| Source::of(dir).map(Source::advice)).flatten()
}

/// The error of a file or folder that cannot be read: the developer is told which one and why.
fn unreadable(path: &Path, error: io::Error) -> Error {
    let detail = format!("{} cannot be read: {error}.", path.display());
    Error::new(Code::BadRequest, detail).with("rule", "unreadable").with("path", path.display().to_string())
}

/// The error of a folder that cannot be packed as it is.
fn refuse(rule: &'static str, path: &str, detail: impl AsRef<str>) -> Error {
    refusal::manifest(rule, path, detail)
}

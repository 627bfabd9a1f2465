//! Makes a package from a folder: the same folder gives the same bytes, and never a package that would be refused.

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

use self::{rules::Rules, tree::Tree};
use super::{Archive, Limits, Manifest, refusal};
use crate::error::{Code, Error, Result};

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
    /// Every packed file, in the package's order.
    pub included: Vec<Included>,
    /// What stayed behind, and why. A folder that stayed behind whole is one line, and ends with a slash.
    pub left_out: Vec<LeftOut>,
    /// What is unusual about the manifest.
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
/// The root is `miniprogramRoot` of `project.config.json` when it says so, or else the first of `dir` itself,
/// `miniprogram`, `dist` and `src` that has a manifest. `packOptions` of `project.config.json` is honoured. Nothing
/// is written before the finished package has passed the checks that an upload meets.
pub fn pack(dir: &Path, out: &mut impl Write, options: &PackOptions) -> Result<PackReport> {
    let project = root::Project::read(dir)?;
    let root = project.find_root(dir)?;
    let rules = Rules::new(&project.pack_options, options.source_maps)?;
    let tree = Tree::read(&root, &rules, &options.limits)?;
    let mut package = write_package(&root, &tree, &options.limits)?;
    let warnings = check(&package, options)?;
    package.rewind().map_err(Error::internal)?;
    let bytes = io::copy(&mut package, out).map_err(Error::internal)?;
    Ok(PackReport { root, included: tree.files, left_out: tree.left_out, warnings, bytes })
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
fn check(package: &File, options: &PackOptions) -> Result<Vec<String>> {
    let again = package.try_clone().map_err(Error::internal)?;
    let manifest = Manifest::read(&Archive::open(again, &options.limits)?)?;
    if let Some(name) = &options.name {
        manifest.agrees_with(name)?;
    }
    Ok(manifest.warnings)
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

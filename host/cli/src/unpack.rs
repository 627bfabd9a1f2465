//! Unpacks the zip of a bundle, nothing of which is trusted before it was checked.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use digest_io::HashWriter;
use serde_json::Value;
use sha2::Digest as _;
use zip::ZipArchive;

use super::{failure::Failure, files};
use berth_base::ids::{Digest, HostAppId};
use berth_model::download::{BundleManifest, BundledPackage};
use berth_package::PackageName;

/// The file that names the packages of a bundle and pins their hashes.
pub const MANIFEST: &str = "berth-bundle.json";
const MAX_MANIFEST: u64 = 16 << 20;

/// The format of `berth-bundle.json` that this berth reads.
const FORMAT: u32 = 1;

/// A `berth-bundle.json` that was checked.
#[derive(Debug)]
pub struct Manifest {
    /// The document as it was read.
    pub document: Value,
    /// The host app that the bundle is for.
    pub host_app: HostAppId,
    /// The packages in the bundle.
    pub packages: Vec<Pinned>,
}

/// A package with its pinned hash.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub name: PackageName,
    pub sha256: Digest,
    /// The size in bytes.
    pub size: u64,
}

fn refused(detail: impl Into<String>) -> Failure {
    Failure::refused("bundle-invalid", format!("{} Nothing was replaced.", detail.into()))
}

impl Manifest {
    /// Reads and checks a manifest.
    pub fn read(document: Value) -> Result<Self, Failure> {
        let BundleManifest { format, host_app, packages, .. } = serde_path_to_error::deserialize(&document)
            .map_err(|error| refused(format!("{MANIFEST} is not readable: {error}.")))?;
        if format != FORMAT {
            return Err(refused(format!(
                "{MANIFEST} is of format {format}, and this berth reads format {FORMAT}. Use the berth of the host's version."
            )));
        }
        let packages = packages.into_iter().map(pinned).collect::<Result<Vec<_>, _>>()?;
        let names: BTreeSet<_> = packages.iter().map(|package| package.name.to_string()).collect();
        if names.len() != packages.len() {
            return Err(refused(format!("{MANIFEST} names a package twice.")));
        }
        Ok(Self { document, host_app, packages })
    }
}

fn pinned(package: BundledPackage) -> Result<Pinned, Failure> {
    let BundledPackage { file, mini_app: mini_app_id, version, sha256, size, .. } = package;
    let name = PackageName { mini_app_id, version };
    if file != name.to_string() {
        return Err(refused(format!("{MANIFEST} calls the package {name} {file:?}.")));
    }
    Ok(Pinned { name, sha256, size })
}

/// Unpacks `zip` into the empty `folder`: exactly the packages of the manifest, each with its hash, and the manifest.
pub fn unpack(zip: &Path, folder: &Path) -> Result<Manifest, Failure> {
    let file = File::open(zip).map_err(|error| Failure::file("read", zip, &error))?;
    let mut archive =
        ZipArchive::new(file).map_err(|error| refused(format!("The bundle is no zip archive: {error}.")))?;
    let text = manifest_text(&mut archive)?;
    let document = serde_json::from_slice(&text)
        .map_err(|error| refused(format!("{MANIFEST} is not JSON: {}.", files::why_not_json(&error))))?;
    let manifest = Manifest::read(document)?;
    refuse_others(&archive, &manifest)?;
    for package in &manifest.packages {
        extract(&mut archive, package, folder)?;
    }
    let to = folder.join(MANIFEST);
    fs::write(&to, text).map_err(|error| Failure::file("write", &to, &error))?;
    Ok(manifest)
}

fn manifest_text(archive: &mut ZipArchive<File>) -> Result<Vec<u8>, Failure> {
    let entry = archive.by_name(MANIFEST).map_err(|_| refused(format!("The bundle has no {MANIFEST}.")))?;
    let mut text = Vec::new();
    let read = entry.take(MAX_MANIFEST).read_to_end(&mut text);
    read.map_err(|error| refused(format!("{MANIFEST} is damaged: {error}.")))?;
    Ok(text)
}

/// Refuses archives with files that the manifest does not name, so that no name of the archive reaches the file system
/// (F16).
fn refuse_others(archive: &ZipArchive<File>, manifest: &Manifest) -> Result<(), Failure> {
    let expected: BTreeSet<_> = manifest.packages.iter().map(|package| package.name.to_string()).collect();
    for name in archive.file_names() {
        let name = name.map_err(|error| refused(format!("The bundle has an unreadable name: {error}.")))?;
        if name != MANIFEST && !expected.contains(&*name) {
            return Err(refused(format!("The bundle holds {name:?}, which {MANIFEST} does not name.")));
        }
    }
    Ok(())
}

fn extract(archive: &mut ZipArchive<File>, package: &Pinned, folder: &Path) -> Result<(), Failure> {
    let name = package.name.to_string();
    let entry = archive.by_name(&name).map_err(|_| refused(format!("The bundle lacks {name}.")))?;
    let path = folder.join(&name);
    let file = File::create_new(&path).map_err(|error| Failure::file("write", &path, &error))?;
    let mut file = HashWriter::<sha2::Sha256, _>::new(file);
    // One byte more than declared is enough to know that it lies.
    let copied = io::copy(&mut entry.take(package.size.saturating_add(1)), &mut file);
    let size = copied.map_err(|error| refused(format!("{name} is damaged: {error}.")))?;
    if size != package.size {
        return Err(refused(format!("{name} does not have the {} bytes that {MANIFEST} says.", package.size)));
    }
    let (hasher, file) = file.into_parts();
    let sha256 = Digest::from_bytes(&hasher.finalize().into());
    if sha256 != package.sha256 {
        return Err(refused(format!("{name} has the SHA-256 {sha256}, and {MANIFEST} says {}.", package.sha256)));
    }
    file.sync_all().map_err(|error| Failure::file("write", &path, &error))
}

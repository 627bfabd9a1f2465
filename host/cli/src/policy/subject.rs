//! The package of a case.

use std::{collections::BTreeMap, fs::File, path::Path};

use sha2::Digest as _;

use super::cases::Case;
use berth_model::policy::{Contents, PackageFile, ReadError};
use berth_package::{self as package, Archive, Limits, PackOptions, PackageName};

/// A package in memory that an auditor can read.
pub struct Subject {
    mini_app_id: String,
    version: String,
    /// The path and the text of the manifest.
    manifest: (String, String),
    size: u64,
    files: Vec<PackageFile>,
    bytes: BTreeMap<String, Vec<u8>>,
}

/// The package of a case: a folder or an .apkg, to which the host's rules for packages apply, or files as they are
/// written in the case. A case without any of these has an empty mini-program.
pub fn of(case: &Case) -> Result<Subject, String> {
    let Some(package) = &case.package else {
        let files = case.files.clone().unwrap_or_default();
        return Ok(of_files(files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect()));
    };
    let path = case.file.parent().unwrap_or(Path::new(".")).join(package);
    let opened = if path.is_dir() { of_folder(&path) } else { of_archive(&path) };
    opened.map_err(|reason| format!("package {}: {reason}", path.display()))
}

/// The package of a folder.
pub fn of_folder(dir: &Path) -> Result<Subject, String> {
    let mut packed = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    package::pack(dir, &mut packed, &PackOptions::default()).map_err(|error| error.detail)?;
    let name = dir.canonicalize().ok().and_then(|dir| PackageName::of_folder(&dir));
    Ok(of_archive(packed.path())?.named(name))
}

fn of_archive(path: &Path) -> Result<Subject, String> {
    if !path.is_file() {
        return Err("there is no such file or folder".into());
    }
    let size = File::open(path).and_then(|file| file.metadata()).map_err(|error| error.to_string())?.len();
    let archive = Archive::open_path(path, &Limits::default()).map_err(|error| error.detail)?;
    let mut bytes = BTreeMap::new();
    for file in archive.files() {
        let whole = archive.read_whole(&file.path).map_err(|error| format!("{}: {error:?}", file.path))?;
        bytes.insert(file.path.clone(), whole.to_vec());
    }
    let name = path.file_name().and_then(|name| name.to_str()?.parse().ok());
    Ok(Subject { size, ..of_files(bytes) }.named(name))
}

/// A package of these files. A manifest is added if there is none, as an auditor never gets a package without one.
fn of_files(mut bytes: BTreeMap<String, Vec<u8>>) -> Subject {
    if !bytes.contains_key("manifest.json") {
        bytes.entry("app.json".into()).or_insert_with(|| br#"{"pages": []}"#.to_vec());
    }
    let path = if bytes.contains_key("app.json") { "app.json" } else { "manifest.json" };
    let text = bytes.get(path).map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
    let file = |(path, bytes): (&String, &Vec<u8>)| PackageFile {
        path: path.clone(),
        size: bytes.len() as u64,
        sha256: sha2::Sha256::digest(bytes).into(),
    };
    let size = bytes.values().map(|bytes| bytes.len() as u64).sum();
    let files = bytes.iter().map(file).collect();
    Subject {
        mini_app_id: "mp-shop".into(),
        version: "1.0.0".into(),
        manifest: (path.into(), text),
        size,
        files,
        bytes,
    }
}

impl Subject {
    fn named(self, name: Option<PackageName>) -> Self {
        let Some(PackageName { mini_app_id, version }) = name else { return self };
        Self { mini_app_id: mini_app_id.to_string(), version: version.to_string(), ..self }
    }
}

impl Contents for Subject {
    fn mini_app_id(&self) -> &str {
        &self.mini_app_id
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn manifest_path(&self) -> &str {
        &self.manifest.0
    }

    fn manifest(&self) -> &str {
        &self.manifest.1
    }

    fn files(&self) -> &[PackageFile] {
        &self.files
    }

    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ReadError> {
        let bytes = self.bytes.get(path).ok_or(ReadError::NoSuchFile)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length as usize).min(bytes.len());
        Ok(bytes[start..end].to_vec())
    }
}

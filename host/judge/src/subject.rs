//! A package as the subject of an audit.

use berth_base::error::Result;
use berth_model::policy::{self, Contents, PackageFile};
use berth_package::{Archive, FileEntry, Manifest, PackageName, ReadError};

/// A package under audit, as the policies that judge it see it.
pub struct Subject {
    mini_app: String,
    version: String,
    manifest: Manifest,
    files: Vec<PackageFile>,
    archive: Archive,
}

impl Subject {
    /// Reads the manifest and the list of files from an archive that was checked.
    ///
    /// # Errors
    /// `package-manifest` when its manifest is missing or breaks a rule.
    pub fn of(archive: Archive, name: &PackageName) -> Result<Self> {
        let manifest = Manifest::read(&archive)?;
        let file = |file: &FileEntry| PackageFile { path: file.path.clone(), size: file.size, sha256: file.sha256 };
        let files = archive.files().iter().map(file).collect();
        Ok(Self { mini_app: name.mini_app_id.to_string(), version: name.version.to_string(), manifest, files, archive })
    }

    /// The manifest of the package.
    pub fn declared(&self) -> &Manifest {
        &self.manifest
    }
}

impl Contents for Subject {
    fn mini_app_id(&self) -> &str {
        &self.mini_app
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn size(&self) -> u64 {
        self.archive.size()
    }

    fn manifest_path(&self) -> &str {
        &self.manifest.path
    }

    fn manifest(&self) -> &str {
        &self.manifest.text
    }

    fn files(&self) -> &[PackageFile] {
        &self.files
    }

    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, policy::ReadError> {
        self.archive.read(path, offset, length).map_err(|error| match error {
            ReadError::NoSuchFile => policy::ReadError::NoSuchFile,
            ReadError::TooLong(_) | ReadError::Damaged | ReadError::Storage(_) => policy::ReadError::Damaged,
        })
    }
}

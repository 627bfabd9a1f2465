//! Compiled policies on disk, so that the host compiles nothing when it starts.
//!
//! A file is named by the digest of the wasm and a hash of the compiler and its settings, and begins with the SHA-256
//! of its other bytes. The hash guards against files that are incomplete or damaged. It cannot guard against people who
//! may write into the folder, whose files run as machine code: only the host itself may write there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::Digest as _;

use super::PolicyKind;
use berth_base::ids::Digest;

/// The machine code of a policy.
pub(crate) struct Compiled {
    /// The kind of the policy, which decides the engine that runs it.
    pub kind: PolicyKind,
    /// The component as wasmtime compiled it.
    pub code: Vec<u8>,
}

impl Compiled {
    /// The form on disk: one byte for the kind, then the code.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tag = PolicyKind::ALL.iter().position(|kind| *kind == self.kind).unwrap_or_default();
        [&[tag as u8], self.code.as_slice()].concat()
    }

    /// Reads what [`Compiled::to_bytes`] wrote; `None` when there is no such kind.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, code) = bytes.split_first()?;
        Some(Self { kind: *PolicyKind::ALL.get(usize::from(*tag))?, code: code.into() })
    }
}

const SUFFIX: &str = "cwasm";
/// The prefix of the folders for compilations in progress.
const WORK: &str = "work-";

/// The folder of compiled policies.
pub struct Cache {
    folder: PathBuf,
    settings: u64,
}

impl Cache {
    /// Opens the folder, creates it when it is missing, and deletes what other compilers or settings left in it.
    pub fn open(folder: &Path, settings: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let cache = Self { folder: folder.into(), settings };
        cache.prune()?;
        Ok(cache)
    }

    /// The code that was compiled from the wasm with this digest; `None` when it is missing or damaged.
    pub fn read(&self, wasm: &Digest) -> Option<Compiled> {
        let bytes = fs::read(self.path(wasm)).ok()?;
        let intact = bytes.split_first_chunk::<32>().filter(|(sum, body)| sha2::Sha256::digest(body) == **sum);
        if intact.is_none() {
            tracing::warn!(policy = %wasm, "a compiled policy is damaged on disk and is compiled again");
        }
        intact.and_then(|(_, body)| Compiled::from_bytes(body))
    }

    /// Stores compiled code. The file appears complete or not at all.
    pub fn write(&self, wasm: &Digest, compiled: &Compiled) -> io::Result<()> {
        let body = compiled.to_bytes();
        let work = self.workplace()?;
        let mut file = tempfile::NamedTempFile::new_in(work.path())?;
        io::Write::write_all(&mut file, &sha2::Sha256::digest(&body))?;
        io::Write::write_all(&mut file, &body)?;
        file.persist(self.path(wasm)).map(drop).map_err(|e| e.error)
    }

    fn path(&self, wasm: &Digest) -> PathBuf {
        self.folder.join(format!("{wasm}-{:016x}.{SUFFIX}", self.settings))
    }

    fn prune(&self) -> io::Result<()> {
        let ours = format!("-{:016x}.{SUFFIX}", self.settings);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(&format!(".{SUFFIX}")) && !name.ends_with(&ours) {
                fs::remove_file(entry.path())?;
            } else if name.starts_with(WORK) && is_abandoned(&entry) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// A new folder for a compilation in progress, which is deleted when the value is dropped.
    pub(crate) fn workplace(&self) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new().prefix(WORK).tempdir_in(&self.folder)
    }
}

/// Whether the folder is older than a day, so that its process must have been killed. Another host may still be working
/// in a newer one.
fn is_abandoned(entry: &fs::DirEntry) -> bool {
    let age = entry.metadata().and_then(|about| about.modified()).map(|at| at.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > Duration::from_secs(24 * 3600))
}

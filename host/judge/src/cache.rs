//! Compiled policies on disk, so that a start of the host compiles nothing.
//!
//! A file is named by the digest of the wasm and by a hash of the compiler and its settings, and begins with the SHA-256
//! of the rest. The digest guards against torn and rotten files; against people who may write into the folder nothing
//! can, because what is in it runs as machine code. The folder is the host's own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::Digest as _;

use super::PolicyKind;
use berth_base::ids::Digest;

/// Machine code of a policy.
pub struct Compiled {
    /// What it judges: decides which engine runs it.
    pub kind: PolicyKind,
    /// What wasmtime made of it.
    pub code: Vec<u8>,
}

impl Compiled {
    /// One byte for the kind, then the code.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tag = PolicyKind::ALL.iter().position(|kind| *kind == self.kind).unwrap_or_default();
        [&[tag as u8], self.code.as_slice()].concat()
    }

    /// The reverse of [`Compiled::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, code) = bytes.split_first()?;
        Some(Self { kind: *PolicyKind::ALL.get(usize::from(*tag))?, code: code.into() })
    }
}

const SUFFIX: &str = "cwasm";
/// How folders of work in progress begin.
const WORK: &str = "work-";

/// The folder of compiled policies.
pub struct Cache {
    folder: PathBuf,
    settings: u64,
}

impl Cache {
    /// Opens the folder, creates it when it is missing, and drops what other compilers or settings left in it.
    pub fn open(folder: &Path, settings: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let cache = Self { folder: folder.into(), settings };
        cache.prune()?;
        Ok(cache)
    }

    /// What was compiled from the wasm with this digest; none when it is missing or damaged.
    pub fn read(&self, wasm: &Digest) -> Option<Compiled> {
        let bytes = fs::read(self.path(wasm)).ok()?;
        let intact = bytes.split_first_chunk::<32>().filter(|(sum, body)| sha2::Sha256::digest(body) == **sum);
        if intact.is_none() {
            tracing::warn!(policy = %wasm, "a compiled policy is damaged on disk and is compiled again");
        }
        intact.and_then(|(_, body)| Compiled::from_bytes(body))
    }

    /// Keeps what was compiled. The file appears whole or not at all.
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

    /// A folder for work in progress, removed when dropped.
    pub fn workplace(&self) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new().prefix(WORK).tempdir_in(&self.folder)
    }
}

/// Work that nobody can be at any more: its process was killed. A neighbour's work of today stays.
fn is_abandoned(entry: &fs::DirEntry) -> bool {
    let age = entry.metadata().and_then(|about| about.modified()).map(|at| at.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age > Duration::from_secs(24 * 3600))
}

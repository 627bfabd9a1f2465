//! What a folder is known as: a command that writes a folder of its own leaves a mark in it, and takes no other folder.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::Path,
};

use berth_cli::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The mark of a backup: what it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The data folder of the host.
    pub backup_of: String,
    /// The public name of the key that seals the secrets, which is in the copy; `None` when the settings of the host give it.
    pub key: Option<String>,
    /// When it was whole; `None` until the first backup is, while a later one takes its place, and after one that broke off then.
    pub whole_at: Option<String>,
}

/// The mark of a demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demo {
    /// What is said to whoever finds the file.
    pub demo: String,
    /// Whether what it shows is still being made, or was broken off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

impl Demo {
    /// The mark of a demo, whether what it shows is made already or not.
    pub fn new(unfinished: bool) -> Self {
        Self { demo: "Made by `berth demo`, which may write here.".into(), unfinished }
    }
}

/// What the host of a data folder said of itself at its last start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The address by which it is reached: that of `--public-url`, or where it listened.
    pub url: String,
}

impl Mark for Host {
    const FILE: &str = "berth-host.json";
}

/// A file by which a command knows a folder as its own.
pub trait Mark: Serialize + DeserializeOwned {
    /// The name of the file.
    const FILE: &str;
}

impl Mark for Backup {
    const FILE: &str = "berth-backup.json";
}

impl Mark for Demo {
    const FILE: &str = "berth-demo.json";
}

/// What a command finds where it is about to write.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<M> {
    /// Nothing: no folder, or an empty one.
    Nothing,
    /// A folder with the mark.
    Marked(M),
    /// A folder of somebody else, in which there is this.
    Foreign(OsString),
}

/// Looks at a folder into which a command is about to write. One without the mark in which there is anything is foreign.
///
/// # Errors
/// A refusal when the folder or its mark cannot be read.
pub fn look<M: Mark>(folder: &Path) -> Result<Found<M>, Failure> {
    let file = folder.join(M::FILE);
    match fs::read(&file) {
        Ok(bytes) => {
            let mark = serde_json::from_slice(&bytes);
            return mark.map(Found::Marked).map_err(|error| {
                Failure::refused("foreign-folder", format!("{} is not a mark of Berth: {error}.", file.display()))
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::file("read", &file, &error)),
    }
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Failure::file("read", folder, &error)),
    };
    match entries.next() {
        None => Ok(Found::Nothing),
        Some(Ok(entry)) => Ok(Found::Foreign(entry.file_name())),
        Some(Err(error)) => Err(Failure::file("read", folder, &error)),
    }
}

/// The mark in the folder, if there is one that can be read.
pub fn mark<M: Mark>(folder: &Path) -> Option<M> {
    serde_json::from_slice(&fs::read(folder.join(M::FILE)).ok()?).ok()
}

/// Leaves the mark in the folder, in place of an older one.
///
/// # Errors
/// A refusal when it cannot be written.
pub fn leave<M: Mark>(folder: &Path, mark: &M) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(mark).map_err(berth_base::error::Error::internal)?;
    let file = folder.join(M::FILE);
    put(&file, &text).map_err(|error| Failure::file("write", &file, &error))
}

/// Takes the mark away, so that the command that left it does not write here any more.
///
/// # Errors
/// A refusal when it is there and stays.
pub fn forget<M: Mark>(folder: &Path) -> Result<(), Failure> {
    remove(&folder.join(M::FILE))
}

/// Removes a file, if it is there.
///
/// # Errors
/// A refusal when it is there and stays.
pub fn remove(file: &Path) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::file("remove", file, &error)),
        _ => Ok(()),
    }
}

/// Writes a file as a whole or not at all, for the owner only. What is there is replaced by a rename and never truncated, so
/// that a link to another file leaves that file alone.
///
/// # Errors
/// The failure of the file system.
pub fn put(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

/// Whether both are one folder, by whatever names, links or mounts they are reached.
pub fn same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    identity(one).is_some_and(|found| identity(other) == Some(found))
}

/// Whether `path`, of which the end need not exist yet, is the folder `outer` or lies in it.
pub fn is_within(path: &Path, outer: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = absolute.ancestors().find_map(|folder| fs::canonicalize(folder).ok());
    there.is_some_and(|there| there.ancestors().any(|folder| same(folder, outer)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn f65_a_folder_is_the_same_by_every_name() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        fs::create_dir_all(data.join("blobs")).unwrap();
        std::os::unix::fs::symlink(&data, root.path().join("link")).unwrap();
        for name in ["data", "data/", "data/.", "data/blobs/..", "link", "link/"] {
            assert!(same(&root.path().join(name), &data), "{name}");
        }
        assert!(!same(root.path(), &data) && !same(&root.path().join("none"), &root.path().join("none")));
        for name in ["link/blobs", "data/blobs/new/folder", "data/new/../blobs/x"] {
            assert_eq!(is_within(&root.path().join(name), &data.join("blobs")), !name.contains(".."), "{name}");
        }
        assert!(!is_within(&data, &data.join("blobs")) && !is_within(&root.path().join("new"), &data));
    }

    #[test]
    fn f65_a_folder_with_anything_but_the_mark_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let look = || look::<Backup>(folder.path()).unwrap();
        assert_eq!(look(), Found::Nothing);
        fs::write(folder.path().join("berth.db"), "x").unwrap();
        assert_eq!(look(), Found::Foreign("berth.db".into()));
        let mark = Backup { backup_of: "/data".into(), key: None, whole_at: None };
        leave(folder.path(), &mark).unwrap();
        assert_eq!(look(), Found::Marked(mark));
        forget::<Backup>(folder.path()).unwrap();
        forget::<Backup>(folder.path()).unwrap();
        assert_eq!(look(), Found::Foreign("berth.db".into()));
    }

    #[test]
    fn f65_a_file_is_replaced_and_what_a_link_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (key, link) = (folder.path().join("key"), folder.path().join("link"));
        fs::write(&key, "secret").unwrap();
        std::os::unix::fs::symlink(&key, &link).unwrap();
        put(&link, b"copy").unwrap();
        assert_eq!((fs::read(&key).unwrap(), fs::read(&link).unwrap()), (b"secret".to_vec(), b"copy".to_vec()));
    }
}

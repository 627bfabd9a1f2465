//! `berth admin backup`: copies the data of a host that may go on working, so that a host can be started from the copy.

use std::path::{Path, PathBuf};

use clap::Args;

use super::folder::{self, Found};
use berth_base::clock::Nature;
use berth_cli::{Done, Failure, Session};
use berth_store::{
    Db,
    blob::{Blobs, Copied},
};
use berth_work::config::Storage;

/// The arguments of `berth admin backup`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "For SQLite with blobs in the data folder; the host may go on working. The folder is one that\n\
    `berth serve --data-dir` can start from. Into the same folder again, only new blobs are copied. It is known by its\n\
    file berth-backup.json; every other folder in which there is anything is refused.\n\
    PostgreSQL and S3 have means of their own: the database first (pg_dump), then the bucket."
)]
pub struct Backup {
    /// The storage of the host.
    #[command(flatten)]
    pub storage: Storage,
    /// The folder for the copy: a new or empty one, or that of an earlier backup of this host
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// Copies the database with the key of its secrets, and then the blobs. In this order the copy has every blob that its
/// database names, as blobs that are not named any more are kept for longer than a backup takes.
///
/// # Errors
/// A refusal when the storage is not SQLite with blobs in the data folder, or the target is not for this backup; failures
/// of reading and writing.
pub async fn backup(args: Backup, session: &mut Session) -> Done {
    let Backup { storage, to } = args;
    super::require_data(&storage)?;
    let earlier = require_own(&storage, &to)?;
    let mut db = Db::open(&storage.db, &storage.data_dir, Nature::default()).await?;
    let blobs = Blobs::open(&storage.blobs, &storage.data_dir, &storage.cache())?;
    db.require_file()?;
    blobs.require_folder()?;
    let key = storage.seal.own_file(&storage.data_dir).filter(|key| key.exists());
    if key.is_some() {
        // A key that is lost or damaged here must not take the place of the one in the copy.
        db = db.with_keys(&storage.seal, &storage.data_dir).await?;
    }
    let mut mark = folder::Backup {
        backup_of: canonical(&storage.data_dir),
        key: key.is_some().then(|| db.seal().key_id().to_owned()),
        whole_at: None,
    };
    require_same_host(&to, earlier.as_ref(), &mark)?;
    std::fs::create_dir_all(&to).map_err(|error| Failure::file("make", &to, &error))?;
    folder::leave(&to, &mark)?;
    super::by_command(&db, "admin backup", db.copy_to(&to.join("berth.db"))).await?;
    if let Some(key) = key {
        let copy = to.join(key.file_name().unwrap_or_default());
        let bytes = std::fs::read(&key).map_err(|error| Failure::file("read", &key, &error))?;
        folder::put(&copy, &bytes).map_err(|error| Failure::file("write", &copy, &error))?;
    }
    let done = blobs.copy_to(&to).await?;
    mark.whole_at = Some(db.now().to_string());
    db.close().await;
    folder::leave(&to, &mark)?;
    let Copied { copied, kept } = done;
    session.out.done(&done, format!("{}: the database, {copied} blobs copied, {kept} were there already", to.display()))
}

fn canonical(folder: &Path) -> String {
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).display().to_string()
}

fn refused(to: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::refused("foreign-folder", format!("{} {why} Give --to a new folder of its own.", to.display()))
}

/// The mark of an earlier backup in the target. Refuses the data folder itself, what the host keeps there, and folders with
/// anything that no backup wrote.
fn require_own(storage: &Storage, to: &Path) -> Result<Option<folder::Backup>, Failure> {
    let data = &storage.data_dir;
    if folder::same(to, data) {
        return Err(refused(to, "is the data folder of the host itself, and not a place for its copy."));
    }
    let kept = [data.join("blobs"), data.join("spool"), storage.cache()];
    if let Some(kept) = kept.iter().find(|kept| folder::is_within(to, kept)) {
        return Err(refused(to, format_args!("lies in {}, where the host keeps what is its own.", kept.display())));
    }
    if folder::is_within(data, &to.join("blobs")) {
        return Err(refused(to, "would hold the data folder of the host among its blobs."));
    }
    match folder::look::<folder::Backup>(to)? {
        Found::Nothing => Ok(None),
        Found::Marked(earlier) => Ok(Some(earlier)),
        Found::Foreign(_) if to.join("berth.db").exists() || to.join("secret.key").exists() => Err(refused(
            to,
            "holds the data of a host and has no berth-backup.json: no backup wrote it, or a host started from it.",
        )),
        Found::Foreign(name) => {
            Err(refused(to, format_args!("holds {:?}, which is of no backup.", name.to_string_lossy())))
        }
    }
}

/// Refuses the backup of another host: one that has neither the data folder nor the key of this one. A host that has moved
/// keeps its key, and one that has changed its key its folder.
fn require_same_host(to: &Path, earlier: Option<&folder::Backup>, mark: &folder::Backup) -> Done {
    match earlier {
        Some(earlier) if earlier.backup_of != mark.backup_of && (earlier.key.is_none() || earlier.key != mark.key) => {
            Err(refused(to, format_args!("is a backup of {}, not of {}.", earlier.backup_of, mark.backup_of)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f65_the_backup_of_another_host_is_told_by_folder_and_key() {
        let of = |folder: &str, key: Option<&str>| folder::Backup {
            backup_of: folder.into(),
            key: key.map(Into::into),
            whole_at: None,
        };
        let table = [
            (of("/a", Some("1")), of("/a", Some("1")), true),
            (of("/a", Some("1")), of("/a", Some("2")), true), // the key was changed
            (of("/a", Some("1")), of("/b", Some("1")), true), // the host has moved
            (of("/a", Some("1")), of("/b", Some("2")), false), // another host
            (of("/a", None), of("/a", None), true),
            (of("/a", None), of("/b", None), false),
        ];
        for (earlier, now, may) in table {
            let found = require_same_host(Path::new("/to"), Some(&earlier), &now);
            assert_eq!(found.is_ok(), may, "{earlier:?} {now:?}");
        }
        assert!(require_same_host(Path::new("/to"), None, &of("/a", None)).is_ok());
    }
}

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
    PostgreSQL and S3 have means of their own: the bucket first, then the database (pg_dump), then what is new in the\n\
    bucket, and nothing is deleted from the copy of the bucket meanwhile."
)]
pub struct Backup {
    /// The storage of the host.
    #[command(flatten)]
    pub storage: Storage,
    /// The folder for the copy: a new or empty one, or that of an earlier backup of this host
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// The copy of the database until it takes the place of an earlier one.
const NEXT: &str = "berth.next.db";

/// What SQLite leaves beside a database that was not closed: of an earlier one, it would be written into the one that comes.
const LOGS: [&str; 2] = ["berth.db-wal", "berth.db-shm"];

/// Copies the blobs, then the database, and then the blobs that are new. In this order the copy has every blob that its
/// database names: it was there before, or is young and stays for longer than a backup takes, whatever is deleted meanwhile.
/// Only at the end the database takes the place of an earlier one, so that a backup that breaks off leaves that one whole.
///
/// # Errors
/// A refusal when the storage is not SQLite with blobs in the data folder, or the target is not for this backup; failures
/// of reading and writing.
pub async fn backup(args: Backup, session: &mut Session) -> Done {
    let Backup { storage, to } = args;
    require_whole(&storage.data_dir)?;
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
    let mark = folder::Backup {
        backup_of: canonical(&storage.data_dir),
        key: key.is_some().then(|| db.seal().key_id().to_owned()),
        whole_at: None,
    };
    require_same_host(&to, earlier.as_ref(), &mark)?;
    std::fs::create_dir_all(&to).map_err(|error| Failure::file("make", &to, &error))?;
    if earlier.is_none() {
        folder::leave(&to, &mark)?;
    }
    let Copied { copied, kept, .. } = blobs.copy_to(&to).await?;
    super::by_command(&db, "admin backup", db.copy_to(&to.join(NEXT))).await?;
    // The second round tells again what is damaged still.
    let Copied { copied: since, damaged, .. } = blobs.copy_to(&to).await?;
    let now = db.now().to_string();
    db.close().await;
    take_place(&to, key.as_deref(), mark, now)?;
    let done = Copied { copied: copied + since, kept, damaged };
    if !done.damaged.is_empty() {
        session.out.note(DAMAGED);
    }
    session.out.done(&done, said(&to, &done))
}

/// What to do about blobs that are damaged on the host itself. The backup has all that can be read there, so that it does
/// not fail by them: a host starts from it, and serves what is good.
const DAMAGED: &str = "WARNING: blobs of this host are damaged. Those that an earlier backup into this folder took stay in it; \
    the others are missing. Upload the same bytes again, which heals them, and back up once more.";

fn said(to: &Path, done: &Copied) -> String {
    let Copied { copied, kept, damaged } = done;
    let whole = format!("{}: the database, {copied} blobs copied, {kept} were there already", to.display());
    if damaged.is_empty() {
        return whole;
    }
    let names: Vec<_> = damaged.iter().map(|blob| blob.as_str()).collect();
    format!("{whole}, {} damaged, not copied: {}", damaged.len(), names.join(", "))
}

/// Puts the copy of the database in its place, and with it the key that opens its secrets. In between the backup is not whole.
/// Refuses when a host has started from the folder meanwhile, whose database it is now.
fn take_place(to: &Path, key: Option<&Path>, mark: folder::Backup, now: String) -> Done {
    if folder::mark::<folder::Backup>(to).is_none() {
        let _ = std::fs::remove_file(to.join(NEXT));
        return Err(refused(to, "is no backup any more: a host has started from it meanwhile."));
    }
    folder::leave(to, &mark)?;
    LOGS.iter().try_for_each(|log| folder::remove(&to.join(log)))?;
    let database = to.join("berth.db");
    std::fs::rename(to.join(NEXT), &database).map_err(|error| Failure::file("write", &database, &error))?;
    if let Some(key) = key {
        let copy = to.join(key.file_name().unwrap_or_default());
        let bytes = std::fs::read(key).map_err(|error| Failure::file("read", key, &error))?;
        folder::put(&copy, &bytes).map_err(|error| Failure::file("write", &copy, &error))?;
    }
    folder::leave(to, &folder::Backup { whole_at: Some(now), ..mark })
}

/// Refuses to start a host from a backup that is not whole, or to work on it, as it would lack its database, its key or
/// packages, and nobody would know any more.
///
/// # Errors
/// `unfinished-backup`, with what to do.
pub fn require_whole(folder: &Path) -> Done {
    if folder::mark::<folder::Backup>(folder).is_none_or(|mark| mark.whole_at.is_some()) {
        return Ok(());
    }
    let name = folder.display();
    let regardless = if folder.join("berth.db").exists() {
        " To start with what is there, whatever it lacks, delete its berth-backup.json."
    } else {
        ""
    };
    let text = format!(
        "{name} holds a backup that is still being written, or was broken off. Run `berth admin backup --to {name}` again on \
         the host that it is of, or start from another backup.{regardless}"
    );
    Err(Failure::refused("unfinished-backup", text))
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
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn f65_a_backup_takes_the_place_of_an_earlier_one_at_the_end_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let (to, key) = (root.path().join("copy"), root.path().join("secret.key"));
        std::fs::create_dir(&to).unwrap();
        std::fs::write(&key, "new key").unwrap();
        let mark = |whole_at: Option<&str>| folder::Backup {
            backup_of: "/a".into(),
            key: None,
            whole_at: whole_at.map(Into::into),
        };
        let read = |name: &str| std::fs::read_to_string(to.join(name)).unwrap_or_default();
        let files = || ["berth.db", "secret.key"].map(read);
        std::fs::write(to.join("berth.db"), "old").unwrap();
        std::fs::write(to.join(NEXT), "new").unwrap();
        // A host has started from it meanwhile.
        assert!(take_place(&to, Some(&key), mark(None), "now".into()).is_err());
        assert_eq!((files(), to.join(NEXT).exists()), (["old".into(), String::new()], false));
        // What was to come is not there: the backup is not whole, and no host starts from it.
        folder::leave(&to, &mark(Some("before"))).unwrap();
        assert!(require_whole(&to).is_ok());
        assert!(take_place(&to, Some(&key), mark(None), "now".into()).is_err() && require_whole(&to).is_err());
        std::fs::write(to.join(NEXT), "new").unwrap();
        LOGS.iter().for_each(|log| std::fs::write(to.join(log), "of the old one").unwrap());
        take_place(&to, Some(&key), mark(None), "now".into()).unwrap();
        assert_eq!(files(), ["new", "new key"]);
        assert!(!LOGS.iter().any(|log| to.join(log).exists()), "SQLite would write them into the new one");
        assert_eq!(folder::mark::<folder::Backup>(&to), Some(mark(Some("now"))));
        assert!(require_whole(&to).is_ok() && require_whole(root.path()).is_ok());
    }

    #[test]
    fn f65_f23_a_backup_says_which_blobs_it_has_not_because_they_are_damaged() {
        let done = Copied { copied: 2, kept: 1, damaged: Vec::new() };
        let whole = said(Path::new("/to"), &done);
        assert_eq!(whole, "/to: the database, 2 blobs copied, 1 were there already");
        let name = "ab".repeat(32);
        let damaged = said(Path::new("/to"), &Copied { damaged: vec![name.parse().unwrap()], ..done });
        assert_eq!(damaged, format!("{whole}, 1 damaged, not copied: {name}"));
    }

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

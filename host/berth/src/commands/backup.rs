//! `berth admin backup`: copies the data of a host that may go on working, so that a host can be started from the copy.

use std::path::PathBuf;

use clap::Args;

use berth_base::{clock::Nature, error::Error};
use berth_cli::{Done, Session};
use berth_store::{
    Db,
    blob::{Blobs, Copied},
};
use berth_work::config::Storage;

/// The arguments of `berth admin backup`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "For SQLite with blobs in the data folder; the host may go on working. The folder is one that\n\
    `berth serve --data-dir` can start from. Into the same folder again, only new blobs are copied.\n\
    PostgreSQL and S3 have means of their own: the database first (pg_dump), then the bucket."
)]
pub struct Backup {
    /// The storage of the host.
    #[command(flatten)]
    pub storage: Storage,
    /// The folder for the copy
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// Copies the database with the key of its secrets, and then the blobs. In this order the copy has every blob that its
/// database names, as blobs that are not named any more are kept for longer than a backup takes.
///
/// # Errors
/// A refusal when the storage is not SQLite with blobs in the data folder; failures of reading and writing.
pub async fn backup(args: Backup, session: &mut Session) -> Done {
    let Backup { storage, to } = args;
    super::require_data(&storage)?;
    std::fs::create_dir_all(&to).map_err(Error::internal)?;
    let db = Db::open(&storage.db, &storage.data_dir, Nature::default()).await?;
    super::by_command(&db, "admin backup", db.copy_to(&to.join("berth.db"))).await?;
    db.close().await;
    if let Some(key) = storage.seal.own_file(&storage.data_dir).filter(|key| key.exists()) {
        // With its rights: for the owner only.
        std::fs::copy(&key, to.join(key.file_name().unwrap_or_default())).map_err(Error::internal)?;
    }
    let done = Blobs::open(&storage.blobs, &storage.data_dir, &storage.cache())?.copy_to(&to).await?;
    let Copied { copied, kept } = done;
    session.out.done(&done, format!("{}: the database, {copied} blobs copied, {kept} were there already", to.display()))
}

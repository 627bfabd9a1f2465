//! A file for each day.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use berth_base::{
    error::{Code, Error, Result},
    sql::{SQLITE_BUSY, database_code, sqlite_pool},
};
use berth_model::log::{Day, DaySize};
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::statement::Writing;

/// How long to wait for the writer of a file, or for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two attempts to open a file that another host is opening for the first time.
const RETRY: Duration = Duration::from_millis(50);
/// When a connection that nobody uses is closed: days that are past are seldom read.
const IDLE: Duration = Duration::from_secs(60);
/// The file beside those of the days whose writer has the turn to write entries. Nothing is ever in it.
const TURN: &str = "turn";

/// `usage` has the column `day` so that statements are the same on both databases.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entry (
        id INTEGER PRIMARY KEY, mini_app TEXT NOT NULL, host_app TEXT NOT NULL, level INTEGER NOT NULL, at INTEGER NOT NULL,
        version TEXT NOT NULL, host_version TEXT NOT NULL, sdk_version TEXT NOT NULL, platform TEXT NOT NULL,
        os_version TEXT NOT NULL, guid TEXT NOT NULL, account TEXT, page TEXT NOT NULL, message TEXT NOT NULL,
        filter_msg TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS entry_mini_app ON entry (mini_app, id);
    CREATE TABLE IF NOT EXISTS block (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, terms BLOB NOT NULL, grams BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS usage (
        day INTEGER NOT NULL, mini_app TEXT NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (day, mini_app)
    );";

/// The files of a folder.
pub struct Files {
    folder: PathBuf,
    readers: u32,
    /// Each day has a writer of its own, and around midnight ids of two days must become visible in their order.
    turn: SqlitePool,
    open: Mutex<BTreeMap<Day, File>>,
    opening: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct File {
    write: SqlitePool,
    read: SqlitePool,
}

impl Files {
    pub fn new(folder: PathBuf, readers: u32) -> Result<Self> {
        std::fs::create_dir_all(&folder).map_err(|error| {
            let text = format!("The folder {} for logs cannot be made.", folder.display());
            Error::new(Code::Unavailable, text).caused_by(error)
        })?;
        let turn = SqliteConnectOptions::new().filename(folder.join(TURN)).create_if_missing(true);
        let turn = pool(1).connect_lazy_with(turn.busy_timeout(PATIENCE));
        Ok(Self { folder, readers, turn, open: Mutex::default(), opening: tokio::sync::Mutex::default() })
    }

    fn path(&self, day: Day) -> PathBuf {
        self.folder.join(format!("{day}.db"))
    }

    /// The days that have files, oldest first.
    pub fn list(&self) -> Result<Vec<Day>> {
        let mut days = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(Error::internal)? {
            let name = entry.map_err(Error::internal)?.file_name();
            let day: Option<Day> =
                name.to_str().and_then(|name| name.strip_suffix(".db")).and_then(|day| day.parse().ok());
            days.extend(day);
        }
        days.sort_unstable();
        Ok(days)
    }

    /// The days with the sizes of their files, oldest first.
    pub fn sizes(&self) -> Result<Vec<DaySize>> {
        let size = |day: Day| {
            let files = files_of(&self.path(day));
            let bytes = files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|file| file.len()).sum();
            DaySize { day, bytes }
        };
        Ok(self.list()?.into_iter().map(size).collect())
    }

    /// A connection for reading a day.
    pub async fn reader(&self, day: Day) -> Result<PoolConnection<Sqlite>> {
        Ok(self.file(day).await?.read.acquire().await?)
    }

    /// Whether a day has a file.
    pub fn has(&self, day: Day) -> bool {
        self.path(day).exists()
    }

    /// Waits until nobody else writes entries, on whatever day.
    pub async fn turn(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.turn.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Waits for the writer of a day, and begins.
    pub async fn begin(&self, day: Day) -> Result<Writing> {
        Ok(Writing::Sqlite(self.file(day).await?.write.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Deletes a day.
    pub async fn remove(&self, day: Day) -> Result<()> {
        let file = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
        if let Some(File { write, read }) = file {
            read.close().await;
            write.close().await;
        }
        for file in files_of(&self.path(day)) {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::internal(error)),
                _ => {}
            }
        }
        Ok(())
    }

    pub async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for File { write, read } in open.into_values() {
            read.close().await;
            write.close().await;
        }
        self.turn.close().await;
    }

    fn known(&self, day: Day) -> Option<File> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Another host may have deleted the file.
        if open.contains_key(&day) && !self.has(day) {
            open.remove(&day);
        }
        open.get(&day).cloned()
    }

    async fn file(&self, day: Day) -> Result<File> {
        if let Some(file) = self.known(day) {
            return Ok(file);
        }
        let _one_at_a_time = self.opening.lock().await;
        if let Some(file) = self.known(day) {
            return Ok(file);
        }
        let file = open(&self.path(day), self.readers).await?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(day, file.clone());
        Ok(file)
    }
}

/// The file of a database and those that SQLite keeps beside it.
fn files_of(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", path.display())))
}

fn pool(connections: u32) -> SqlitePoolOptions {
    sqlite_pool().max_connections(connections).acquire_timeout(PATIENCE).idle_timeout(IDLE)
}

/// A commit survives the end of the process. Whether it survives a power cut is left to the disk, as logs are no records.
async fn open(path: &Path, readers: u32) -> Result<File> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(PATIENCE);
    let write = loop {
        match pool(1).connect_with(options.clone()).await {
            Err(error) if database_code(&error).as_deref() == Some(SQLITE_BUSY) => tokio::time::sleep(RETRY).await,
            opened => break opened?,
        }
    };
    let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(SCHEMA).execute(&mut *tx).await?;
    tx.commit().await?;
    let read = pool(readers).connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(File { write, read })
}

//! Opening the database: which one, how durable, and in which version of the schema.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    PgPool, SqlitePool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;

use super::{Conn, Tx};
use crate::error::{Code, Error, Result};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a transaction waits for SQLite's single writer, and anybody for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database's own settings.
#[derive(Clone, Debug, clap::Args)]
pub struct DbConfig {
    /// `postgres://…` when several hosts share one database; by default SQLite in the data folder.
    #[arg(long, env = "BERTH_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Connections to PostgreSQL, and readers of SQLite.
    #[arg(long, env = "BERTH_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
}

impl Default for DbConfig {
    fn default() -> Self {
        Self { database_url: None, database_connections: 16 }
    }
}

/// Which database it is.
#[derive(Clone)]
pub enum Backend {
    /// One writer, many readers, in one file.
    Sqlite {
        /// The single writing connection.
        write: SqlitePool,
        /// Readers, each with a snapshot of its own.
        read: SqlitePool,
    },
    /// Shared by several hosts.
    Postgres(PgPool),
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    events: Arc<Notify>,
}

impl Db {
    /// Opens the database named in `config`, or `berth.db` in `data_dir`, and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or a newer Berth has migrated it already.
    pub async fn open(config: &DbConfig, data_dir: &Path) -> Result<Self> {
        let backend = match config.database_url.as_deref() {
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                open_postgres(url, config.database_connections).await?
            }
            Some(url) if url.starts_with("sqlite:") => {
                open_sqlite(SqliteConnectOptions::from_str(url).map_err(cannot_open)?, config.database_connections)
                    .await?
            }
            Some(_) => {
                return Err(Error::new(Code::BadRequest, "The database URL must start with postgres:// or sqlite:."));
            }
            None => {
                let file = SqliteConnectOptions::new().filename(data_dir.join("berth.db"));
                open_sqlite(file, config.database_connections).await?
            }
        };
        Ok(Self { backend, events: Arc::new(Notify::new()) })
    }

    /// Which database it is.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// A transaction that writes. On SQLite it is IMMEDIATE: it waits for its turn now and not in the middle.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.tx(match &self.backend {
            Backend::Sqlite { write, .. } => Conn::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Backend::Postgres(pool) => Conn::Postgres(pool.begin().await?),
        }))
    }

    /// A transaction that only reads, all of it in one snapshot.
    pub async fn read(&self) -> Result<Tx> {
        Ok(self.tx(match &self.backend {
            Backend::Sqlite { read, .. } => Conn::Sqlite(read.begin().await?),
            Backend::Postgres(pool) => {
                Conn::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        }))
    }

    fn tx(&self, conn: Conn) -> Tx {
        Tx { conn, events: Vec::new(), db: self.clone() }
    }

    /// Wakes those who wait in [`Db::events_told`].
    pub(super) fn tell_of_events(&self) {
        self.events.notify_waiters();
    }

    /// As [`Db::events_told`] without an end. It counts from now on, whenever it is awaited, so that what is committed
    /// while the caller reads is not missed.
    pub fn next_events(&self) -> impl Future<Output = ()> + use<> {
        self.events.clone().notified_owned()
    }

    /// Ends when this host has committed events, or after `at_most`, when another may have.
    pub async fn events_told(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.events.notified()).await;
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

fn cannot_open(error: sqlx::Error) -> Error {
    Error::new(Code::Unavailable, "The database cannot be opened. Look at --database-url and the data folder's rights.")
        .caused_by(error)
}

async fn open_sqlite(options: SqliteConnectOptions, readers: u32) -> Result<Backend> {
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE);
    let write = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
    let write = write.connect_with(options.clone()).await.map_err(cannot_open)?;
    MIGRATIONS.run(&write).await.map_err(cannot_migrate)?;
    let read = SqlitePoolOptions::new().max_connections(readers).acquire_timeout(PATIENCE);
    let read = read.connect_with(options.pragma("query_only", "ON")).await.map_err(cannot_open)?;
    Ok(Backend::Sqlite { write, read })
}

async fn open_postgres(url: &str, connections: u32) -> Result<Backend> {
    let options = PgConnectOptions::from_str(url).map_err(cannot_open)?;
    let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    let pool = pool.connect_with(options).await.map_err(cannot_open)?;
    MIGRATIONS.run(&pool).await.map_err(cannot_migrate)?;
    Ok(Backend::Postgres(pool))
}

fn cannot_migrate(error: sqlx::migrate::MigrateError) -> Error {
    let detail = match &error {
        sqlx::migrate::MigrateError::VersionMissing(version) => format!(
            "The database has migration {version}, which this berth does not know: a newer berth has used it. Start that one, or restore a backup."
        ),
        sqlx::migrate::MigrateError::VersionMismatch(version) => {
            format!(
                "Migration {version} of the database is not the one in this berth. Restore a backup made by this berth."
            )
        }
        _ => "The database's schema could not be brought up to date.".into(),
    };
    Error::new(Code::Unavailable, detail).caused_by(error)
}

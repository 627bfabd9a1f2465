//! Opening the database: which one, how durable, and in which version of the schema.

use std::{path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Connection, PgPool, Postgres, SqlitePool, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;
use tracing::Instrument;

use super::{Conn, SQLITE_BUSY, Tx, database_code, execute_sqlite, statement};
use crate::{
    clock::{Millis, Nature, Random},
    error::{Code, Error, Result},
    seal::{self, Seal, SealConfig},
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a transaction waits for SQLite's single writer, and anybody for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two tries to open a file that another host opens for the first time.
const RETRY: Duration = Duration::from_millis(50);

/// Statements that a connection to PostgreSQL keeps prepared. Lists and rows in them vary in number, so there are more than
/// the hundred of sqlx; each one that is not kept costs a round trip.
const STATEMENTS: usize = 256;

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

/// The database, with all that a transaction needs beside it: the time, randomness, the keys of sealed columns, and which
/// of the hosts that share the database this one is. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    events: Arc<Notify>,
    nature: Nature,
    seal: Arc<Seal>,
    host: Arc<str>,
}

impl Db {
    /// Opens the database named in `config`, or `berth.db` in `data_dir`, and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or a newer Berth has migrated it already.
    pub async fn open(config: &DbConfig, data_dir: &Path, nature: Nature) -> Result<Self> {
        let backend = Self::connect(config, data_dir).await?;
        let (events, host) = (Arc::new(Notify::new()), host_id(&*nature.random).into());
        let seal = Arc::new(Seal::passing(nature.random.clone()));
        Ok(Self { backend, events, nature, seal, host })
    }

    /// With the keys of this host; without them nothing that is sealed can be opened.
    ///
    /// # Errors
    /// `secret-sealed` when secrets are sealed in it and the key file of this host is gone; those of [`Seal::load`].
    pub async fn with_keys(self, keys: &SealConfig, data_dir: &Path) -> Result<Self> {
        seal::require_keys(&self, keys, data_dir).await?;
        let seal = Arc::new(Seal::load(keys, data_dir, self.nature.random.clone())?);
        Ok(Self { seal, ..self })
    }

    async fn connect(config: &DbConfig, data_dir: &Path) -> Result<Backend> {
        Ok(match config.database_url.as_deref() {
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
        })
    }

    /// What time it is.
    pub fn now(&self) -> Millis {
        self.nature.clock.now()
    }

    /// Where random bytes come from.
    pub fn random(&self) -> &dyn Random {
        &*self.nature.random
    }

    /// Where time and randomness come from, for who keeps them.
    pub fn nature(&self) -> &Nature {
        &self.nature
    }

    /// The keys of sealed columns.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Which of the hosts that share the database this one is: new at every start. Leases are held in its name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Which database it is.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// A transaction that writes. On SQLite it is IMMEDIATE: it waits for its turn now and not in the middle.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.tx(match &self.backend {
            Backend::Sqlite { write, .. } => {
                const BEGIN: &str = "BEGIN IMMEDIATE";
                Conn::Sqlite(statement::run(BEGIN, write.begin_with(BEGIN), |_| 0).await?)
            }
            Backend::Postgres(pool) => Conn::Postgres(begin_whole(pool, "BEGIN").await?),
        }))
    }

    /// A transaction that only reads, all of it in one snapshot.
    pub async fn read(&self) -> Result<Tx> {
        Ok(self.tx(match &self.backend {
            Backend::Sqlite { read, .. } => Conn::Sqlite(statement::run("BEGIN", read.begin(), |_| 0).await?),
            Backend::Postgres(pool) => {
                Conn::Postgres(begin_whole(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
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

    /// Writes a copy of the database, as it is at one moment, into a file; an older copy is replaced.
    ///
    /// # Errors
    /// `bad-request` for PostgreSQL, which has means of its own.
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        let Backend::Sqlite { write, .. } = &self.backend else {
            return Err(Error::new(Code::BadRequest, "The database is PostgreSQL. Back it up with pg_dump."));
        };
        let part = file.with_extension("part");
        let _ = std::fs::remove_file(&part); // of a backup that broke off; SQLite refuses a file that is there
        execute_sqlite!(write, "VACUUM INTO $1", part.to_string_lossy())?;
        let synced = std::fs::File::open(&part).and_then(|part| part.sync_all());
        synced.and_then(|()| std::fs::rename(&part, file)).map_err(Error::internal)
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

/// 16 hexadecimal characters.
fn host_id(random: &dyn Random) -> String {
    let mut bytes = [0u8; 8];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// Begins to the end, also when the caller goes away meanwhile, as a request does whose client leaves. sqlx 0.9 would put
/// a connection back into the pool inside the transaction that it had asked for: the next one to use it would write
/// into somebody's snapshot, or be told that it may only read.
async fn begin_whole(pool: &PgPool, text: &'static str) -> Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    let begun = async move { statement::run(text, pool.begin_with(text), |_| 0).await };
    let begun = tokio::spawn(begun.in_current_span()).await;
    Ok(begun.map_err(Error::internal)??)
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
    let write = open_file(&options).await?;
    migrate_sqlite(&write).await?;
    let read = sqlite_pool(readers);
    let read = read.connect_with(options.pragma("query_only", "ON")).await.map_err(cannot_open)?;
    Ok(Backend::Sqlite { write, read })
}

/// A connection whose COMMIT failed, on a full disk say, is left by SQLite without a transaction and by sqlx with one:
/// from then on it could begin none. Such a connection is closed, and the pool opens another (F55).
fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    let options = SqlitePoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    options.after_release(|connection, _| {
        Box::pin(async move {
            connection.ping().await?; // a rollback that waits is done before it
            Ok(!connection.is_in_transaction())
        })
    })
}

/// The writer. Switching a new file to WAL does not wait for another host that does so at the same moment, whatever the
/// timeout; so it is tried again.
async fn open_file(options: &SqliteConnectOptions) -> Result<SqlitePool> {
    let mut waited = Duration::ZERO;
    loop {
        match sqlite_pool(1).connect_with(options.clone()).await {
            Err(error) if database_code(&error).as_deref() == Some(SQLITE_BUSY) && waited < PATIENCE => {
                tokio::time::sleep(RETRY).await;
                waited += RETRY;
            }
            opened => return opened.map_err(cannot_open),
        }
    }
}

/// All in one transaction that holds the writer: of two processes that start at once, one finds it done. (On PostgreSQL
/// sqlx holds a lock for that.)
async fn migrate_sqlite(write: &SqlitePool) -> Result<()> {
    let mut tx = write.begin_with("BEGIN IMMEDIATE").await.map_err(cannot_open)?;
    MIGRATIONS.run(&mut *tx).await.map_err(cannot_migrate)?;
    tx.commit().await.map_err(cannot_open)
}

async fn open_postgres(url: &str, connections: u32) -> Result<Backend> {
    let options = PgConnectOptions::from_str(url).map_err(cannot_open)?.statement_cache_capacity(STATEMENTS);
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use crate::{store::execute, testing};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn f60_a_caller_who_goes_away_while_a_transaction_begins_leaves_none_behind() {
        let host = testing::host().await;
        let db = &host.app.db;
        for patience in 0..300 {
            let leave = async {
                for _ in 0..patience {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                begun = db.read() => drop(begun.unwrap()),
                () = leave => {}
            }
        }
        for _ in 0..40 {
            let mut tx = db.begin().await.unwrap();
            execute!(tx, "UPDATE event_head SET last = last").unwrap();
            tx.commit().await.unwrap();
        }
    }
}

//! Opens the database and brings its schema up to date.

use std::{
    path::Path,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, PgPool, Postgres, SqlitePool, Transaction,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;
use tracing::Instrument;

use berth_base::sql::{SQLITE_BUSY, database_code, postgres_pool, sqlite_pool};

use super::{Conn, Tx, execute_sqlite};
use crate::statement;
use berth_base::{
    clock::{Millis, Nature, Random},
    error::{Code, Error, Result},
};

use crate::{
    holder::Looks,
    seal::{self, Seal, SealConfig},
};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long to wait for the single writer of SQLite, or for a free connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where sqlx notes which migrations a database has had.
const MIGRATED: &str = "_sqlx_migrations";

/// How long a migration takes that is told of.
const SLOW: Duration = Duration::from_secs(1);

/// The pause between two attempts to open a file that another host is opening for the first time.
const RETRY: Duration = Duration::from_millis(50);

/// How many prepared statements a connection to PostgreSQL keeps. There are more than the hundred that sqlx keeps by
/// default, because lists and rows in them vary in number; each statement that is not kept costs a round trip.
const STATEMENTS: usize = 256;

/// What each connection to PostgreSQL begins with. Every statement has an index for each table that grows, which a test demands.
/// PostgreSQL keeps the plan of a statement, and one that it made when a table was small goes through all of it until the next
/// `ANALYZE`, a minute later: on a new installation messages came in at a twentieth of the speed. As what it is told not to do
/// seems dear to it where nothing else can be done, it would also compile such statements.
const SETTINGS: &str = "SET enable_seqscan = off; SET jit = off";

/// Settings of the database.
#[derive(Clone, Debug, clap::Args)]
pub struct DbConfig {
    /// URL of a PostgreSQL database, `postgres://…`, which several hosts may share; SQLite in the data folder when not
    /// given.
    #[arg(long, env = "BERTH_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Number of connections to PostgreSQL, or of reading connections to SQLite.
    #[arg(long, env = "BERTH_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
}

impl Default for DbConfig {
    fn default() -> Self {
        Self { database_url: None, database_connections: 16 }
    }
}

/// The database that is in use.
#[derive(Clone)]
pub enum Backend {
    /// SQLite: one file with one writer and many readers.
    Sqlite {
        /// A pool with the single writing connection.
        write: SqlitePool,
        /// A pool of reading connections, each with a snapshot of its own.
        read: SqlitePool,
    },
    /// PostgreSQL, which several hosts may share.
    Postgres(PgPool),
}

/// The database, with everything else that transactions need: time, randomness, the keys of sealed columns, and the id
/// of this host. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    events: Arc<Notify>,
    nature: Nature,
    seal: Arc<Seal>,
    host: Arc<str>,
    pub(crate) looks: Arc<Looks>,
}

impl Db {
    /// Opens the database that `config` names, or `berth.db` in `data_dir`, and brings its schema up to date. Sealed
    /// secrets cannot be opened before [`Db::with_keys`].
    ///
    /// # Errors
    /// `bad-request` for a URL of another database; `unavailable` when the database cannot be opened, or a newer Berth
    /// has migrated it.
    pub async fn open(config: &DbConfig, data_dir: &Path, nature: Nature) -> Result<Self> {
        let backend = Self::connect(config, data_dir).await?;
        let (events, host) = (Arc::new(Notify::new()), host_id(&*nature.random).into());
        let seal = Arc::new(Seal::passing(nature.random.clone()));
        Ok(Self { backend, events, nature, seal, host, looks: Arc::default() })
    }

    /// Adds the keys of this host, without which sealed secrets cannot be opened.
    ///
    /// # Errors
    /// `secret-sealed` when the database has sealed secrets and this host has lost its key file; otherwise as for
    /// [`Seal::load`].
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

    /// The present time.
    pub fn now(&self) -> Millis {
        self.nature.clock.now()
    }

    /// The source of random bytes.
    pub fn random(&self) -> &dyn Random {
        &*self.nature.random
    }

    /// The clock and the source of random bytes, for those who keep them.
    pub fn nature(&self) -> &Nature {
        &self.nature
    }

    /// The keys with which secrets in the database are sealed.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Id of this host, new at every start. Leases are taken in its name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The database that is in use.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Begins a transaction that writes. On SQLite it is IMMEDIATE: it waits for the single writer now and not at the
    /// first write.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(self.tx(match &self.backend {
            Backend::Sqlite { write, .. } => {
                const BEGIN: &str = "BEGIN IMMEDIATE";
                Conn::Sqlite(statement::run(BEGIN, write.begin_with(BEGIN), |_| 0).await?)
            }
            Backend::Postgres(pool) => Conn::Postgres(begin_whole(pool, "BEGIN").await?),
        }))
    }

    /// Begins a transaction that only reads, all of it from one snapshot.
    pub async fn read(&self) -> Result<Tx> {
        Ok(self.tx(match &self.backend {
            Backend::Sqlite { read, .. } => Conn::Sqlite(statement::run("BEGIN", read.begin(), |_| 0).await?),
            Backend::Postgres(pool) => {
                Conn::Postgres(begin_whole(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        }))
    }

    fn tx(&self, conn: Conn) -> Tx {
        Tx { conn, events: Vec::new(), moment: OnceLock::new(), db: self.clone() }
    }

    /// Wakes the tasks that wait in [`Db::events_told`] and [`Db::next_events`].
    pub(crate) fn tell_of_events(&self) {
        self.events.notify_waiters();
    }

    /// Waits until this host commits events. What is committed after this call counts, even before the future is
    /// awaited, so that a caller who reads in between misses nothing.
    pub fn next_events(&self) -> impl Future<Output = ()> + use<> {
        self.events.clone().notified_owned()
    }

    /// Waits until this host commits events, at most for `at_most`, after which another host may have committed some.
    pub async fn events_told(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.events.notified()).await;
    }

    /// Writes a copy of the database as of one moment into a file, in place of an older copy.
    ///
    /// # Errors
    /// `bad-request` for PostgreSQL, which has backup tools of its own.
    pub async fn copy_to(&self, file: &Path) -> Result<()> {
        let write = self.file()?;
        let part = file.with_extension("part");
        let _ = std::fs::remove_file(&part); // of a backup that broke off; SQLite refuses a file that is there
        execute_sqlite!(write, "VACUUM INTO $1", part.to_string_lossy())?;
        let synced = std::fs::File::open(&part).and_then(|part| part.sync_all());
        synced.and_then(|()| std::fs::rename(&part, file)).map_err(Error::internal)
    }

    /// Refuses when the database is not a file, which alone can be copied.
    ///
    /// # Errors
    /// `bad-request`, with what to do instead.
    pub fn require_file(&self) -> Result<()> {
        self.file().map(|_| ())
    }

    /// The connection that writes the file of the database.
    fn file(&self) -> Result<&SqlitePool> {
        match &self.backend {
            Backend::Sqlite { write, .. } => Ok(write),
            Backend::Postgres(_) => {
                Err(Error::new(Code::BadRequest, "The database is PostgreSQL. Back it up with pg_dump."))
            }
        }
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

/// A random id of 16 hexadecimal characters.
fn host_id(random: &dyn Random) -> String {
    let mut bytes = [0u8; 8];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// Begins a transaction even when the caller is dropped in the meantime, as happens to a request whose client leaves.
/// Otherwise sqlx 0.9 would return a connection to the pool inside of the transaction, and its next user would write
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
    migrate_sqlite(&options).await?;
    let read = pool(readers).connect_with(options.pragma("query_only", "ON")).await.map_err(cannot_open)?;
    Ok(Backend::Sqlite { write, read })
}

fn pool(connections: u32) -> SqlitePoolOptions {
    sqlite_pool().max_connections(connections).acquire_timeout(PATIENCE)
}

/// Opens the writing connection. It is tried again when another host opens the new file at the same moment, because the
/// switch to WAL does not wait, whatever the timeout.
async fn open_file(options: &SqliteConnectOptions) -> Result<SqlitePool> {
    let mut waited = Duration::ZERO;
    loop {
        match pool(1).connect_with(options.clone()).await {
            Err(error) if database_code(&error).as_deref() == Some(SQLITE_BUSY) && waited < PATIENCE => {
                tokio::time::sleep(RETRY).await;
                waited += RETRY;
            }
            opened => return opened.map_err(cannot_open),
        }
    }
}

/// Runs all migrations on a connection that logs no statements, as a migration is one of many lines; those that take long are logged
/// by number and name.
macro_rules! migrate {
    ($connection:expr) => {
        for (number, name) in pending($connection).await.map_err(cannot_migrate)? {
            let begun = Instant::now();
            MIGRATIONS.run_to(number, $connection).await.map_err(cannot_migrate)?;
            tell_if_slow(number, name, begun.elapsed());
        }
        MIGRATIONS.run($connection).await.map_err(cannot_migrate)?;
    };
}

/// The migrations that the database has not had, by number, with their names.
async fn pending(connection: &mut impl Migrate) -> std::result::Result<Vec<(i64, &'static str)>, MigrateError> {
    connection.lock().await?;
    connection.ensure_migrations_table(MIGRATED).await?;
    let had = connection.list_applied_migrations(MIGRATED).await?;
    connection.unlock().await?;
    let is_new = |number: i64| had.iter().all(|one| one.version != number);
    Ok(MIGRATIONS.iter().filter(|one| is_new(one.version)).map(|one| (one.version, &*one.description)).collect())
}

fn tell_if_slow(number: i64, name: &str, took: Duration) {
    if took >= SLOW {
        tracing::info!(number, name, milliseconds = took.as_millis() as u64, "a migration of the database took long");
    }
}

/// Runs all migrations in one transaction that holds the writer, so that of two processes that start at once one finds
/// them done. (On PostgreSQL sqlx takes a lock for this.)
async fn migrate_sqlite(options: &SqliteConnectOptions) -> Result<()> {
    let quiet = options.clone().disable_statement_logging();
    let mut connection = quiet.connect().await.map_err(cannot_open)?;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(cannot_open)?;
    migrate!(&mut *tx);
    tx.commit().await.map_err(cannot_open)?;
    connection.close().await.map_err(cannot_open)
}

async fn migrate_postgres(options: &PgConnectOptions) -> Result<()> {
    let quiet = options.clone().disable_statement_logging();
    let opened = tokio::time::timeout(PATIENCE, quiet.connect()).await;
    let mut connection = opened.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(cannot_open)?;
    migrate!(&mut connection);
    connection.close().await.map_err(cannot_open)
}

async fn open_postgres(url: &str, connections: u32) -> Result<Backend> {
    let options = PgConnectOptions::from_str(url).map_err(cannot_open)?.statement_cache_capacity(STATEMENTS);
    migrate_postgres(&options).await?;
    let pool = postgres_pool(&options, SETTINGS).max_connections(connections).acquire_timeout(PATIENCE);
    let pool = pool.connect_with(options).await.map_err(cannot_open)?;
    Ok(Backend::Postgres(pool))
}

fn cannot_migrate(error: MigrateError) -> Error {
    let detail = match &error {
        MigrateError::VersionMissing(version) => format!(
            "The database has migration {version}, which this berth does not know: a newer berth has used it. Start that one, or restore a backup."
        ),
        MigrateError::VersionMismatch(version) => {
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
    use super::*;
    use crate::{execute, testing};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn f60_a_caller_who_goes_away_while_a_transaction_begins_leaves_none_behind() {
        let fresh = testing::fresh().await;
        let db = &fresh.db;
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

    #[tokio::test]
    async fn a_plan_of_postgres_that_is_made_while_a_table_is_small_must_use_its_index() {
        let fresh = testing::fresh().await;
        if matches!(fresh.db.backend(), Backend::Postgres(_)) {
            let told = "SELECT COUNT(*) FROM pg_settings
                        WHERE name IN ('enable_seqscan', 'jit') AND setting = 'off' AND source = 'session'";
            assert_eq!(testing::number(&fresh.db, told).await, 2);
        }
    }
}

//! Partitions for each day, in a schema of their own.

use std::{
    collections::BTreeSet,
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use berth_base::{
    error::{Code, Error, Result},
    sql::postgres_pool,
};
use berth_model::log::{Day, DaySize};
use sqlx::{AssertSqlSafe, PgPool, Postgres, pool::PoolConnection, postgres::PgConnectOptions};

use super::statement::Writing;

/// How long to wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who writes, or changes tables, holds this lock to the end of the transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7161001)";

const SCHEMA: &str = "
    CREATE SCHEMA IF NOT EXISTS berth_logs;
    CREATE TABLE IF NOT EXISTS berth_logs.entry (
        id BIGINT PRIMARY KEY, mini_app TEXT NOT NULL, host_app TEXT NOT NULL, level SMALLINT NOT NULL, at BIGINT NOT NULL,
        version TEXT NOT NULL, host_version TEXT NOT NULL, sdk_version TEXT NOT NULL, platform TEXT NOT NULL,
        os_version TEXT NOT NULL, guid TEXT NOT NULL, account TEXT, page TEXT NOT NULL, message TEXT NOT NULL,
        filter_msg TEXT NOT NULL
    ) PARTITION BY RANGE (id);
    CREATE INDEX IF NOT EXISTS entry_mini_app ON berth_logs.entry (mini_app, id);
    CREATE TABLE IF NOT EXISTS berth_logs.block (
        first BIGINT PRIMARY KEY, last BIGINT NOT NULL, terms BYTEA NOT NULL, grams BYTEA NOT NULL
    ) PARTITION BY RANGE (first);
    ALTER TABLE berth_logs.block ALTER COLUMN terms SET STORAGE EXTERNAL, ALTER COLUMN grams SET STORAGE EXTERNAL;
    CREATE TABLE IF NOT EXISTS berth_logs.usage (
        day BIGINT NOT NULL, mini_app TEXT NOT NULL, entries BIGINT NOT NULL, bytes BIGINT NOT NULL,
        PRIMARY KEY (day, mini_app)
    );
    CREATE TABLE IF NOT EXISTS berth_logs.day (day BIGINT PRIMARY KEY);";

/// The tables of a database.
pub struct Tables {
    pool: PgPool,
    /// The days whose partitions are there.
    made: Mutex<BTreeSet<Day>>,
}

impl Tables {
    pub async fn open(url: &str, connections: u32) -> Result<Self> {
        let cannot = |error: sqlx::Error| {
            let text = "The log store cannot be opened. Look at --log-url, or --database-url.";
            Error::new(Code::Unavailable, text).caused_by(error)
        };
        let options = PgConnectOptions::from_str(url).map_err(cannot)?.options([("search_path", "berth_logs")]);
        // One more for the writer, which readers must not hold up.
        let pool = postgres_pool(&options, "").max_connections(connections + 1).acquire_timeout(PATIENCE);
        let pool = pool.connect_with(options).await.map_err(cannot)?;
        let mut tx = pool.begin().await.map_err(cannot)?;
        sqlx::query(LOCK).execute(&mut *tx).await.map_err(cannot)?;
        sqlx::raw_sql(SCHEMA).execute(&mut *tx).await.map_err(cannot)?;
        tx.commit().await.map_err(cannot)?;
        Ok(Self { pool, made: Mutex::default() })
    }

    /// The days that have partitions, oldest first.
    pub async fn list(&self) -> Result<Vec<Day>> {
        let days: Vec<i64> = sqlx::query_scalar("SELECT day FROM day ORDER BY day").fetch_all(&self.pool).await?;
        Ok(days.into_iter().map(Day).collect())
    }

    /// The days with the sizes of their partitions, oldest first.
    pub async fn sizes(&self) -> Result<Vec<DaySize>> {
        let mut sizes = Vec::new();
        for day in self.list().await? {
            let size = "SELECT COALESCE(pg_total_relation_size(to_regclass($1)), 0)
                + COALESCE(pg_total_relation_size(to_regclass($2)), 0)";
            let size = sqlx::query_scalar::<_, i64>(size).bind(table("entry", day)).bind(table("block", day));
            sizes.push(DaySize { day, bytes: size.fetch_one(&self.pool).await?.unsigned_abs() });
        }
        Ok(sizes)
    }

    /// A connection for reading.
    pub async fn reader(&self) -> Result<PoolConnection<Postgres>> {
        Ok(self.pool.acquire().await?)
    }

    /// Waits until nobody else writes, and begins, on a day that is there.
    pub async fn begin(&self, day: Day) -> Result<Writing> {
        self.make(day).await?;
        self.turn().await
    }

    /// Waits until nobody else writes, and begins, on whatever day.
    pub async fn turn(&self) -> Result<Writing> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(LOCK).execute(&mut *tx).await?;
        Ok(Writing::Postgres(tx))
    }

    /// Whether the partitions of a day are there.
    pub fn are_made(&self, day: Day) -> bool {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).contains(&day)
    }

    /// Makes the partitions of a day, once.
    pub async fn make(&self, day: Day) -> Result<()> {
        if self.are_made(day) {
            return Ok(());
        }
        let mut tx = self.pool.begin().await?;
        sqlx::query(LOCK).execute(&mut *tx).await?;
        for name in ["entry", "block"] {
            let (own, from, to) = (table(name, day), day.first().0, day.end().0);
            let text =
                format!("CREATE TABLE IF NOT EXISTS {own} PARTITION OF {name} FOR VALUES FROM ({from}) TO ({to})");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *tx).await?;
        }
        sqlx::query("INSERT INTO day (day) VALUES ($1) ON CONFLICT (day) DO NOTHING")
            .bind(day.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
        Ok(())
    }

    /// Drops the partitions of a day. A reader that is at it is waited for only shortly, as all others wait behind.
    pub async fn remove(&self, day: Day) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("SET LOCAL lock_timeout = '2s'").execute(&mut *tx).await?;
        sqlx::query(LOCK).execute(&mut *tx).await?;
        for name in ["entry", "block"] {
            let text = format!("DROP TABLE IF EXISTS {}", table(name, day));
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *tx).await?;
        }
        sqlx::query("DELETE FROM usage WHERE day = $1").bind(day.0).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM day WHERE day = $1").bind(day.0).execute(&mut *tx).await?;
        tx.commit().await?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
        Ok(())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn table(name: &str, day: Day) -> String {
    format!("{name}_{}", day.to_string().replace('-', ""))
}

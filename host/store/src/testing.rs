//! Databases for tests: a temporary file, or a database of its own in the PostgreSQL server that `BERTH_TEST_POSTGRES`
//! names.

#![allow(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]

use std::sync::Arc;

use berth_base::clock::{ManualClock, Nature, SystemRandom};
use berth_model::testing::DAWN;
use tempfile::TempDir;

use crate::{Backend, Db, DbConfig};

/// The settings of a database that nobody else uses: a file of the host's folder, or one in PostgreSQL, if there is one.
pub async fn database() -> DbConfig {
    let mut config = DbConfig::default();
    if let Ok(server) = std::env::var("BERTH_TEST_POSTGRES") {
        config.database_url = Some(berth_test_database::create(&server).await);
    }
    config
}

/// An empty database whose clock stands still at [`DAWN`].
pub struct Fresh {
    /// The database.
    pub db: Db,
    /// Where its file is, if it has one; gone with it.
    pub folder: TempDir,
}

/// Opens an empty database.
pub async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let nature = Nature { clock: Arc::new(ManualClock::new(DAWN)), random: Arc::new(SystemRandom) };
    let db = Db::open(&database().await, folder.path(), nature).await.unwrap();
    Fresh { db, folder }
}

/// Runs a statement that no operation would run, behind the back of the host.
pub async fn run(db: &Db, sql: &'static str) {
    match db.backend() {
        Backend::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.unwrap()),
        Backend::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
    }
}

/// The number that a query answers.
pub async fn number(db: &Db, sql: &'static str) -> i64 {
    match db.backend() {
        Backend::Sqlite { write, .. } => sqlx::query_scalar(sql).fetch_one(write).await.unwrap(),
        Backend::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    }
}

//! Connections to either database, and the macro that runs a statement on whichever it is.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
};
use berth_model::log::{Level, LogEntry, LogId};
use sqlx::{Postgres, Sqlite, Transaction, pool::PoolConnection};

/// A connection for reading.
pub enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction of whoever writes at present. If it is dropped without [`Writing::commit`], it changes nothing.
pub enum Writing {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Writing {
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// Evaluates `$work` for a connection, whichever database it is to; `$driver` is there the type of it.
macro_rules! on {
    ($kind:ident, $it:expr, |$connection:ident: $driver:ident| $work:expr) => {
        match $it {
            $kind::Sqlite($connection) => {
                type $driver = sqlx::Sqlite;
                $work
            }
            $kind::Postgres($connection) => {
                type $driver = sqlx::Postgres;
                $work
            }
        }
    };
}
pub(super) use on;

/// A row of the table `entry`.
#[derive(sqlx::FromRow)]
pub struct Row {
    pub id: i64,
    mini_app: String,
    host_app: String,
    level: i16,
    at: i64,
    version: String,
    host_version: String,
    sdk_version: String,
    platform: String,
    os_version: String,
    guid: String,
    account: Option<String>,
    page: String,
    pub message: String,
    pub filter_msg: String,
}

impl TryFrom<Row> for LogEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let id = LogId(row.id);
        Ok(Self {
            id,
            received_at: id.received_at(),
            at: Millis(row.at),
            level: Level::of_rank(row.level),
            mini_app: row.mini_app.parse()?,
            version: row.version,
            page: row.page,
            message: row.message,
            filter_msg: row.filter_msg,
            host_app: row.host_app.parse()?,
            host_version: row.host_version,
            sdk_version: row.sdk_version,
            platform: row.platform,
            os_version: row.os_version,
            guid: row.guid,
            account: row.account,
        })
    }
}

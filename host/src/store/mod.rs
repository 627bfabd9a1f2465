//! The only SQL. One text for SQLite and PostgreSQL: a transaction is an enum of two arms, and the macros below
//! run the same statement on either.
//!
//! A change and the events that tell of it share a transaction: [`Tx::tell`] collects events, and [`Tx::commit`]
//! writes them last, holding the one row that numbers them. So the sequence has no gaps, and it is the order in
//! which changes became visible.

mod access;
mod admission;
mod audit;
mod backlog;
mod blob;
mod cohort;
mod connect;
mod delivery;
mod endpoint;
mod event;
mod gray_task;
mod host_app;
mod idempotency;
mod index;
mod mini_app;
mod policy;
mod sealed;
mod version;
mod webhook;
mod wechat;

use sqlx::{Postgres, Sqlite, Transaction};

pub use backlog::Backlog;
pub use connect::{Backend, Db, DbConfig};
pub use delivery::{Claimed, ClaimedRow, ToldRow, WaitingRow};
pub use event::{EventAge, EventRow, NewEvent};
pub use index::{IndexedApp, IndexedTrial, IndexedVersion, Span};
pub use sealed::{SEALED, SealedColumn};
pub use webhook::{WebhookRow, WebhookSecretRow};

use serde::Serialize;

use crate::{
    clock::{Millis, Random},
    error::{Code, Error, Result},
    event::Kind,
    ids::EventId,
    seal::Seal,
};

/// The transaction of one of the two databases.
enum Conn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction. Dropped without [`Tx::commit`], it changes nothing.
pub struct Tx {
    conn: Conn,
    events: Vec<NewEvent>,
    db: Db,
}

/// Runs a statement, answers the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match &mut $tx.conn {
            $crate::store::Conn::Sqlite(c) =>
                sqlx::query($sql)$(.bind($arg))*.execute(&mut **c).await.map(|done| done.rows_affected()),
            $crate::store::Conn::Postgres(c) =>
                sqlx::query($sql)$(.bind($arg))*.execute(&mut **c).await.map(|done| done.rows_affected()),
        }
    };
}

/// Runs a query whose rows have the type `$row`; `$fetch` is `fetch_one`, `fetch_optional` or `fetch_all`.
macro_rules! fetch {
    ($tx:expr, $fetch:ident, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match &mut $tx.conn {
            $crate::store::Conn::Sqlite(c) =>
                sqlx::query_as::<_, $row>($sql)$(.bind($arg))*.$fetch(&mut **c).await,
            $crate::store::Conn::Postgres(c) =>
                sqlx::query_as::<_, $row>($sql)$(.bind($arg))*.$fetch(&mut **c).await,
        }
    };
}

/// As [`execute!`], for a statement that is put together: the block pushes its parts onto the query.
macro_rules! execute_built {
    ($tx:expr, |$query:ident| $build:block) => {
        match &mut $tx.conn {
            $crate::store::Conn::Sqlite(c) => {
                let mut $query = sqlx::QueryBuilder::<sqlx::Sqlite>::default();
                $build
                $query.build().execute(&mut **c).await.map(|done| done.rows_affected())
            }
            $crate::store::Conn::Postgres(c) => {
                let mut $query = sqlx::QueryBuilder::<sqlx::Postgres>::default();
                $build
                $query.build().execute(&mut **c).await.map(|done| done.rows_affected())
            }
        }
    };
}

/// As [`fetch!`] of all rows, for a statement that is put together: the block pushes its parts onto the query.
macro_rules! fetch_built {
    ($tx:expr, $row:ty, |$query:ident| $build:block) => {
        match &mut $tx.conn {
            $crate::store::Conn::Sqlite(c) => {
                let mut $query = sqlx::QueryBuilder::<sqlx::Sqlite>::default();
                $build
                $query.build_query_as::<$row>().fetch_all(&mut **c).await
            }
            $crate::store::Conn::Postgres(c) => {
                let mut $query = sqlx::QueryBuilder::<sqlx::Postgres>::default();
                $build
                $query.build_query_as::<$row>().fetch_all(&mut **c).await
            }
        }
    };
}

/// Pushes a condition on `$value`, when there is one.
macro_rules! push_if {
    ($query:ident, $value:expr, $before:expr, $after:expr) => {
        if let Some(value) = $value {
            $query.push($before).push_bind(value).push($after);
        }
    };
}

use execute;
use execute_built;
use fetch;
use fetch_built;
use push_if;

impl Tx {
    /// Tells of a change made in this transaction: what happened to `subject`, done by `actor`.
    pub fn tell<T: Serialize>(
        &mut self,
        kind: Kind<T>,
        subject: &impl ToString,
        actor: &str,
        data: &T,
    ) -> &mut NewEvent {
        let now = self.now();
        let id = EventId::generate(now, self.random());
        self.events.push_mut(NewEvent::new(id, now, kind, subject.to_string(), actor.to_owned(), data))
    }

    /// What time it is.
    pub fn now(&self) -> Millis {
        self.db.now()
    }

    /// Where random bytes come from.
    pub fn random(&self) -> &dyn Random {
        self.db.random()
    }

    /// Which of the hosts that share the database this one is.
    pub fn host(&self) -> &str {
        self.db.host()
    }

    /// The keys of sealed columns.
    pub fn seal(&self) -> &Seal {
        self.db.seal()
    }

    /// Makes the changes and their events visible, durably, both or neither.
    pub async fn commit(mut self) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        let told = !events.is_empty();
        if told {
            self.write_events(events).await?;
        }
        match self.conn {
            Conn::Sqlite(c) => c.commit().await?,
            Conn::Postgres(c) => c.commit().await?,
        }
        if told {
            self.db.tell_of_events();
        }
        Ok(())
    }
}

/// Whether the statement broke a unique index: the caller lost a race, or repeats itself.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// SQLite's primary result code, PostgreSQL's SQLSTATE.
fn database_code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?.into_owned();
    let primary = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|extended| (extended & 0xff).to_string());
    Some(primary.unwrap_or(code))
}

const SQLITE_BUSY: &str = "5";
const SQLITE_READONLY: &str = "8";
const SQLITE_IOERR: &str = "10";
const SQLITE_FULL: &str = "13";
const POSTGRES_DISK_FULL: &str = "53100";
/// Connection lost, transaction lost a race, no resources, server going down.
const POSTGRES_PASSING: [&str; 4] = ["08", "40", "53", "57P"];
/// A text with NUL, in TEXT and in JSONB.
const POSTGRES_NUL: [&str; 2] = ["22021", "22P05"];
const POSTGRES_READ_ONLY: &str = "25006";

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let unavailable = "The database cannot be reached or is busy. Try again in a moment.";
        let refusal = match (&error, database_code(&error).as_deref()) {
            (_, Some(SQLITE_FULL | POSTGRES_DISK_FULL)) => Error::new(
                Code::StorageFull,
                "The database has no room left. Reading goes on; make room and try again.",
            ),
            (_, Some(SQLITE_READONLY | POSTGRES_READ_ONLY)) => {
                Error::new(Code::Unavailable, "The database is read-only. Reading goes on.")
            }
            (_, Some(SQLITE_BUSY | SQLITE_IOERR)) => Error::new(Code::Unavailable, unavailable),
            (_, Some(code)) if POSTGRES_NUL.contains(&code) => {
                let detail = "A text of the request holds the character NUL (U+0000), which cannot be stored.";
                return Error::new(Code::InvalidField, detail).caused_by(error);
            }
            (_, Some(code)) if POSTGRES_PASSING.iter().any(|class| code.starts_with(class)) => {
                Error::new(Code::Unavailable, unavailable)
            }
            (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_), _) => {
                Error::new(Code::Unavailable, unavailable)
            }
            _ => return Error::internal(error),
        };
        refusal.with("retry_after_seconds", 1).caused_by(error)
    }
}

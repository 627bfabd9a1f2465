//! What errors of the database mean to a caller, and what its connections need.

mod postgres;
mod sqlite;

pub use postgres::postgres_pool;
pub use sqlite::sqlite_pool;

use sqlx::{Database, Decode, Encode, Type, encode::IsNull, error::BoxDynError};

use crate::error::{Code, Error};

/// A number that cannot be negative, in a column, where numbers are signed. Reading a negative one fails: sqlx names the
/// column, this the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl From<Count> for u64 {
    fn from(count: Count) -> Self {
        count.0
    }
}

impl<DB: Database> Type<DB> for Count
where
    i64: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <i64 as Type<DB>>::type_info()
    }

    fn compatible(info: &DB::TypeInfo) -> bool {
        <i64 as Type<DB>>::compatible(info)
    }
}

impl<'q, DB: Database> Encode<'q, DB> for Count
where
    i64: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'q, DB>>::encode(i64::try_from(self.0)?, buffer)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for Count
where
    i64: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let number = <i64 as Decode<'r, DB>>::decode(value)?;
        Ok(Self(u64::try_from(number).map_err(|_| format!("{number} is negative"))?))
    }
}

/// Whether the statement violated a unique index, because the caller lost a race or repeats itself.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// As [`is_unique_violation`], for an error that a statement became.
pub fn was_unique_violation(error: &Error) -> bool {
    error.source.as_ref().and_then(|source| source.downcast_ref::<sqlx::Error>()).is_some_and(is_unique_violation)
}

/// SQLite's primary result code or PostgreSQL's SQLSTATE; `None` when the error is not one of the database's.
pub fn database_code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?.into_owned();
    let primary = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|extended| (extended & 0xff).to_string());
    Some(primary.unwrap_or(code))
}

/// SQLite's code for a database to which somebody else is writing.
pub const SQLITE_BUSY: &str = "5";
const SQLITE_READONLY: &str = "8";
const SQLITE_IOERR: &str = "10";
const SQLITE_FULL: &str = "13";
const POSTGRES_DISK_FULL: &str = "53100";
/// The beginnings of SQLSTATEs of errors that pass: connection lost, transaction lost a race, no resources, server
/// shutting down.
const POSTGRES_PASSING: [&str; 4] = ["08", "40", "53", "57P"];
/// The SQLSTATEs for a text that contains NUL, in TEXT and in JSONB columns.
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

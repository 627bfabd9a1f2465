//! Connections to either database, and the macro that runs a statement on whichever it is.

use berth_base::error::Result;
use sqlx::{Postgres, Sqlite, Transaction, pool::PoolConnection};

/// The last id that stands in a block, among blocks that begin from one id on and below another. The newest block has it, as blocks follow
/// one another. To compare them would read all that they note.
pub const SEALED: &str = "SELECT last FROM block WHERE first >= $1 AND first < $2 ORDER BY first DESC LIMIT 1";

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

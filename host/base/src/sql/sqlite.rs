//! Connections to SQLite that can be used again.

use sqlx::{Connection, sqlite::SqlitePoolOptions};

/// A pool that closes unusable connections and opens others (F55): when a COMMIT fails, for example because the disk is full, sqlx believes
/// to be in a transaction that SQLite has ended, and could not begin another one on that connection. As each is looked at when it comes
/// back, none is tried before it is used: there is no server that could have gone away meanwhile.
pub fn sqlite_pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new().test_before_acquire(false).after_release(|connection, _| {
        Box::pin(async move {
            connection.ping().await?; // a rollback that waits is done before it
            Ok(!connection.is_in_transaction())
        })
    })
}

//! A PostgreSQL database for each test, which goes when the test ends: each takes some 13 MB, and there are more than a
//! thousand.

#![allow(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]

use std::{
    cell::RefCell,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::UNIX_EPOCH,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Creates an empty database on the server of this URL, and returns its own. It is dropped at the end of the thread that
/// called, which is the test's.
pub async fn create(server: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // A server may have kept a database of an earlier process with the same number.
    let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
    let name = format!("t{}_{}_{now}", process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    run(server, format!("CREATE DATABASE {name}")).await.unwrap();
    let (address, _) = server.rsplit_once('/').unwrap();
    let url = format!("{address}/{name}");
    CREATED.with_borrow_mut(|created| created.0.push(Created { server: server.to_owned(), name }));
    url
}

async fn run(server: &str, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

thread_local! {
    static CREATED: RefCell<OfThread> = const { RefCell::new(OfThread(Vec::new())) };
}

struct Created {
    server: String,
    name: String,
}

/// The databases that a thread created.
struct OfThread(Vec<Created>);

impl Drop for OfThread {
    fn drop(&mut self) {
        let created = std::mem::take(&mut self.0);
        if created.is_empty() {
            return;
        }
        // A runtime keeps values for each thread, which this one has no more.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut each = created
                .iter()
                .map(|Created { server, name }| run(server, format!("DROP DATABASE {name} WITH (FORCE)")));
            each.try_for_each(|one| runtime.block_on(one))
        });
        // A panic here would end the process, and all tests with it.
        match dropping.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("a test's database stays: {error}"),
            Err(_) => eprintln!("a test's database stays: dropping it panicked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn databases(server: &str) -> Vec<String> {
        let mut connection = PgConnection::connect(server).await.unwrap();
        sqlx::query_scalar("SELECT datname FROM pg_database").fetch_all(&mut connection).await.unwrap()
    }

    /// Creates a database, keeps a connection to it, and returns its name.
    async fn used(server: &str) -> String {
        let url = create(server).await;
        let _open = PgConnection::connect(&url).await.unwrap();
        let name = url.rsplit_once('/').unwrap().1.to_owned();
        assert!(databases(server).await.contains(&name));
        name
    }

    #[test]
    fn a_database_goes_with_the_thread_of_its_test() {
        let Ok(server) = std::env::var("BERTH_TEST_POSTGRES") else {
            eprintln!("=== SKIPPED on PostgreSQL: BERTH_TEST_POSTGRES is not set ===");
            return;
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let name = thread::scope(|scope| scope.spawn(|| runtime().block_on(used(&server))).join().unwrap());
        // A scoped thread may be joined before the values that it keeps are dropped.
        let is_gone = (0..100).any(|_| {
            thread::sleep(std::time::Duration::from_millis(50));
            !runtime().block_on(databases(&server)).contains(&name)
        });
        assert!(is_gone, "{name} is still there");
    }
}

//! The macros that run statements, each in a span of its own. A text is a constant, so that a test finds it in the source
//! and prepares it on both databases; a statement that is put together leaves its place there, and the test demands that
//! it is tried with each of its parts and without it. That nobody runs a statement in another way is tested too.

use std::time::Instant;

use berth_base::sql::database_code;
use futures_util::future::BoxFuture;
use tracing::{Instrument, field::Empty};

/// The text of a statement, in tests noted with what is bound to it.
macro_rules! text {
    ($dialect:ident, $sql:expr $(, $arg:expr)*) => {{
        const TEXT: &str = $sql;
        #[cfg(test)]
        #[linkme::distributed_slice($crate::prepared::TEXTS)]
        static NOTED: $crate::prepared::Text = $crate::prepared::Text {
            place: $crate::prepared::place!(""),
            dialect: $crate::prepared::Dialect::$dialect,
            text: TEXT,
            bound: &[$(stringify!($arg)),*],
        };
        TEXT
    }};
}

/// Evaluates `$work` for the connection of a transaction, whichever database it is to; `$driver` is there the type of it.
macro_rules! on {
    ($tx:expr, |$connection:ident: $driver:ident| $work:expr) => {
        match &mut $tx.conn {
            $crate::Conn::Sqlite($connection) => {
                type $driver = sqlx::Sqlite;
                $work
            }
            $crate::Conn::Postgres($connection) => {
                type $driver = sqlx::Postgres;
                $work
            }
        }
    };
}

/// Runs a statement, answers the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let text = $crate::statement::text!(Both, $sql $(, $arg)*);
        $crate::statement::on!($tx, |connection: Driver| {
            let work = sqlx::query::<Driver>(text)$(.bind($arg))*.execute(&mut **connection);
            let work = futures_util::TryFutureExt::map_ok(work, |done| done.rows_affected());
            $crate::statement::run(text, work, $crate::statement::rows::touched).await
        })
    }};
}

/// Runs a query whose rows have the type `$row`; `$fetch` is `fetch_one`, `fetch_optional` or `fetch_all`.
macro_rules! fetch {
    ($tx:expr, $fetch:ident, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let text = $crate::statement::text!(Both, $sql $(, $arg)*);
        $crate::statement::on!($tx, |connection: Driver| {
            let work = sqlx::query_as::<Driver, $row>(text)$(.bind($arg))*.$fetch(&mut **connection);
            $crate::statement::run(text, work, $crate::statement::rows::$fetch).await
        })
    }};
}

/// As [`fetch!`] of all rows, on a database and outside of a transaction.
macro_rules! fetch_alone {
    ($db:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let text = $crate::statement::text!(Both, $sql $(, $arg)*);
        let rows = $crate::statement::rows::fetch_all;
        match $db.backend() {
            $crate::Backend::Sqlite { read, .. } => {
                $crate::statement::run(
                    text,
                    sqlx::query_as::<sqlx::Sqlite, $row>(text)$(.bind($arg))*.fetch_all(read),
                    rows,
                ).await
            }
            $crate::Backend::Postgres(pool) => {
                $crate::statement::run(
                    text,
                    sqlx::query_as::<sqlx::Postgres, $row>(text)$(.bind($arg))*.fetch_all(pool),
                    rows,
                ).await
            }
        }
    }};
}

/// Runs what only SQLite knows, on a pool and outside of a transaction.
macro_rules! execute_sqlite {
    ($pool:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let text = $crate::statement::text!(Sqlite, $sql $(, $arg)*);
        $crate::statement::run(
            text,
            sqlx::query::<sqlx::Sqlite>(text)$(.bind($arg))*.execute($pool),
            |done| done.rows_affected(),
        )
        .await
    }};
}

/// Notes in tests that a statement was put together here.
macro_rules! built {
    ($query:ident) => {
        #[cfg(test)]
        {
            #[linkme::distributed_slice($crate::prepared::BUILT)]
            static PLACE: $crate::prepared::Place = $crate::prepared::place!("");
            $crate::prepared::built(&PLACE, $query.sql().as_str());
        }
    };
}

/// Lets the block push the parts of a statement onto `$query`, and runs `$work`, which is made of it.
macro_rules! put_together {
    ($tx:expr, |$query:ident| $build:block, |$connection:ident| $work:expr, $rows:ident) => {
        $crate::statement::on!($tx, |$connection: Driver| {
            let mut $query = sqlx::QueryBuilder::<Driver>::default();
            $build
            $crate::statement::built!($query);
            let text = $query.sql();
            $crate::statement::run(text.as_str(), $work, $crate::statement::rows::$rows).await
        })
    };
}

/// As [`execute!`], for a statement that is put together: the block pushes its parts onto the query. What it pushes or
/// not is [`chosen!`].
macro_rules! execute_built {
    ($tx:expr, |$query:ident| $build:block) => {
        $crate::statement::put_together!(
            $tx,
            |$query| $build,
            |connection| futures_util::TryFutureExt::map_ok($query.build().execute(&mut **connection), |done| done
                .rows_affected()),
            touched
        )
    };
}

/// As [`fetch!`] of all rows, for a statement that is put together: the block pushes its parts onto the query. What it
/// pushes or not is [`chosen!`].
macro_rules! fetch_built {
    ($tx:expr, $row:ty, |$query:ident| $build:block) => {
        $crate::statement::put_together!(
            $tx,
            |$query| $build,
            |connection| $query.build_query_as::<$row>().fetch_all(&mut **connection),
            fetch_all
        )
    };
}

/// What decides whether a part is pushed onto a statement, a truth or an option. Tests demand that both were tried.
macro_rules! chosen {
    ($choice:expr) => {{
        let choice = $choice;
        #[cfg(test)]
        {
            #[linkme::distributed_slice($crate::prepared::CHOICES)]
            static PLACE: $crate::prepared::Place = $crate::prepared::place!(stringify!($choice));
            $crate::prepared::chosen(&PLACE, &choice);
        }
        choice
    }};
}

/// Pushes a condition on `$value`, when there is one.
macro_rules! push_if {
    ($query:ident, $value:expr, $before:expr, $after:expr) => {
        if let Some(value) = $crate::statement::chosen!($value) {
            $query.push($before).push_bind(value).push($after);
        }
    };
}

/// Pushes a list of ids in parentheses. The last id is repeated until their number is a power of two, so that there are
/// few statements to prepare. The list must not be empty.
macro_rules! push_ids {
    ($query:ident, $ids:expr) => {
        let filled = $ids.iter().chain($ids.iter().next_back().into_iter().cycle());
        $query.push("(");
        let mut list = $query.separated(", ");
        for id in filled.take($ids.len().next_power_of_two()) {
            list.push_bind(id);
        }
        $query.push(")");
    };
}

pub(super) use built;
pub(super) use chosen;
pub(super) use execute;
pub(super) use execute_built;
pub(super) use execute_sqlite;
pub(super) use fetch;
pub(super) use fetch_alone;
pub(super) use fetch_built;
pub(super) use on;
pub(super) use push_ids;
pub(super) use push_if;
pub(super) use put_together;
pub(super) use text;

/// How many rows there are in what one of sqlx's methods answers.
pub(super) mod rows {
    pub fn touched(rows: &u64) -> u64 {
        *rows
    }

    pub fn fetch_one<T>(_: &T) -> u64 {
        1
    }

    pub(crate) fn fetch_optional<T>(row: &Option<T>) -> u64 {
        u64::from(row.is_some())
    }

    #[expect(clippy::ptr_arg, reason = "it is what sqlx answers")]
    pub fn fetch_all<T>(rows: &Vec<T>) -> u64 {
        rows.len() as u64
    }
}

/// Awaits a statement in its span: the text, how long it took with the wait for the connection or the writer, and how many
/// rows it answered or touched. Never what is bound to it, nor the message of an error, which may quote that.
///
/// It is boxed, as the compiler looks through all that a future holds whenever it asks whether that may go to another thread:
/// once more for each handler that runs the statement, however deep below it. Boxes took a quarter off the time that the API takes to build.
pub fn run<'a, T>(
    text: &'a str,
    work: impl Future<Output = sqlx::Result<T>> + Send + 'a,
    rows: impl FnOnce(&T) -> u64 + Send + 'a,
) -> BoxFuture<'a, sqlx::Result<T>> {
    Box::pin(async move {
        let span = tracing::debug_span!(target: "berth::sql", "sql", text, micros = Empty, rows = Empty, error = Empty);
        let started = (!span.is_disabled()).then(Instant::now);
        let done = work.instrument(span.clone()).await;
        if let Some(started) = started {
            span.record("micros", started.elapsed().as_micros() as u64);
            match &done {
                Ok(answer) => span.record("rows", rows(answer)),
                Err(error) => span.record("error", database_code(error).as_deref().unwrap_or("none")),
            };
            tracing::debug!(target: "berth::sql", parent: &span, "ran");
        }
        done
    })
}

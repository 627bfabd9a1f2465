//! Rows by the thousand, written behind a host's back: what people do in years is there within seconds.

use crate::{Host, Pool};

/// The id with this number.
pub fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}_{number:026}")
}

/// As [`id`], of the number that an expression of SQL has.
pub fn sql_id(prefix: &str, number: &str) -> String {
    format!("'{prefix}_' || SUBSTR('{:026}', 1, 26 - LENGTH(CAST({number} AS TEXT))) || CAST({number} AS TEXT)", 0)
}

/// What a statement begins with in which `n` has a row for each number `i` from 0 on.
pub fn numbers(rows: usize) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})")
}

/// Runs a statement that inserts a row into `table`, whose columns may stand behind it, for each number `i` from 0 on.
pub async fn insert(host: &Host, table: &str, rows: usize, select: &str) {
    execute(host, format!("INSERT INTO {table} {} SELECT {select} FROM n", numbers(rows))).await;
}

/// Runs a statement, and has the database look at what is there now.
pub async fn execute(host: &Host, sql: String) {
    let sql = sqlx::AssertSqlSafe(sql);
    match host.pool().await {
        Pool::Sqlite(pool) => {
            sqlx::query(sql).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Pool::Postgres(pool) => {
            sqlx::query(sql).execute(&pool).await.unwrap();
            sqlx::query("ANALYZE").execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

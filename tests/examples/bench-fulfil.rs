//! Measures how many fulfilment messages per second come in over HTTP, with one message a request and with 100. Beside
//! it runs the limit: INSERTs of one row, each in a transaction of its own, on the same database server. All is
//! measured on SQLite, and on PostgreSQL too when `BERTH_TEST_POSTGRES` names one.
//!
//! `bench-fulfil path/to/berth`

use std::{
    env,
    error::Error,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use berth_tests::{
    Pool,
    bench::{Readings, Server, durability, free_addr, say},
};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tempfile::TempDir;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;
const READING: Duration = Duration::from_secs(2);
const SENDERS: u64 = 16;
const MERCHANTS: u64 = 20;
/// How many product instances each merchant has.
const INSTANCES: u64 = 50;
const BATCH: u64 = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let berth = env::args().nth(1).ok_or("usage: bench-fulfil path/to/berth")?;
    // Fails only when a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    measure(Bench::open(&berth, "sqlite", None).await?).await?;
    match env::var("BERTH_TEST_POSTGRES") {
        Ok(server) => measure(Bench::open(&berth, "postgres", Some(&server)).await?).await,
        Err(_) => {
            say("SKIPPED on PostgreSQL: BERTH_TEST_POSTGRES is not set");
            Ok(())
        }
    }
}

/// The table that the plain INSERTs go to. It has the least that must be kept of a message.
const TABLE: &str = "CREATE TABLE plain (id TEXT PRIMARY KEY, merchant TEXT NOT NULL, body TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO plain (id, merchant, body) VALUES ($1, $2, $3)";

/// Opens the database of the plain INSERTs, as the host opens its own: SQLite's journal is synced at every commit.
async fn open_plain(file: &Path, server: Option<&str>) -> Result<Pool> {
    let Some(server) = server else {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::query(TABLE).execute(&pool).await?;
        return Ok(Pool::Sqlite(pool));
    };
    let pool = PgPoolOptions::new().max_connections(SENDERS as u32);
    let pool = pool.connect(&fresh_database(server, "plain").await?).await?;
    sqlx::query(TABLE).execute(&pool).await?;
    Ok(Pool::Postgres(pool))
}

/// Inserts a message, in a transaction of its own.
async fn insert(pool: &Pool, message: &Value) -> Result<()> {
    let (id, merchant, body) = (word(&message["id"]), word(&message["merchant"]), message.to_string());
    match pool {
        Pool::Sqlite(pool) => {
            let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query(INSERT).bind(id).bind(merchant).bind(body).execute(&mut *tx).await?;
            tx.commit().await?;
        }
        Pool::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            sqlx::query(INSERT).bind(id).bind(merchant).bind(body).execute(&mut *tx).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A host with merchants, and beside it the plain table, on one database server.
struct Bench {
    database: &'static str,
    url: String,
    token: String,
    http: reqwest::Client,
    plain: Pool,
    next: Arc<AtomicU64>,
    _host: Server,
    _folder: TempDir,
}

impl Bench {
    async fn open(berth: &str, database: &'static str, server: Option<&str>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let plain = open_plain(&folder.path().join("plain.db"), server).await?;
        let ours = match server {
            None => None,
            Some(server) => Some(fresh_database(server, "ours").await?),
        };
        let listen = free_addr()?;
        let host = serve(berth, &data, &listen, ours.as_deref())?;
        wait_for(&format!("http://{listen}/readyz")).await?;
        let token = admin_token(berth, &data, ours.as_deref())?;
        let (url, http, next) = (format!("http://{listen}"), reqwest::Client::new(), Arc::new(AtomicU64::new(0)));
        let bench = Self { database, url, token, http, plain, next, _host: host, _folder: folder };
        for merchant in 0..MERCHANTS {
            bench.post("/v1/merchants", &json!({"name": "M", "id": format!("bos-{merchant}")})).await?;
        }
        Ok(bench)
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Makes the next message: each product instance is bought once, and then renewed again and again.
    fn message(&self) -> Value {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (merchant, instance) = (number % MERCHANTS, number / MERCHANTS % INSTANCES);
        let kind = if number < MERCHANTS * INSTANCES { "purchase" } else { "renew" };
        let second = number / (MERCHANTS * INSTANCES);
        let (minute, second) = (second / 60, second % 60);
        json!({"id": format!("m-{number}"), "merchant": format!("bos-{merchant}"), "instance": format!("pi-{merchant}-{instance}"),
               "product": "mall", "kind": kind, "at": format!("2026-01-01T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60)})
    }

    /// Does one unit of this work, and returns how many messages that were.
    async fn send(&self, what: Work) -> Result<u64> {
        match what {
            Work::Single => self.applied(&self.message(), 1).await,
            Work::Batch => {
                let messages: Vec<_> = (0..BATCH).map(|_| self.message()).collect();
                self.applied(&json!({"messages": messages}), BATCH as usize).await
            }
            Work::Plain => insert(&self.plain, &self.message()).await.map(|()| 1),
        }
    }

    async fn applied(&self, body: &Value, count: usize) -> Result<u64> {
        let answer = self.post("/v1/fulfilments", body).await?;
        let results = answer["results"].as_array().ok_or("no results")?;
        match results.iter().filter(|one| one["outcome"] == "applied").count() {
            applied if applied == count => Ok(count as u64),
            _ => Err(format!("some messages were not applied: {answer}").into()),
        }
    }

    async fn keep_sending(self: Arc<Self>, what: Work, start: Instant) -> Result<u64> {
        let mut sent = 0;
        while start.elapsed() < READING {
            sent += self.send(what).await?;
        }
        Ok(sent)
    }

    /// Returns the messages per second of all senders together.
    async fn reading(self: &Arc<Self>, what: Work) -> Result<f64> {
        let start = Instant::now();
        let senders = (0..SENDERS).map(|_| tokio::spawn(self.clone().keep_sending(what, start)));
        let mut total = 0;
        for sender in senders.collect::<Vec<_>>() {
            total += sender.await??;
        }
        Ok(total as f64 / start.elapsed().as_secs_f64())
    }
}

#[derive(Clone, Copy)]
enum Work {
    Single,
    Batch,
    Plain,
}

async fn fresh_database(server: &str, name: &str) -> Result<String> {
    let name = format!("bench_{name}_{}", std::process::id());
    let pool = PgPool::connect(server).await?;
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await?;
    let (base, _) = server.rsplit_once('/').ok_or("BERTH_TEST_POSTGRES names no database")?;
    Ok(format!("{base}/{name}"))
}

fn serve(berth: &str, data: &Path, listen: &str, database: Option<&str>) -> Result<Server> {
    let mut command = Command::new(berth);
    command.args(["serve", "--listen", listen, "--data-dir"]).arg(data).env("RUST_LOG", "warn");
    command.envs(database.map(|url| ("BERTH_DATABASE_URL", url)));
    Ok(Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
}

fn admin_token(berth: &str, data: &Path, database: Option<&str>) -> Result<String> {
    let mut command = Command::new(berth);
    command.args(["admin", "token", "--data-dir"]).arg(data);
    command.envs(database.map(|url| ("BERTH_DATABASE_URL", url)));
    let out = command.output()?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned().into());
    }
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

async fn wait_for(ready: &str) -> Result<()> {
    let start = Instant::now();
    while !reqwest::get(ready).await.is_ok_and(|answer| answer.status().is_success()) {
        if start.elapsed() > Duration::from_secs(30) {
            return Err("the host did not start".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Measures one message a request, plain INSERTs, and 100 messages a request, in turns.
async fn measure(bench: Bench) -> Result<()> {
    let bench = Arc::new(bench);
    let (mut single, mut batch) = (Readings::default(), Readings::default());
    for round in 0..=ROUNDS {
        let readings =
            [bench.reading(Work::Single).await?, bench.reading(Work::Plain).await?, bench.reading(Work::Batch).await?];
        let [one, beside, many] = readings;
        let remark = if round == 0 { "   (warm-up, not counted)" } else { "" };
        say(format!(
            "{:<8}  single {one:>7.0}/s   batch {many:>7.0}/s   INSERT {beside:>7.0}/s{remark}",
            bench.database
        ));
        if round > 0 {
            single.push(one, beside);
            batch.push(many, beside);
        }
    }
    let load = format!("{SENDERS} senders, {MERCHANTS} merchants; {}", durability(&bench.plain).await);
    for (name, readings) in [("single", single), ("batch", batch)] {
        say(readings.row(&format!("fulfil-{name}-{}", bench.database), "messages/s", &load));
    }
    Ok(())
}

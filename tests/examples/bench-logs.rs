//! Measures real-time logs: how many entries per second come in over HTTP, beside plain INSERTs of the same rows by the same
//! number at a time; and how soon the first page of a search comes, beside a scan of the same entries.
//!
//! `bench-logs path/to/berth [MILLIONS]`: the number of entries that are searched, 1 when not given. On SQLite, or with
//! `BERTH_LOG_URL=http://user:password@host:8123/database` on ClickHouse, in a database that nobody else uses.

use std::{
    env,
    error::Error,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use berth_base::{
    clock::{Millis, Nature},
    ids::MiniAppId,
};
use berth_logs::{LogConfig, LogStore};
use berth_model::log::{Arrived, DayLimits, Filter, Level, LogId, LogQuery, Sender, Span};
use berth_tests::bench::{Readings, say};
use serde_json::{Value, json};
use sqlx::{
    QueryBuilder, Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;
const READING: Duration = Duration::from_secs(3);
const SENDERS: usize = 8;
const BATCH: u64 = 200;
const MINI_APPS: u64 = 20;
const PAGE: usize = 51;
const LONG: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<()> {
    let berth = env::args().nth(1).ok_or("usage: bench-logs path/to/berth [MILLIONS]")?;
    let millions: u64 = env::args().nth(2).map_or(Ok(1), |text| text.parse())?;
    // Fails only when a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clickhouse = match env::var("BERTH_LOG_URL") {
        Ok(url) if url.starts_with("http") => Some(ClickHouse::of(&url)?),
        Ok(_) => return Err("BERTH_LOG_URL is not the address of a ClickHouse server".into()),
        Err(_) => None,
    };
    intake(&berth, clickhouse.as_ref()).await?;
    searches(millions, clickhouse.as_ref()).await
}

/// A ClickHouse server, asked without Berth.
struct ClickHouse {
    http: reqwest::Client,
    url: reqwest::Url,
    log_url: String,
}

impl ClickHouse {
    fn of(log_url: &str) -> Result<Self> {
        let mut url = reqwest::Url::parse(log_url)?;
        let database = url.path().trim_start_matches('/').to_owned();
        url.set_path("/");
        url.query_pairs_mut().append_pair("database", &database);
        Ok(Self { http: reqwest::Client::new(), url, log_url: log_url.to_owned() })
    }

    async fn ask(&self, sql: &str, body: String) -> Result<String> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("query", sql);
        Ok(self.http.post(url).body(body).send().await?.error_for_status()?.text().await?)
    }
}

/// Where plain rows are inserted.
enum Plain<'a> {
    Sqlite(SqlitePool),
    ClickHouse(&'a ClickHouse),
}

/// A host that is killed when this value is dropped.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the nth entry says: much that repeats, some that never does.
fn message(nth: u64) -> String {
    format!("GET /api/v2/orders/{nth} answered 200 in {} ms, cache miss on node-{}", nth * 7919 % 1000, nth % 37)
}

async fn intake(berth: &str, clickhouse: Option<&ClickHouse>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut command = Command::new(berth);
    command.args(["serve", "--listen", &listen, "--log-day-entries", "1000000000", "--data-dir"]).arg(&data);
    let _host = Served(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let url = format!("http://{listen}");
    wait_for(&format!("{url}/readyz")).await?;
    let out = Command::new(berth).args(["admin", "token", "--data-dir"]).arg(&data).output()?;
    let token = String::from_utf8(out.stdout)?.trim().to_owned();
    let http = reqwest::Client::new();
    let ask = async |method: reqwest::Method, path: &str, body: Value| -> Result<Value> {
        let answer = http.request(method, format!("{url}{path}")).bearer_auth(&token).json(&body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    };
    ask(reqwest::Method::POST, "/v1/teams", json!({"name": "T"})).await?;
    ask(reqwest::Method::POST, "/v1/mini-apps", json!({"name": "Shop", "id": "shop"})).await?;
    let host_app = ask(reqwest::Method::POST, "/v1/host-apps", json!({"name": "Mall", "id": "mall"})).await?;
    ask(reqwest::Method::PUT, "/v1/host-apps/mall/bindings/shop", Value::Null).await?;
    let key = host_app["public_key"].as_str().unwrap_or_default().to_owned();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let plain = match clickhouse {
        None => Plain::Sqlite(plain(&folder.path().join("plain.db")).await?),
        Some(clickhouse) => {
            let columns = "id UInt64, mini_app String, guid String, page String, message String";
            let sql = format!("CREATE TABLE IF NOT EXISTS bench_plain ({columns}) ENGINE = MergeTree ORDER BY id");
            clickhouse.ask(&sql, String::new()).await?;
            Plain::ClickHouse(clickhouse)
        }
    };
    let next = Arc::new(AtomicU64::new(0));
    let mut readings = Readings::default();
    for round in 0..=ROUNDS {
        let one = sent(&http, &url, &key, &next).await?;
        let other = inserted(&plain, &next).await?;
        let remark = if round == 0 { "   (warm-up, not counted)" } else { "" };
        say(format!("entries {one:>8.0}/s   INSERT {other:>8.0}/s{remark}"));
        if round > 0 {
            readings.push(one, other);
        }
    }
    let load = format!("{SENDERS} senders, {BATCH} entries a batch, stored when answered");
    let name = if clickhouse.is_some() { "logs-intake-clickhouse" } else { "logs-intake-sqlite" };
    say(readings.row(name, "entries/s", &load));
    Ok(())
}

async fn sent(http: &reqwest::Client, url: &str, key: &str, next: &Arc<AtomicU64>) -> Result<f64> {
    let (began, mut senders) = (Instant::now(), tokio::task::JoinSet::new());
    for sender in 0..SENDERS {
        let (http, url, key, next) = (http.clone(), format!("{url}/v1/logs"), key.to_owned(), next.clone());
        senders.spawn(async move {
            let mut kept = 0;
            while began.elapsed() < READING {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                let entry = |nth| {
                    json!({"mini_app": "shop", "version": "1.0.0", "at": "2030-01-31T08:00:00Z", "level": "info",
                    "page": "pages/order/order", "message": message(nth)})
                };
                let entries: Vec<_> = (first..first + BATCH).map(entry).collect();
                let body = json!({"host_app": "mall", "guid": format!("device-{sender}"), "platform": "android",
                    "host_version": "3.2.1", "sdk_version": "1.0.0", "entries": entries});
                let answer = http.post(&url).header("x-host-app-key", &key).json(&body).send().await?;
                kept += answer.error_for_status()?.json::<Value>().await?["kept"].as_u64().unwrap_or_default();
            }
            Ok::<_, reqwest::Error>(kept)
        });
    }
    let mut kept = 0;
    while let Some(done) = senders.join_next().await {
        kept += done??;
    }
    Ok(kept as f64 / began.elapsed().as_secs_f64())
}

/// Opens a table that has the least that must be kept, as the store opens its files.
async fn plain(file: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::query("CREATE TABLE plain (id INTEGER PRIMARY KEY, mini_app TEXT, guid TEXT, page TEXT, message TEXT)")
        .execute(&pool)
        .await?;
    Ok(pool)
}

async fn inserted(plain: &Plain<'_>, next: &AtomicU64) -> Result<f64> {
    let (began, mut rows) = (Instant::now(), 0);
    while began.elapsed() < READING {
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        let pool = match plain {
            Plain::Sqlite(pool) => pool,
            Plain::ClickHouse(clickhouse) => {
                let line = |nth| {
                    let page = "pages/order/order";
                    let line = json!({"id": nth, "mini_app": "shop", "guid": "device-1", "page": page, "message": message(nth)});
                    format!("{line}\n")
                };
                let lines = (first..first + BATCH).map(line).collect();
                clickhouse.ask("INSERT INTO bench_plain FORMAT JSONEachRow", lines).await?;
                rows += BATCH;
                continue;
            }
        };
        let mut tx = pool.begin().await?;
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO plain (id, mini_app, guid, page, message) ");
        query.push_values(first..first + BATCH, |mut row, nth| {
            row.push_bind(nth as i64)
                .push_bind("shop")
                .push_bind("device-1")
                .push_bind("pages/order/order")
                .push_bind(message(nth));
        });
        query.build().execute(&mut *tx).await?;
        tx.commit().await?;
        rows += BATCH;
    }
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

/// The searches, each with the statement that scans for the same.
fn questions(count: u64) -> Vec<(&'static str, Value, String)> {
    let rare = count / 3;
    let scan = |condition: &str| format!("SELECT * FROM entry WHERE {condition} ORDER BY id DESC LIMIT {PAGE}");
    vec![
        ("level", json!({"mini_app": "app-7", "level": "error"}), scan("mini_app = 'app-7' AND level >= 4")),
        ("guid", json!({"mini_app": "app-0", "guid": "device-40"}), scan("mini_app = 'app-0' AND guid = 'device-40'")),
        (
            "rare-word",
            json!({"host_app": "mall", "words": format!("orders/{rare}")}),
            scan(&format!("message LIKE '%orders/{rare} %'")),
        ),
        ("no-such-word", json!({"host_app": "mall", "words": "kaboom"}), scan("message LIKE '%kaboom%'")),
        (
            "rare-text",
            json!({"host_app": "mall", "contains": format!("ders/{rare} ")}),
            scan(&format!("instr(message, 'ders/{rare} ') > 0")),
        ),
        ("no-such-text", json!({"host_app": "mall", "contains": "abooxm"}), scan("instr(message, 'abooxm') > 0")),
    ]
}

async fn searches(millions: u64, clickhouse: Option<&ClickHouse>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let count = millions * 1_000_000;
    let log_url = clickhouse.map(|one| one.log_url.clone());
    let config = LogConfig { log_url, ..LogConfig::default() };
    let store = berth_logs::open(&config, None, folder.path(), Nature::default()).await?;
    let began = Instant::now();
    fill(&*store, count).await?;
    let bytes: u64 = store.days().await?.iter().map(|day| day.bytes).sum();
    let rate = count as f64 / began.elapsed().as_secs_f64();
    say(format!("{count} entries in {} MiB, stored at {rate:.0}/s by one caller", bytes >> 20));
    let plain = match clickhouse {
        None => Plain::Sqlite(file_in(&folder.path().join("logs")).await?),
        Some(clickhouse) => Plain::ClickHouse(clickhouse),
    };
    for (name, query, scan) in questions(count) {
        let filter = serde_json::from_value::<LogQuery>(query)?.filter()?;
        let mut readings = Readings::default();
        for _ in 0..ROUNDS {
            let ours = searched(&*store, &filter).await?;
            let began = Instant::now();
            match &plain {
                Plain::Sqlite(pool) => drop(sqlx::query(sqlx::AssertSqlSafe(scan.clone())).fetch_all(pool).await?),
                Plain::ClickHouse(clickhouse) => drop(clickhouse.ask(&in_clickhouse(&scan), String::new()).await?),
            }
            readings.push(ours, began.elapsed().as_secs_f64() * 1000.0);
        }
        let load = format!(
            "first page of 50, {count} entries of {MINI_APPS} MiniApps on one day; beside: a scan of all of it"
        );
        let on = if clickhouse.is_some() { "clickhouse" } else { "sqlite" };
        say(readings.row(&format!("logs-search-{name}-{on}-{millions}M"), "ms", &load));
    }
    Ok(())
}

/// The one file of a store on SQLite.
async fn file_in(folder: &Path) -> Result<SqlitePool> {
    let file = std::fs::read_dir(folder)?.filter_map(|file| Some(file.ok()?.path()));
    let file = file.into_iter().find(|file| file.extension().is_some_and(|end| end == "db")).ok_or("no file")?;
    Ok(SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await?)
}

/// The same scan, by the names that ClickHouse has.
fn in_clickhouse(scan: &str) -> String {
    scan.replace("FROM entry", "FROM berth_log").replace("instr(", "position(")
}

async fn searched(store: &dyn LogStore, filter: &Filter) -> Result<f64> {
    let (began, whole) = (Instant::now(), Span { from: LogId(0), below: LogId(i64::MAX) });
    let found = store.search(filter, whole, PAGE, LONG).await?;
    assert!(found.stopped_at.is_none(), "it looked at everything");
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

async fn fill(store: &dyn LogStore, count: u64) -> Result<()> {
    let limits = DayLimits { mini_app_entries: u64::MAX, bytes: u64::MAX };
    let mini_apps: Vec<MiniAppId> =
        (0..MINI_APPS).map(|nth| format!("app-{nth}").parse()).collect::<berth_base::error::Result<_>>()?;
    let host_app: berth_base::ids::HostAppId = "mall".parse()?;
    for first in (0..count).step_by(5000) {
        let entries = (first..(first + 5000).min(count)).map(|nth| {
            let sender = Sender {
                host_app: host_app.clone(),
                host_version: "3.2.1".into(),
                sdk_version: "1.0.0".into(),
                platform: "android".into(),
                os_version: "14".into(),
                guid: format!("device-{}", nth / 50 % 20_000),
                account: None,
            };
            Arrived {
                sender: Arc::new(sender),
                mini_app: mini_apps[(nth % MINI_APPS) as usize].clone(),
                version: "1.0.0".into(),
                at: Millis(1_900_000_000_000),
                level: if nth % 2003 == 7 { Level::Error } else { Level::Info },
                page: format!("pages/p{}/p", nth % 9),
                message: message(nth),
                filter_msg: String::new(),
            }
        });
        store.append(&entries.collect::<Vec<_>>(), &limits).await?;
    }
    Ok(())
}

async fn wait_for(ready: &str) -> Result<()> {
    let start = Instant::now();
    while !reqwest::get(ready).await.is_ok_and(|answer| answer.status().is_success()) {
        if start.elapsed() > Duration::from_secs(60) {
            return Err("the host did not start".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

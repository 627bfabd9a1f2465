//! Measures how many new devices per second a capped gray task admits: devices that were never seen check over HTTP until the
//! cap is reached. Beside it runs the limit: a bare statement that inserts as many devices as one admitting transaction may,
//! on the same database server. In each round exactly as many devices as the cap have got the version. All is measured on
//! SQLite, and on PostgreSQL too when `BERTH_TEST_POSTGRES` names one.
//!
//! `bench-admit`

#![allow(clippy::unwrap_used, reason = "a failure is its end")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use berth_tests::{
    Database, Host, Pool,
    bench::{Readings, durability, median, say},
    http, invariants, many, postgres_is_there,
    scene::Scene,
};
use serde_json::json;
use sqlx::QueryBuilder;

const ROUNDS: usize = 5;
const SENDERS: usize = 256;
const CAP: u64 = 20_000;
/// How many devices a bare statement inserts, as many as a transaction of the host admits at most.
const ROWS: u64 = 512;

/// The table that the bare statements go to. It has the least that must be kept of a device.
const TABLE: &str =
    "CREATE TABLE plain (task TEXT NOT NULL, guid TEXT NOT NULL, ordinal BIGINT NOT NULL, PRIMARY KEY (task, guid))";

/// Inserts the devices with these numbers by one statement.
macro_rules! insert {
    ($pool:expr, $driver:ty, $numbers:expr) => {{
        let mut query = QueryBuilder::<$driver>::new("INSERT INTO plain (task, guid, ordinal) ");
        query.push_values($numbers, |mut row, number| {
            row.push_bind("task").push_bind(format!("plain-{number}")).push_bind(number as i64);
        });
        query.push(" ON CONFLICT DO NOTHING").build().execute($pool).await.unwrap();
    }};
}

/// A host with a MiniApp, and beside its tables the plain one.
struct Bench {
    scene: Scene,
    pool: Pool,
    http: reqwest::Client,
    next: AtomicU64,
}

impl Bench {
    async fn set(database: Database) -> Arc<Self> {
        let scene = Scene::set(Host::start(database).await).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        many::execute(&scene.host, TABLE.into()).await;
        let pool = scene.host.pool().await;
        Arc::new(Self { scene, pool, http: http(), next: AtomicU64::new(0) })
    }

    /// The version that a device gets which was never seen.
    async fn new_device(&self) -> &'static str {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "host_app": "super-app", "host_version": "3.2.1", "platform": "android", "os_version": "14",
            "guid": format!("device-{number}"), "network": "wifi", "apps": [{"mini_app": "coffee"}],
        });
        let request = self.http.post(format!("{}/v1/check", self.scene.host.url));
        let request = request.header("X-Host-App-Key", &self.scene.key).json(&body);
        let answer = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        if answer.contains(r#""version":"1.1.0""#) { "1.1.0" } else { "1.0.0" }
    }

    /// Asks as one new device after the other until one gets the online version. Returns how many got the other one.
    async fn keep_asking(self: Arc<Self>) -> u64 {
        let mut offered = 0;
        while self.new_device().await == "1.1.0" {
            offered += 1;
        }
        offered
    }

    /// Devices per second that a task admits until it has as many as its cap.
    async fn ours(self: &Arc<Self>) -> f64 {
        let task = self.scene.gray("1.1.0", json!({"max_users": CAP})).await.good();
        self.scene.host.settled().await;
        let start = Instant::now();
        let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(self.clone().keep_asking())).collect();
        let mut offered = 0;
        for sender in senders {
            offered += sender.await.unwrap();
        }
        let took = start.elapsed();
        let ended = self.scene.task(&task).await;
        let exactly = (offered, &ended["admitted"], &ended["ended_by"]);
        assert_eq!(exactly, (CAP, &json!(CAP), &json!("cap")), "the cap is exact (G7)");
        self.scene.move_task(&task, "end").await.good(); // its devices are free again, and the next round begins alike
        CAP as f64 / took.as_secs_f64()
    }

    /// Devices per second that bare statements insert.
    async fn bare(&self) -> f64 {
        let start = Instant::now();
        let mut rows = 0;
        while rows < CAP {
            let first = self.next.fetch_add(ROWS, Ordering::Relaxed);
            match &self.pool {
                Pool::Sqlite(pool) => insert!(pool, sqlx::Sqlite, first..first + ROWS),
                Pool::Postgres(pool) => insert!(pool, sqlx::Postgres, first..first + ROWS),
            }
            rows += ROWS;
        }
        rows as f64 / start.elapsed().as_secs_f64()
    }

    /// How many transactions have admitted devices.
    fn transactions(&self) -> u64 {
        self.scene.host.app.checks.admitter.counts().transactions
    }
}

async fn measure(name: &str, database: Database) {
    let bench = Bench::set(database).await;
    let (mut readings, mut shares) = (Readings::default(), Vec::new());
    for round in 0..=ROUNDS {
        let before = bench.transactions();
        let (ours, bare) = (bench.ours().await, bench.bare().await);
        let share = CAP as f64 / (bench.transactions() - before) as f64;
        let remark = if round == 0 { "   (warm-up, not counted)" } else { "" };
        say(format!("{name:<8}  admitted {ours:>7.0}/s, {share:>4.0} a transaction   bare {bare:>7.0}/s{remark}"));
        if round > 0 {
            readings.push(ours, bare);
            shares.push(share);
        }
    }
    invariants::hold(&bench.pool).await;
    let load = format!(
        "{SENDERS} senders, caps of {CAP}, {:.0} devices a transaction, beside {ROWS} rows a statement; {}",
        median(&shares),
        durability(&bench.pool).await
    );
    say(readings.row(&format!("admit-{name}"), "devices/s", &load));
}

#[tokio::main]
async fn main() {
    measure("sqlite", Database::Sqlite).await;
    if postgres_is_there() {
        measure("postgres", Database::Postgres).await;
    }
}

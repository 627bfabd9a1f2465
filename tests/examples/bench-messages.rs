//! Measures how many logins and how many subscription messages per second a host does over HTTP, on SQLite, and on
//! PostgreSQL too when `BERTH_TEST_POSTGRES` names one. Every message is sent twice with its `Idempotency-Key`, by senders
//! that do not know of each other, and in the end there must be one row and one used consent for each key.
//!
//! `bench-messages`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "its output is its purpose, and a failure is its end")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use berth_tests::{
    Answer, Api, Database, Host, Pool,
    bench::percentile,
    postgres_is_there,
    scene::{Scene, text},
};
use serde_json::{Value, json};

const ROUNDS: usize = 5;
const READING: Duration = Duration::from_secs(2);
const SENDERS: usize = 64;
/// Consents that the user has given before: more than are used.
const CONSENTS: i64 = 1_000_000;

struct Bench {
    scene: Scene,
    secret: String,
    server: Api,
    message: Value,
    next: AtomicU64,
}

impl Bench {
    async fn set(database: Database) -> Self {
        let scene = Scene::set(Host::start(database).await).await;
        let secret = text(&scene.admin.post("/v1/mini-apps/coffee/secret", json!(null)).await.good()["secret"]);
        let proof = json!({"mini_app": "coffee", "secret": secret});
        let token = text(&scene.host.anonymous().post("/v1/server-tokens", proof).await.good()["token"]);
        let server = scene.host.with_token(&token);
        let new = json!({"template": "order-paid", "keywords": [2]});
        let template = text(&scene.admin.post("/v1/mini-apps/coffee/message-templates", new).await.good()["id"]);
        let answers = json!([{"template": template, "accept": true}]);
        let said = json!({"mini_app": "coffee", "account": "user", "utc_offset": 0, "answers": answers});
        scene.admin.post("/v1/host-apps/super-app/subscriptions", said).await.good();
        match scene.host.pool().await {
            Pool::Sqlite(pool) => drop(sqlx::query("UPDATE subscription SET allowed = 1000000").execute(&pool).await),
            Pool::Postgres(pool) => drop(sqlx::query("UPDATE subscription SET allowed = 1000000").execute(&pool).await),
        }
        let mut bench = Self { scene, secret, server, message: json!(null), next: AtomicU64::new(0) };
        let open_id = text(&bench.log_in("user").await["open_id"]);
        bench.message = json!({"open_id": open_id, "template": template, "data": {"thing2": "Latte"}});
        bench
    }

    async fn log_in(&self, account: &str) -> Value {
        self.scene.log_in(&self.scene.admin, "coffee", &self.secret, account).await
    }

    /// Sends a message; two senders get the same number, and so the same key.
    async fn send(&self) {
        let key = format!("key-{}", self.next.fetch_add(1, Ordering::SeqCst) / 2);
        let request = self.server.request("POST", "/v1/messages").header("Idempotency-Key", key).json(&self.message);
        let answer = Answer::of(request, "send".into()).await;
        assert!(answer.status == 201 || answer.kind() == "idempotency-in-progress", "{}", answer.kind());
    }

    async fn keep(self: Arc<Self>, logins: bool, start: Instant) -> u64 {
        let mut done = 0;
        while start.elapsed() < READING {
            if logins {
                let number = self.next.fetch_add(1, Ordering::SeqCst);
                self.log_in(&format!("user-{}", number % 1000)).await;
            } else {
                self.send().await;
            }
            done += 1;
        }
        done
    }

    /// How much all senders together do in a second.
    async fn reading(self: &Arc<Self>, logins: bool) -> f64 {
        let start = Instant::now();
        let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(self.clone().keep(logins, start))).collect();
        let mut done = 0;
        for sender in senders {
            done += sender.await.unwrap();
        }
        done as f64 / start.elapsed().as_secs_f64()
    }
}

async fn measure(database: Database) {
    let bench = Arc::new(Bench::set(database).await);
    for (name, logins) in [("logins", true), ("messages", false)] {
        bench.next.store(0, Ordering::SeqCst);
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(bench.reading(logins).await);
        }
        let [least, median, most] = [0.0, 0.5, 1.0].map(|part| percentile(&rates, part));
        println!("{database:?} {name}: {median:.0}/s ({least:.0}..{most:.0}), {SENDERS} senders");
    }
    let pool = bench.scene.host.pool().await;
    let keys = (bench.next.load(Ordering::SeqCst) as i64 + 1) / 2;
    let rows = pool.number("SELECT COUNT(*) FROM message").await;
    let used = CONSENTS - pool.number("SELECT MAX(allowed) FROM subscription").await;
    println!("{database:?} messages: {keys} keys, each sent twice; {rows} messages, {used} consents used");
    assert!(rows == keys && used == keys, "a message for each key");
}

#[tokio::main]
async fn main() {
    measure(Database::Sqlite).await;
    if postgres_is_there() {
        measure(Database::Postgres).await;
    }
}

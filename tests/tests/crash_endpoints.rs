//! The real binary, killed while fulfilment messages come in, channels are bound and events go out (I5, I6, F52, F74,
//! F94).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use berth_base::clock::{Random as _, SystemRandom};
use berth_tests::{
    Api, Database, invariants, postgres_is_there, process::Installation, receiver::Receiver, scene::text,
};
use serde_json::{Value, json};

/// How often a host is killed.
const CRASHES: usize = 8;

/// How many clients send at once, each for a merchant of its own, so that their messages share transactions.
const CLIENTS: usize = 4;

/// What hosts have acknowledged, by ids.
#[derive(Default)]
struct Acknowledged {
    /// Product instances that were bought.
    bought: BTreeSet<String>,
    /// Channels that are bound.
    bound: BTreeSet<String>,
    /// Messages that were parked and then corrected.
    corrected: BTreeSet<String>,
}

type Ledger = Arc<Mutex<Acknowledged>>;

/// One of the senders: its merchant, and the CID of the merchant's default endpoint application.
#[derive(Clone)]
struct Client {
    merchant: String,
    cid: String,
}

impl Client {
    /// Creates a merchant and buys something for it, so that it has an endpoint application.
    async fn new(admin: &Api, number: usize) -> Self {
        let merchant = format!("bos-{number}");
        admin.post("/v1/merchants", json!({"name": "M", "id": merchant})).await.good();
        let client = Self { merchant, cid: String::new() };
        let first = client.message("purchase", &format!("pi-first-{number}"), "2026-01-01T00:00:00Z");
        admin.post("/v1/fulfilments", first).await.good();
        let query = format!("/v1/endpoint-apps?merchant={}&default=true", client.merchant);
        let cid = text(&admin.get(&query).await.good()["items"][0]["id"]);
        Self { cid, ..client }
    }

    fn message(&self, kind: &str, instance: &str, at: &str) -> Value {
        json!({"id": format!("{kind}-{instance}"), "merchant": self.merchant, "instance": instance, "product": "mall",
            "kind": kind, "at": at})
    }

    /// Sends messages out of order and twice, corrects a parked one, and authorises and binds channels, until the host
    /// is gone.
    async fn work(self, admin: Api, round: usize, ledger: Ledger) {
        for turn in 0.. {
            if self.turn(&admin, &format!("{}-{round}-{turn}", self.merchant), &ledger).await.is_none() {
                return;
            }
        }
    }

    async fn turn(&self, admin: &Api, name: &str, ledger: &Ledger) -> Option<()> {
        let instance = format!("pi-{name}");
        let buys = json!({"messages": [
            self.message("unsubscribe", &instance, "2026-01-01T00:00:00Z"),
            self.message("purchase", &instance, "2026-02-01T00:00:00Z"),
            self.message("purchase", &instance, "2026-02-01T00:00:00Z"),
        ]});
        done(admin, "POST", "/v1/fulfilments", &buys).await?;
        ledger.lock().unwrap().bought.insert(instance.clone());
        let odd = format!("odd-{name}");
        done(admin, "POST", "/v1/fulfilments", &json!({"id": odd, "merchant": self.merchant, "kind": "rent"})).await?;
        let right = json!({"message": self.message("renew", &instance, "2026-03-01T00:00:00Z")});
        done(admin, "POST", &format!("/v1/fulfilments/{odd}/replay"), &right).await?;
        ledger.lock().unwrap().corrected.insert(odd);
        let app_id = format!("tt-{name}");
        let channel = json!({"merchant": self.merchant, "kind": "douyin", "app_id": app_id, "name": "Videos"});
        let channel = text(&done(admin, "POST", "/v1/channels", &channel).await?["id"]);
        let path = format!("/v1/channels/{channel}/endpoint-app");
        done(admin, "PUT", &path, &json!({"endpoint_app": self.cid})).await?;
        ledger.lock().unwrap().bound.insert(channel);
        Some(())
    }
}

/// Sends a request, and returns the answer if the host acknowledged it.
async fn done(api: &Api, method: &str, path: &str, body: &Value) -> Option<Value> {
    let answer = api.request(method, path).json(body).send().await.ok()?;
    let answer = answer.error_for_status().ok()?;
    answer.json().await.ok()
}

/// The ids of all things in a list that are `good`, from all its pages.
async fn all(admin: &Api, path: &str, good: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let (mut items, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}?limit=200{cursor}")).await.good();
        items.extend(page["items"].as_array().unwrap().iter().filter(|item| good(item)).map(|item| text(&item["id"])));
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// Asserts that everything that was acknowledged is there.
async fn remembers(admin: &Api, clients: &[Client], ledger: &Ledger) {
    let active = all(admin, "/v1/product-instances", |item| item["state"] == "active").await;
    let own =
        |item: &Value| clients.iter().any(|one| item["merchant"] == one.merchant && item["endpoint_app"] == one.cid);
    let bound = all(admin, "/v1/channels", own).await;
    let corrected = all(admin, "/v1/fulfilments", |item| item["state"] == "corrected").await;
    let ledger = ledger.lock().unwrap();
    for (acknowledged, there) in [(&ledger.bought, &active), (&ledger.bound, &bound), (&ledger.corrected, &corrected)] {
        assert!(acknowledged.is_subset(there), "lost: {:?}", acknowledged.difference(there));
    }
}

async fn killed_again_and_again(database: Database) {
    let receiver = Receiver::good().await;
    let mut berth = Installation::new(database).await;
    berth.args = vec!["--webhook-allow".into(), "127.0.0.0/8".into()];
    let process = berth.start().await;
    let admin = berth.admin(&process);
    admin.post("/v1/webhooks", json!({"url": receiver.url, "scope": {"kind": "platform"}})).await.good();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::new(&admin, number).await);
    }
    process.kill().await;
    let ledger = Ledger::default();
    for round in 0..CRASHES {
        let process = berth.start().await;
        let admin = berth.admin(&process);
        remembers(&admin, &clients, &ledger).await;
        let work =
            clients.iter().map(|one| tokio::spawn(one.clone().work(berth.admin(&process), round, ledger.clone())));
        let work: Vec<_> = work.collect();
        let mut moment = [0; 2];
        SystemRandom.fill(&mut moment);
        tokio::time::sleep(Duration::from_millis(u64::from(u16::from_le_bytes(moment)) % 700 + 50)).await;
        process.kill().await;
        for one in work {
            one.await.unwrap();
        }
        let pool = berth.pool().await;
        invariants::hold(&pool).await;
        pool.close().await;
    }
    let process = berth.start().await;
    remembers(&berth.admin(&process), &clients, &ledger).await;
    let (bought, bound, corrected) = {
        let ledger = ledger.lock().unwrap();
        (ledger.bought.len(), ledger.bound.len(), ledger.corrected.len())
    };
    assert!(
        bought > 10 && bound > CLIENTS && corrected > CLIENTS,
        "too little was done: {bought}, {bound}, {corrected}"
    );
    let shared = berth.pool().await.number(SHARED).await;
    assert!(shared > 0, "no transaction was shared");
    let delivered = delivered_to_the_last(&berth, &receiver).await;
    eprintln!("{database:?}: {CRASHES} kills, {bought} bought, {bound} bound, {shared} shared, {delivered}");
}

/// Counts the transactions that hold messages of several clients. All messages of a transaction are received at one
/// moment.
const SHARED: &str = "SELECT COUNT(*) FROM
    (SELECT received_at FROM fulfilment GROUP BY received_at HAVING COUNT(DISTINCT merchant_id) > 1) t";

/// Waits until every event has arrived. Returns how many there are, and how many messages brought them.
async fn delivered_to_the_last(berth: &Installation, receiver: &Receiver) -> String {
    let pool = berth.pool().await;
    let first = pool.number("SELECT MIN(seq) FROM event WHERE type = 'merchant.created'").await;
    let last = pool.number("SELECT last FROM event_head").await;
    let wanted: BTreeSet<i64> = (first..=last).collect();
    let began = Instant::now();
    loop {
        let arrived = receiver.arrived();
        let seqs: BTreeSet<i64> = arrived.iter().map(|message| message.seq()).collect();
        if wanted.is_subset(&seqs) {
            return format!("{} events delivered by {} messages", wanted.len(), arrived.len());
        }
        assert!(began.elapsed() < Duration::from_secs(90), "missing: {:?}", wanted.difference(&seqs));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i6_f74_f94_killed_while_binding_and_delivering_no_event_is_lost_on_sqlite() {
    killed_again_and_again(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i6_f74_f94_killed_while_binding_and_delivering_no_event_is_lost_on_postgres() {
    if postgres_is_there() {
        killed_again_and_again(Database::Postgres).await;
    }
}

//! The real binary, killed while fulfilment messages come in, channels are bound and events go out (I5, I6, faults 52, 74, 94).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use berth::clock::{Random as _, SystemRandom};
use berth_tests::{
    Api, Database, invariants, postgres_is_there, process::Installation, receiver::Receiver, scene::text,
};
use serde_json::{Value, json};

/// Times that a host is killed.
const CRASHES: usize = 8;

/// What hosts have acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Product instances that were bought.
    bought: BTreeSet<String>,
    /// Channels that are bound.
    bound: BTreeSet<String>,
}

type Ledger = Arc<Mutex<Acknowledged>>;

fn message(kind: &str, instance: &str, at: &str) -> Value {
    json!({"id": format!("{kind}-{instance}"), "merchant": "bos-1", "instance": instance, "product": "mall",
        "kind": kind, "at": at})
}

/// Sends what a refused connection does not stop for long; whether it was acknowledged.
async fn done(api: &Api, method: &str, path: &str, body: &Value) -> Option<Value> {
    let answer = api.request(method, path).json(body).send().await.ok()?;
    let answer = answer.error_for_status().ok()?;
    answer.json().await.ok()
}

/// Buys, gives up what another round buys again, authorises and binds, until the host is gone.
async fn work(admin: Api, round: usize, cid: String, ledger: Ledger) {
    for turn in 0.. {
        let instance = format!("pi-{round}-{turn}");
        let buys = json!({"messages": [
            message("unsubscribe", &instance, "2026-01-01T00:00:00Z"),
            message("purchase", &instance, "2026-02-01T00:00:00Z"),
            message("purchase", &instance, "2026-02-01T00:00:00Z"),
        ]});
        let Some(_) = done(&admin, "POST", "/v1/fulfilments", &buys).await else { return };
        ledger.lock().unwrap().bought.insert(instance.clone());
        let channel =
            json!({"merchant": "bos-1", "kind": "douyin", "app_id": format!("tt-{instance}"), "name": "Videos"});
        let Some(channel) = done(&admin, "POST", "/v1/channels", &channel).await else { return };
        let path = format!("/v1/channels/{}/endpoint-app", text(&channel["id"]));
        let Some(_) = done(&admin, "PUT", &path, &json!({"endpoint_app": cid})).await else { return };
        ledger.lock().unwrap().bound.insert(text(&channel["id"]));
    }
}

/// Everything of a list, page by page.
async fn all(admin: &Api, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}?merchant=bos-1&limit=200{cursor}")).await.good();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// Everything that was acknowledged is there.
async fn remembers(admin: &Api, cid: &str, ledger: &Ledger) {
    let known = |items: Vec<Value>, good: &dyn Fn(&Value) -> bool| {
        items.iter().filter(|item| good(item)).map(|item| text(&item["id"])).collect::<BTreeSet<_>>()
    };
    let active = known(all(admin, "/v1/product-instances").await, &|item| item["state"] == "active");
    let bound = known(all(admin, "/v1/channels").await, &|item| item["endpoint_app"] == cid);
    let ledger = ledger.lock().unwrap();
    assert!(ledger.bought.is_subset(&active), "lost: {:?}", ledger.bought.difference(&active));
    assert!(ledger.bound.is_subset(&bound), "lost: {:?}", ledger.bound.difference(&bound));
}

async fn killed_again_and_again(database: Database) {
    let receiver = Receiver::good().await;
    let mut berth = Installation::new(database).await;
    berth.args = vec!["--webhook-allow".into(), "127.0.0.0/8".into()];
    let process = berth.start().await;
    let admin = berth.admin(&process);
    admin.post("/v1/webhooks", json!({"url": receiver.url, "scope": {"kind": "platform"}})).await.good();
    admin.post("/v1/merchants", json!({"name": "M", "id": "bos-1"})).await.good();
    admin.post("/v1/fulfilments", message("purchase", "pi-first", "2026-01-01T00:00:00Z")).await.good();
    let defaults = admin.get("/v1/endpoint-apps?merchant=bos-1&default=true").await.good();
    let cid = text(&defaults["items"][0]["id"]);
    process.kill().await;
    let ledger = Ledger::default();
    for round in 0..CRASHES {
        let process = berth.start().await;
        let admin = berth.admin(&process);
        remembers(&admin, &cid, &ledger).await;
        let work = tokio::spawn(work(admin, round, cid.clone(), ledger.clone()));
        let mut moment = [0; 2];
        SystemRandom.fill(&mut moment);
        tokio::time::sleep(Duration::from_millis(u64::from(u16::from_le_bytes(moment)) % 700 + 50)).await;
        process.kill().await;
        work.await.unwrap();
        let pool = berth.pool().await;
        invariants::hold(&pool).await;
        pool.close().await;
    }
    let process = berth.start().await;
    remembers(&berth.admin(&process), &cid, &ledger).await;
    let (bought, bound) = {
        let ledger = ledger.lock().unwrap();
        (ledger.bought.len(), ledger.bound.len())
    };
    assert!(bought > 10 && bound > 10, "too little was done: {bought} bought, {bound} bound");
    let delivered = delivered_to_the_last(&berth, &receiver).await;
    eprintln!("{database:?}: {CRASHES} kills, {bought} bought, {bound} bound, {delivered}");
}

/// Waits until every event has arrived; how many there are, and how many messages they took.
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

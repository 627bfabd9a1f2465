//! The real binary, killed and started again, or asked to end.

use std::time::{Duration, Instant};

use berth_base::clock::{Random as _, SystemRandom};
use berth_tests::{
    Database, guests, invariants, made, postgres_is_there, process::Installation, scene::text, shop::Shop,
};
use serde_json::json;

/// How often a host is killed.
const CRASHES: usize = 20;

/// Kills a host at random moments while it works, and checks after each restart that it remembers everything.
async fn killed_again_and_again(database: Database) {
    let mut berth = Installation::new(database).await;
    let process = berth.start().await;
    let shop = Shop::open(&berth.admin(&process)).await;
    process.kill().await;
    let mut crashes = 0;
    // A slow machine does less between two crashes, and is given more of them.
    while crashes < CRASHES || crashes < 4 * CRASHES && !shop.ledger().says_enough() {
        crashes += 1;
        let process = berth.start().await;
        let admin = berth.admin(&process);
        shop.remembers(&admin, &process).await;
        let work = tokio::spawn({
            let (shop, device) = (shop.clone(), process.device(&shop.key));
            async move { shop.work(admin, device).await }
        });
        let mut moment = [0; 2];
        SystemRandom.fill(&mut moment);
        tokio::time::sleep(Duration::from_millis(u64::from(u16::from_le_bytes(moment)) % 900)).await;
        process.kill().await;
        work.await.unwrap();
        let pool = berth.pool().await;
        invariants::hold(&pool).await;
        pool.close().await;
    }
    let process = berth.start().await;
    shop.remembers(&berth.admin(&process), &process).await;
    let ledger = shop.ledger();
    assert!(ledger.says_enough(), "too little was done: {ledger:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f74_i5_f52_killed_again_and_again_nothing_acknowledged_is_lost_on_sqlite() {
    killed_again_and_again(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f74_i5_f52_killed_again_and_again_nothing_acknowledged_is_lost_on_postgres() {
    if postgres_is_there() {
        killed_again_and_again(Database::Postgres).await;
    }
}

/// An auditor has run for a part of its two seconds when the host is killed. The next host takes the audit over when
/// the lease has run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f51_an_audit_that_was_cut_off_is_carried_on_and_closes() {
    let mut berth = Installation::new(Database::Sqlite).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    Shop::open(&admin).await;
    let install = admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
    let wasm = guests::auditor("endless", guests::Manner::Loops);
    let policy = berth_tests::Answer::of(install.body(wasm), "install".into()).await.good();
    let bound = json!({"policy": policy["digest"], "scope": {"kind": "platform"}, "limits": {"deadline_ms": 2000}});
    admin.post("/v1/policy-bindings", bound).await.good();
    admin.push("coffee_1.0.0.apkg", made::package(1)).await.good();
    let audit = admin.send("POST", "/v1/mini-apps/coffee/versions/1.0.0/submit", None).await.good();
    tokio::time::sleep(Duration::from_millis(700)).await;
    process.kill().await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    let path = format!("/v1/audits/{}", text(&audit["id"]));
    assert_eq!(admin.get(&path).await.good()["state"], "checking");
    let began = Instant::now();
    while admin.get(&path).await.good()["state"] == "checking" {
        assert!(began.elapsed() < Duration::from_secs(60), "the audit hangs");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let audit = admin.get(&path).await.good();
    assert_eq!(audit["state"], "rejected"); // fails closed: an endless policy gives no verdict
    assert!(text(&audit["reason"]).contains("endless gave no verdict"), "{audit}");
    let installed = admin.get("/v1/policies?kind=auditor").await.good();
    assert_eq!(audit["evaluations"].as_array().unwrap().len(), installed["items"].as_array().unwrap().len());
}

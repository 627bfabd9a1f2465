//! Events that are delivered to receivers: their order and signatures, and receivers that fail, hang or are killed
//! (F92–F100).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use berth_base::clock::{Clock, Millis, Nature, SystemClock};
use berth_tests::{
    Api, Database, Host, Pool, clock, on_both, postgres_is_there,
    process::Installation,
    receiver::{Arrived, Receiver, Reply},
    scene::{Scene, text},
};
use berth_work::event::webhook::secret::{Key, signature};
use serde_json::{Value, json};

/// Creates a webhook of the platform for these types of events.
async fn webhook(admin: &Api, url: &str, types: &[&str]) -> Value {
    let body = json!({"url": url, "scope": {"kind": "platform"}, "types": types});
    admin.post("/v1/webhooks", body).await.good()
}

fn path(webhook: &Value) -> String {
    format!("/v1/webhooks/{}", text(&webhook["id"]))
}

async fn host_app(admin: &Api, id: &str) {
    admin.post("/v1/host-apps", json!({"name": id, "id": id})).await.good();
}

/// Takes `coffee` off the shelf and puts it back, in turns. Each turn makes one event about `coffee`.
async fn turn_shelf(scene: &Scene, times: usize) {
    for turn in 0..times {
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": turn % 2 == 1})).await.good();
    }
}

fn seqs(arrived: &[Arrived]) -> Vec<i64> {
    arrived.iter().map(Arrived::seq).collect()
}

fn is_signed(message: &Arrived, secret: &str) -> bool {
    let (id, seconds) = (message.header("webhook-id"), message.header("webhook-timestamp").parse().unwrap());
    let expected = signature(&[Key::of(secret).unwrap()], id, seconds, &message.body);
    message.header("webhook-signature").split(' ').any(|one| one == expected)
}

on_both! {
    async fn a_receiver_gets_each_event_as_a_signed_cloud_event(host) {
        let (admin, receiver) = (host.admin(), Receiver::good().await);
        let webhook = webhook(&admin, &receiver.url, &["host_app.*"]).await;
        host_app(&admin, "app-one").await;
        let arrived = receiver.until(|arrived| arrived.len() == 1).await;
        let (message, event) = (&arrived[0], arrived[0].event());
        assert_eq!(message.header("content-type"), "application/cloudevents+json");
        assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("dev.berth.host_app.created")));
        assert_eq!((&event["subject"], &event["data"]["id"]), (&json!("app-one"), &json!("app-one")));
        assert_eq!(message.header("webhook-id"), event["id"].as_str().unwrap());
        assert!(is_signed(message, &text(&webhook["secret"])));
        let detail = admin.get(&path(&webhook)).await.good();
        assert_eq!((&detail["waiting"], &detail["dead"]), (&json!(0), &json!(0)));
        assert!(detail.get("secret").is_none(), "a secret is shown once");
    }

    async fn i8_f85_secrets_of_webhooks_are_sealed(host) {
        let webhook = webhook(&host.admin(), "https://example.com/", &["host_app.created"]).await;
        let secret = text(&webhook["secret"]);
        let events = host.admin().get("/v1/events?limit=1000").await.good().to_string();
        assert!(!events.contains(&secret));
        for file in ["berth.db", "berth.db-wal"] {
            let bytes = std::fs::read(host.folder().join(file)).unwrap_or_default();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file} holds the secret");
        }
    }

    async fn a_scope_gets_what_its_members_may_read_and_nothing_else(host) {
        let scene = Scene::set(host).await;
        let (admin, receiver) = (&scene.admin, Receiver::good().await);
        let merchant = text(&admin.post("/v1/merchants", json!({"name": "M"})).await.good()["id"]);
        admin.post("/v1/merchants", json!({"name": "Other"})).await.good();
        let scopes = [("team", scene.team.as_str()), ("host_app", "super-app"), ("merchant", &merchant)];
        for (kind, id) in scopes {
            let body = json!({"url": format!("{}-{kind}", receiver.url), "scope": {"kind": kind, "id": id}});
            admin.post("/v1/webhooks", body).await.good();
        }
        let team = text(&admin.post("/v1/teams", json!({"name": "Other"})).await.good()["id"]);
        admin.post("/v1/mini-apps", json!({"name": "Other", "id": "other", "team": team})).await.good();
        turn_shelf(&scene, 1).await;
        admin.send("PATCH", &format!("/v1/merchants/{merchant}"), Some(&json!({"name": "N"}))).await.good();
        admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        let of = |arrived: &[Arrived], kind: &str| -> BTreeSet<String> {
            arrived.iter().filter(|one| one.path.ends_with(&format!("-{kind}"))).map(Arrived::kind).collect()
        };
        let expected = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<BTreeSet<_>>();
        let told = [
            ("team", expected(&["mini_app.off_shelf", "binding.removed"])),
            ("merchant", expected(&["webhook.created", "merchant.edited"])),
            ("host_app", expected(&["webhook.created", "binding.off_shelf", "binding.removed"])),
        ];
        receiver.until(|arrived| told.iter().all(|(kind, expected)| of(arrived, kind).is_superset(expected))).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        for (kind, expected) in told {
            assert_eq!(of(&receiver.arrived(), kind), expected, "{kind}");
        }
    }

    async fn f95_every_number_arrives_once_however_the_commits_race(host) {
        let (admin, receiver) = (host.admin(), Receiver::good().await);
        let first = admin.get("/v1/events?limit=1000").await.good()["last"].as_i64().unwrap();
        webhook(&admin, &receiver.url, &[]).await;
        let races: Vec<_> = (0..40)
            .map(|number| {
                let admin = admin.clone();
                tokio::spawn(async move { host_app(&admin, &format!("app-{number}")).await })
            })
            .collect();
        for race in races {
            race.await.unwrap();
        }
        // Each creates the host app and grants its first role; and the webhook itself.
        let arrived = receiver.until(|arrived| arrived.len() >= 81).await;
        let mut numbers = seqs(&arrived);
        numbers.sort_unstable();
        assert_eq!(numbers, (first + 1..=first + 81).collect::<Vec<_>>());
    }

    async fn f96_two_hosts_never_deliver_the_same_event(host) {
        let (admin, receiver) = (host.admin(), Receiver::good().await);
        let other = host.beside().await;
        webhook(&admin, &receiver.url, &["host_app.created"]).await;
        for number in 0..20 {
            let who = if number % 2 == 0 { &host } else { &other };
            host_app(&who.admin(), &format!("app-{number}")).await;
        }
        receiver.until(|arrived| arrived.len() >= 20).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let numbers = seqs(&receiver.arrived());
        assert_eq!(numbers.len(), 20, "{numbers:?}");
        // The lease goes with the host that stops, and not only when it ends by itself.
        let stopped = Instant::now();
        let token = other.admin_token.clone();
        host.stop().await;
        host_app(&other.with_token(&token), "app-last").await;
        receiver.until(|arrived| arrived.len() == 21).await;
        assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
    }

    async fn f97_receivers_that_hang_fail_and_flood_do_not_keep_others_waiting(host) {
        let (admin, good) = (host.admin(), Receiver::good().await);
        let hanging = Receiver::start(|_, _| Reply::Hang).await;
        let failing = Receiver::start(|_, _| Reply::Status(500)).await;
        let endless = Receiver::start(|_, _| Reply::Endless).await;
        let bomb = Receiver::start(|_, _| Reply::Bomb).await;
        let dripping = Receiver::dripping().await;
        for url in [&hanging.url, &failing.url, &endless.url, &bomb.url, &dripping, &good.url] {
            webhook(&admin, url, &["host_app.created"]).await;
        }
        let mut slowest = Duration::ZERO;
        for number in 0..12 {
            host_app(&admin, &format!("app-{number}")).await;
            let told = Instant::now();
            let arrived = good.until(|arrived| arrived.len() == number + 1).await;
            slowest = slowest.max(arrived[number].at.saturating_duration_since(told));
        }
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        // What cannot be read to its end is delivered all the same: the status has said so.
        endless.until(|arrived| arrived.len() >= 12).await;
        bomb.until(|arrived| arrived.len() >= 12).await;
        assert!(endless.sent() < 12 * (8 << 20), "{} bytes of endless answers were taken", endless.sent());
        assert!(hanging.arrived().len() <= 6, "one at a time of those that hang: {}", hanging.arrived().len());
    }

    async fn f97_a_webhook_far_behind_that_wants_little_keeps_nobody_waiting(host) {
        let (admin, receiver) = (host.admin(), Receiver::good().await);
        let far = webhook(&admin, "https://example.com/", &["webhook.ping"]).await;
        webhook(&admin, &receiver.url, &["host_app.created"]).await;
        let last = happen_often(&host).await;
        up_to(&admin, &far, last).await;
        admin.post(&format!("{}/replay", path(&far)), json!({"after": 0})).await.good();
        while how_far(&admin, &far).await == last {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        host_app(&admin, "app-one").await;
        receiver.until(|arrived| arrived.len() == 1).await;
        assert!(how_far(&admin, &far).await < last, "others are told while the one far behind still reads");
        up_to(&admin, &far, last).await;
        batch(&host.pool().await, "DELETE FROM event WHERE id LIKE 'evt_00000000000000000000%'").await;
    }

    async fn what_waits_is_shown_to_those_who_run_the_host(host) {
        let (admin, receiver) = (host.admin(), Receiver::start(|_, _| Reply::Status(500)).await);
        assert_eq!(figure(&admin, "webhook_deliveries_waiting").await, 0);
        let hook = webhook(&admin, &receiver.url, &["host_app.created"]).await;
        host_app(&admin, "app-one").await;
        waiting(&admin, &hook, 1).await;
        assert_eq!(figure(&admin, "webhook_deliveries_waiting").await, 1);
        assert_eq!(figure(&admin, "webhook_deliveries_dead").await, 0);
        let last = admin.get("/v1/events?limit=1000").await.good()["last"].as_i64().unwrap();
        up_to(&admin, &hook, last).await;
        assert_eq!(figure(&admin, "webhook_lag_events").await, 0);
        admin.send("PATCH", &path(&hook), Some(&json!({"enabled": false}))).await.good();
        host_app(&admin, "app-two").await;
        assert_eq!(figure(&admin, "webhook_lag_events").await, 0, "one that is off is not behind");
        assert_eq!(figure(&admin, "fulfilments_parked").await, 0);
        let message = json!({"id": "m1", "merchant": "bos-nobody", "instance": "pi-mall", "product": "mall", "kind": "purchase",
            "at": "2026-01-01T00:00:00Z"});
        admin.post("/v1/fulfilments", message).await.good();
        assert_eq!(figure(&admin, "fulfilments_parked").await, 1);
        admin.post("/v1/fulfilments/m1/discard", json!({"note": "It was a test."})).await.good();
        assert_eq!(figure(&admin, "fulfilments_parked").await, 0);
        let page = admin.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("nats_lag_events"), "this host publishes nothing");
    }

    async fn f98_a_receiver_that_is_gone_is_disabled_and_what_it_missed_waits(host) {
        let (admin, receiver) = (host.admin(), Receiver::start(|_, before| Reply::Status(if before == 0 { 410 } else { 204 })).await);
        let webhook = webhook(&admin, &receiver.url, &["host_app.created"]).await;
        host_app(&admin, "app-one").await;
        let mut shown = json!(null);
        for _ in 0..200 {
            shown = admin.get(&path(&webhook)).await.good();
            if shown["enabled"] == false { break; }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(shown["enabled"], false);
        assert!(text(&shown["disabled_why"]).contains("410"), "{shown}");
        let events = admin.get("/v1/events?limit=1000").await.good().to_string();
        assert!(events.contains("webhook.disabled"));
        host_app(&admin, "app-two").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(receiver.arrived().len(), 1);
        admin.send("PATCH", &path(&webhook), Some(&json!({"enabled": true}))).await.good();
        let arrived = receiver.until(|arrived| arrived.len() >= 3).await;
        let subjects: BTreeSet<_> = arrived.iter().map(|one| text(&one.event()["subject"])).collect();
        assert_eq!(subjects, BTreeSet::from(["app-one".to_owned(), "app-two".to_owned()]));
    }

    async fn f98_retry_after_puts_the_next_try_off(host) {
        let busy = |_: &Arrived, _| Reply::With(503, "retry-after", "600".into());
        let (admin, receiver) = (host.admin(), Receiver::start(busy).await);
        let webhook = webhook(&admin, &receiver.url, &["host_app.created"]).await;
        host_app(&admin, "app-one").await;
        let waiting = waiting(&admin, &webhook, 1).await;
        let next: Millis = text(&waiting[0]["next_at"]).parse().unwrap();
        let wait = next.0 - SystemClock.now().0;
        assert!((500_000..=601_000).contains(&wait), "{wait}");
        assert_eq!((&waiting[0]["status"], &waiting[0]["attempts"]), (&json!(503), &json!(1)));
        host_app(&admin, "app-two").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(receiver.arrived().len(), 1, "another subject waits too: the receiver asked for it");
    }

    async fn f99_after_a_rotation_both_secrets_sign_for_a_while(host) {
        let (admin, receiver) = (host.admin(), Receiver::good().await);
        let webhook = webhook(&admin, &receiver.url, &["host_app.created"]).await;
        let rotate = format!("{}/rotate-secret", path(&webhook));
        let rotated = admin.post(&rotate, json!({"keep_old_seconds": 60})).await.good();
        let (old, new) = (text(&webhook["secret"]), text(&rotated["secret"]));
        assert_ne!(old, new);
        host_app(&admin, "app-one").await;
        let message = &receiver.until(|arrived| arrived.len() == 1).await[0];
        assert!(is_signed(message, &old) && is_signed(message, &new));
        let newest = text(&admin.post(&rotate, json!({"keep_old_seconds": 0})).await.good()["secret"]);
        host_app(&admin, "app-two").await;
        let message = &receiver.until(|arrived| arrived.len() == 2).await[1];
        assert!(is_signed(message, &newest) && is_signed(message, &old) && !is_signed(message, &new));
    }

    async fn f100_events_of_one_subject_keep_their_order_through_a_failure(host) {
        let scene = Scene::set(host).await;
        let failing_once = |message: &Arrived, before| Reply::Status(if before == 0 && message.kind() == "mini_app.off_shelf" { 500 } else { 204 });
        let receiver = Receiver::start(failing_once).await;
        webhook(&scene.admin, &receiver.url, &["mini_app.*", "host_app.created"]).await;
        turn_shelf(&scene, 4).await;
        host_app(&scene.admin, "app-one").await;
        let started = Instant::now();
        let arrived = receiver.until(|arrived| arrived.iter().any(|one| one.kind() == "host_app.created")).await;
        assert!(started.elapsed() < Duration::from_secs(3), "another subject does not wait for it");
        assert_eq!(arrived.iter().filter(|one| one.kind().starts_with("mini_app")).count(), 1);
        let arrived = receiver.until(|arrived| arrived.len() == 6).await;
        let shelf: Vec<_> = arrived.iter().filter(|one| one.kind().starts_with("mini_app")).collect();
        let numbers: Vec<_> = shelf.iter().map(|one| one.seq()).collect();
        assert_eq!(numbers[0], numbers[1], "the failed one again");
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(shelf[0].header("webhook-id"), shelf[1].header("webhook-id"));
    }

    async fn f100_a_delivery_behind_an_earlier_one_has_no_time_and_says_which(host) {
        let scene = Scene::set(host).await;
        let receiver = Receiver::start(|_, _| Reply::Status(500)).await;
        let webhook = webhook(&scene.admin, &receiver.url, &["mini_app.*"]).await;
        turn_shelf(&scene, 3).await;
        let waiting = waiting(&scene.admin, &webhook, 3).await;
        assert!(waiting[0]["next_at"].is_string() && waiting[0].get("behind").is_none(), "{}", waiting[0]);
        for held in &waiting[1..] {
            assert_eq!((&held["next_at"], &held["behind"]), (&json!(null), &waiting[0]["seq"]), "{held}");
        }
    }

    async fn w5_f80_whoever_keeps_an_address_book_is_told_of_no_webhooks(host) {
        let admin = host.admin();
        admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        let hook = json!({"url": "http://127.0.0.1:9/", "scope": {"kind": "workspace", "id": "acme"}});
        admin.post("/v1/webhooks", hook).await.good();
        for (role, told) in [("viewer", 1), ("admin", 1), ("server", 0), ("provisioner", 0)] {
            let (account, member) = host.somebody(role).await;
            admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": role})).await.good();
            let listed = member.get("/v1/webhooks").await.good();
            assert_eq!(listed["items"].as_array().unwrap().len(), told, "{role}: {listed}");
        }
    }

    async fn what_is_dead_can_be_replayed_and_everything_can(host) {
        let (clock, nature) = clock();
        let host = host.again_in(nature, |_| {}).await;
        let admin = host.admin();
        let receiver = Receiver::start(|_, before| Reply::Status(if before < 10 { 500 } else { 204 })).await;
        let webhook = webhook(&admin, &receiver.url, &["host_app.created"]).await;
        host_app(&admin, "app-one").await;
        for tries in 1..=10 {
            receiver.until(|arrived| arrived.len() >= tries).await;
            tokio::time::sleep(Duration::from_millis(300)).await; // it is written
            clock.advance_seconds(2 * 86_400);
        }
        let dead = listed(&admin, &webhook, "dead", 1).await;
        assert_eq!((&dead[0]["attempts"], &dead[0]["status"]), (&json!(10), &json!(500)));
        let seq = dead[0]["seq"].as_i64().unwrap();
        admin.send("POST", &format!("{}/deliveries/{seq}/replay", path(&webhook)), None).await.good();
        let arrived = receiver.until(|arrived| arrived.len() == 11).await;
        let ids: BTreeSet<_> = arrived.iter().map(|one| one.header("webhook-id").to_owned()).collect();
        assert_eq!(ids.len(), 1, "one id for every try");
        listed(&admin, &webhook, "dead", 0).await;
        admin.post(&format!("{}/replay", path(&webhook)), json!({"after": seq - 1})).await.good();
        assert_eq!(receiver.until(|arrived| arrived.len() == 12).await[11].seq(), seq);
        admin.post(&format!("{}/replay", path(&webhook)), json!({"after": 1_000_000})).await.refused("invalid-field");
    }

    async fn what_a_receiver_answered_is_kept_for_a_while(host) {
        let admin = host.admin();
        let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 204 })).await;
        let webhook = webhook(&admin, &receiver.url, &["host_app.created"]).await;
        host_app(&admin, "app-one").await;
        receiver.until(|arrived| arrived.len() == 2).await;
        let seq = receiver.arrived()[0].seq();
        let attempts = async |query: &str| {
            let list = admin.get(&format!("{}/attempts{query}", path(&webhook))).await.good();
            list["items"].as_array().unwrap().clone()
        };
        let mut kept = Vec::new();
        for _ in 0..50 {
            kept = attempts("").await;
            if kept.len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let said = |one: &Value| json!([one["seq"], one["type"], one["delivered"], one["status"], one["error"].is_string()]);
        let expected = [json!([seq, "host_app.created", true, 204, false]), json!([seq, "host_app.created", false, 500, true])];
        assert_eq!(kept.iter().map(said).collect::<Vec<_>>(), expected, "newest first");
        assert!(kept.iter().all(|one| one["millis"].as_i64().unwrap() >= 0));
        assert_eq!(attempts("?delivered=false").await, kept[1..]);
        assert_eq!(attempts(&format!("?event={seq}&delivered=true")).await, kept[..1]);
        assert_eq!(attempts(&format!("?event={}", seq + 1)).await, Vec::<Value>::new());
        let first = admin.get(&format!("{}/attempts?limit=1", path(&webhook))).await.good();
        assert_eq!(attempts(&format!("?limit=1&cursor={}", first["next"].as_str().unwrap())).await, kept[1..]);
        admin.get(&format!("{}/attempts?cursor=x", path(&webhook))).await.refused("invalid-cursor");
        let pool = host.pool().await;
        admin.send("DELETE", &path(&webhook), None).await.good();
        assert_eq!(pool.number("SELECT COUNT(*) FROM webhook_attempt").await, 0, "they go with the webhook");
    }

    async fn a_test_says_what_the_receiver_said(host) {
        let (admin, receiver) = (host.admin(), Receiver::start(|_, _| Reply::With(418, "x", "y".into())).await);
        let webhook = webhook(&admin, &receiver.url, &[]).await;
        let said = admin.send("POST", &format!("{}/test", path(&webhook)), None).await.good();
        assert_eq!((&said["delivered"], &said["status"]), (&json!(false), &json!(418)));
        let ping = receiver.until(|arrived| arrived.iter().any(|one| one.kind() == "webhook.ping")).await;
        let ping = ping.iter().find(|one| one.kind() == "webhook.ping").unwrap();
        assert!(is_signed(ping, &text(&webhook["secret"])));
    }
}

/// Makes 300,000 events behind the host's back, which are much to read and wanted by nobody. Returns the number of the
/// last one.
async fn happen_often(host: &Host) -> i64 {
    let pool = host.pool().await;
    let before = pool.number("SELECT last FROM event_head").await;
    let sql = "BEGIN;
        UPDATE event_head SET last = last + 300000;
        INSERT INTO event (seq, id, type, subject, actor, at, data)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
        SELECT h.last - 300000 + n.i, 'evt_00000000000000000000' || (500000 + n.i), e.type, e.subject, e.actor, e.at, e.data
        FROM n CROSS JOIN event_head h CROSS JOIN event e WHERE e.seq = 1;
        COMMIT;";
    batch(&pool, sql).await;
    let last = pool.number("SELECT COUNT(*) FROM event").await;
    assert!(last >= before + 300_000, "{last} after {before}");
    last
}

/// Runs SQL statements on the database, behind the host's back.
async fn batch(pool: &Pool, sql: &'static str) {
    match pool {
        Pool::Sqlite(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
        Pool::Postgres(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.unwrap()),
    }
}

/// Waits until a webhook has come as far as the event `seq`.
async fn up_to(admin: &Api, webhook: &Value, seq: i64) {
    for _ in 0..2400 {
        if how_far(admin, webhook).await >= seq {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the webhook has not come up to {seq} within 60 s");
}

/// The number of the event up to which a webhook has got its events.
async fn how_far(admin: &Api, webhook: &Value) -> i64 {
    admin.get(&path(webhook)).await.good()["up_to"].as_i64().unwrap()
}

/// Reads a figure of `/metrics`.
async fn figure(admin: &Api, name: &str) -> i64 {
    let page = admin.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("berth_{name} ")));
    line.unwrap_or_else(|| panic!("there is no {name} in {page}")).parse().unwrap()
}

/// Waits until `count` deliveries are in a state, and returns them.
async fn listed(admin: &Api, webhook: &Value, state: &str, count: usize) -> Vec<Value> {
    let mut items = Vec::new();
    for _ in 0..400 {
        let page = admin.get(&format!("{}/deliveries?state={state}", path(webhook))).await.good();
        items = page["items"].as_array().unwrap().clone();
        if items.len() == count {
            return items;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("expected {count} in state {state}, there are {items:?}");
}

async fn waiting(admin: &Api, webhook: &Value, count: usize) -> Vec<Value> {
    listed(admin, webhook, "waiting", count).await
}

#[tokio::test]
async fn f92_a_webhook_leads_nowhere_inside() {
    let inside = Receiver::good().await;
    let nature = Nature::default();
    let host = Host::start(Database::Sqlite).await.again_in(nature, |config| config.webhooks.allow.clear()).await;
    let admin = host.admin();
    let port = inside.url.trim_start_matches("http://127.0.0.1:").trim_end_matches("/hook").to_owned();
    for url in [
        format!("https://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "https://169.254.169.254/latest/meta-data".into(),
        "https://10.0.0.1/".into(),
        "https://[fd00::1]/".into(),
        "https://[64:ff9b::7f00:1]/".into(),
    ] {
        let body = json!({"url": url, "scope": {"kind": "platform"}});
        admin.post("/v1/webhooks", body).await.refused("invalid-field");
    }
    // A name is judged by what it leads to, whenever it is asked (F93).
    let webhook = webhook(&admin, &format!("https://localhost:{port}/"), &["host_app.created"]).await;
    let said = admin.send("POST", &format!("{}/test", path(&webhook)), None).await.good();
    assert!(text(&said["error"]).contains("no public address"), "{said}");
    host_app(&admin, "app-one").await;
    let waiting = waiting(&admin, &webhook, 1).await;
    assert!(text(&waiting[0]["error"]).contains("no public address"), "{waiting:?}");
    assert_eq!(inside.arrived().len(), 0);
}

#[tokio::test]
async fn f93_a_redirect_is_not_followed() {
    let host = Host::start(Database::Sqlite).await;
    let (admin, inside) = (host.admin(), Receiver::good().await);
    let target = inside.url.clone();
    let receiver = Receiver::start(move |_, _| Reply::With(307, "location", target.clone())).await;
    let webhook = webhook(&admin, &receiver.url, &[]).await;
    let said = admin.send("POST", &format!("{}/test", path(&webhook)), None).await.good();
    assert!(text(&said["error"]).contains("Redirects are not followed"), "{said}");
    waiting(&admin, &webhook, 1).await;
    assert_eq!(inside.arrived().len(), 0);
}

/// The receiver has the message, but the host is killed before it knows. The message comes again, with the same id.
async fn f94_on(database: Database) {
    let receiver = Receiver::start(|_, before| if before == 0 { Reply::Hang } else { Reply::Status(204) }).await;
    let mut installation = Installation::new(database).await;
    installation.args = ["--webhook-allow", "127.0.0.0/8", "--webhook-timeout", "30s"].map(str::to_owned).to_vec();
    let host = installation.start().await;
    let admin = installation.admin(&host);
    webhook(&admin, &receiver.url, &["host_app.created"]).await;
    host_app(&admin, "app-one").await;
    receiver.until(|arrived| arrived.len() == 1).await;
    host.kill().await;
    let killed = Instant::now();
    let host = installation.start().await;
    host_app(&installation.admin(&host), "app-two").await;
    let arrived = receiver.until(|arrived| arrived.len() >= 3).await;
    assert!(killed.elapsed() < Duration::from_secs(20), "its lease is short: {:?}", killed.elapsed());
    let mut ids = BTreeMap::<_, Vec<_>>::new();
    arrived.iter().for_each(|one| ids.entry(text(&one.event()["subject"])).or_default().push(one.header("webhook-id")));
    assert_eq!(ids["app-one"].len(), 2);
    assert_eq!(ids["app-one"][0], ids["app-one"][1]);
    assert_eq!(ids["app-two"].len(), 1);
}

#[tokio::test]
async fn f94_killed_between_send_and_mark_it_is_sent_again_with_the_same_id() {
    f94_on(Database::Sqlite).await;
    if postgres_is_there() {
        f94_on(Database::Postgres).await;
    }
}

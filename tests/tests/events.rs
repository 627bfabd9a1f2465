//! How events leave the host: the catalogue of their types, the event stream, NATS JetStream, and whether libraries of
//! others accept them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use async_nats::jetstream::{self, consumer};
use berth_base::ids::TeamId;
use berth_model::{access::Team, event::kind};
use berth_tests::{
    Api, Database, Host, Pool, on_both,
    receiver::Receiver,
    run_node,
    scene::{Scene, person, text},
    there_is,
};
use berth_work::{
    event::{self, relay},
    nats,
};
use futures_util::StreamExt;
use serde_json::{Value, json};

/// An event stream that is being read.
struct Reading {
    response: reqwest::Response,
    text: String,
}

impl Reading {
    async fn open(who: &Api, path: &str, last: Option<i64>) -> Self {
        let request = who.request("GET", path);
        let request = last.iter().fold(request, |request, id| request.header("Last-Event-ID", *id));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// Returns the next event and the `id` of its message; `None` at the end of the stream.
    async fn next(&mut self) -> Option<(i64, Value)> {
        loop {
            if let (id, Some(event)) = self.message().await? {
                return Some((id, event));
            }
        }
    }

    /// Returns the `id` of the next message, which must be a heartbeat without an event.
    async fn heartbeat(&mut self) -> i64 {
        match self.message().await {
            Some((id, None)) => id,
            other => panic!("expected a heartbeat, there is {other:?}"),
        }
    }

    /// Returns the `id` of the next message, and its event when it has one.
    async fn message(&mut self) -> Option<(i64, Option<Value>)> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name));
                let event = field("data: ").map(|data| serde_json::from_str(data).unwrap());
                let found = (field("id: ").unwrap().parse().unwrap(), event);
                self.text = rest.to_owned();
                return Some(found);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }
}

async fn turn_shelf(scene: &Scene, on: bool) {
    scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": on})).await.good();
}

on_both! {
    async fn every_event_of_a_life_fits_its_schema(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = text(&scene.gray("1.1.0", json!({"max_users": 5})).await.good()["id"]);
        for step in ["suspend", "resume", "end"] {
            scene.admin.post(&format!("/v1/gray-tasks/{task}/{step}"), json!({})).await.good();
        }
        scene.push("1.2.0", "1.2.0").await.good();
        let trial = json!({"version": "1.2.0", "entry_path": "pages/index/index", "accounts": ["a"]});
        scene.admin.put("/v1/mini-apps/coffee/trial", trial).await.good();
        scene.admin.delete("/v1/mini-apps/coffee/trial").await.good();
        scene.admin.delete("/v1/mini-apps/coffee/versions/1.2.0").await.good();
        scene.publish("1.1.0").await.good();
        scene.roll_back("1.0.0").await.good();
        turn_shelf(&scene, false).await;
        turn_shelf(&scene, true).await;
        scene.admin.put("/v1/mini-apps/coffee/min-version", json!({"version": "1.0.0"})).await.good();
        let token = scene.admin.post("/v1/tokens", json!({"name": "t"})).await.good();
        scene.admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        let merchant = text(&scene.admin.post("/v1/merchants", json!({"name": "M"})).await.good()["id"]);
        scene.admin.send("PATCH", &format!("/v1/merchants/{merchant}"), Some(&json!({"name": "N"}))).await.good();
        let hook = json!({"url": "https://example.com/", "scope": {"kind": "platform"}, "types": ["webhook.ping"]});
        let hook = text(&scene.admin.post("/v1/webhooks", hook).await.good()["id"]);
        scene.admin.post(&format!("/v1/webhooks/{hook}/replay"), json!({"after": 0})).await.good();
        scene.admin.post(&format!("/v1/webhooks/{hook}/rotate-secret"), json!({})).await.good();
        scene.admin.send("PATCH", &format!("/v1/webhooks/{hook}"), Some(&json!({"enabled": false}))).await.good();
        scene.admin.delete(&format!("/v1/webhooks/{hook}")).await.good();
        scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        let events = scene.admin.get("/v1/events?limit=1000").await.good();
        let mut schemas = BTreeMap::new();
        for event in events["items"].as_array().unwrap() {
            let kind = text(&event["type"]);
            if !schemas.contains_key(&kind) {
                let schema = scene.admin.get(&format!("/v1/event-types/{kind}")).await;
                assert_eq!(schema.header("content-type"), "application/schema+json");
                let schema = jsonschema::options().offline().build(&schema.good()).unwrap();
                schemas.insert(kind.clone(), schema);
            }
            let broken: Vec<_> = schemas[&kind].iter_errors(&event["data"]).map(|error| error.to_string()).collect();
            assert!(broken.is_empty(), "{kind}: {broken:?} in {}", event["data"]);
        }
        assert!(schemas.len() >= 30, "{:?}", schemas.keys());
        scene.admin.get("/v1/event-types/version.unheard").await.refused("not-found");
    }

    async fn a_host_app_hears_of_what_its_devices_get_and_of_what_waits_for_it(host) {
        let scene = Scene::set(host).await;
        let (account, token) = person(&scene.admin, "auditor", json!({})).await;
        let member = format!("/v1/host-apps/super-app/members/{account}");
        scene.admin.put(&member, json!({"role": "auditor"})).await.good();
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        scene.roll_back("1.0.0").await.good();
        let recall = json!({"on": false, "note": "a wrong price"});
        scene.admin.post("/v1/mini-apps/coffee/shelf", recall).await.good();
        turn_shelf(&scene, true).await;
        let heard = scene.host.with_token(&token).get("/v1/events?host_app=super-app&limit=1000").await.good();
        let heard: Vec<_> = heard["items"].as_array().unwrap().iter().filter(|one| text(&one["type"]).starts_with("binding.")).collect();
        let told = |one: &&Value| format!("{} {}", text(&one["type"]), one["data"]["version"].as_str().unwrap_or_default());
        assert_eq!(
            heard.iter().map(told).collect::<Vec<_>>(),
            [
                "binding.created ",
                "binding.audit_waits 1.0.0",
                "binding.online 1.0.0",
                "binding.audit_waits 1.1.0",
                "binding.online 1.1.0",
                "binding.online 1.0.0",
                "binding.off_shelf ",
                "binding.on_shelf ",
            ]
        );
        assert_eq!(heard[6]["data"]["shelf_note"], "a wrong price");
    }

    async fn f84_whoever_lost_the_token_hears_of_nothing_more(host) {
        let scene = Scene::set(host).await;
        let token = scene.admin.post("/v1/tokens", json!({"name": "t"})).await.good();
        let holder = scene.host.with_token(&text(&token["secret"]));
        let mut stream = Reading::open(&holder, "/v1/events/stream?mini_app=coffee", None).await;
        turn_shelf(&scene, false).await;
        assert!(stream.next().await.is_some());
        scene.admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        turn_shelf(&scene, true).await;
        assert!(stream.next().await.is_none());
    }

    async fn the_stream_tells_what_happens_and_goes_on_where_it_broke_off(host) {
        let scene = Scene::set(host).await;
        let mut stream = Reading::open(&scene.admin, "/v1/events/stream?mini_app=coffee&types=mini_app.*", None).await;
        let started = Instant::now();
        turn_shelf(&scene, false).await;
        let (first, event) = stream.next().await.unwrap();
        assert_eq!((&event["type"], &event["seq"]), (&json!("mini_app.off_shelf"), &json!(first)));
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        drop(stream);
        scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        turn_shelf(&scene, true).await;
        turn_shelf(&scene, false).await;
        let mut stream = Reading::open(&scene.admin, "/v1/events/stream?mini_app=coffee&types=mini_app.*", Some(first)).await;
        let kinds = [stream.next().await.unwrap().1, stream.next().await.unwrap().1].map(|event| text(&event["type"]));
        assert_eq!(kinds, ["mini_app.on_shelf", "mini_app.off_shelf"]);
        let bad = scene.admin.get("/v1/events/stream?types=nothing").await;
        bad.refused("invalid-field");
    }

    async fn the_stream_of_another_host_tells_the_same(host) {
        let scene = Scene::set(host).await;
        let other = scene.host.beside().await;
        let mut stream = Reading::open(&other.with_token(&scene.host.admin_token), "/v1/events/stream?mini_app=coffee", None).await;
        turn_shelf(&scene, false).await;
        assert_eq!(stream.next().await.unwrap().1["type"], "mini_app.off_shelf");
    }

    async fn f84_a_stream_ends_when_its_token_is_revoked_and_when_the_host_stops(host) {
        let scene = Scene::set(host).await;
        let token = scene.admin.post("/v1/tokens", json!({"name": "t"})).await.good();
        let theirs = scene.host.with_token(&text(&token["secret"]));
        let mut stream = Reading::open(&theirs, "/v1/events/stream?mini_app=coffee", None).await;
        scene.admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        assert!(stream.next().await.is_none(), "it ends with the next heartbeat");
        let mut stream = Reading::open(&scene.admin, "/v1/events/stream?mini_app=coffee", None).await;
        let stopping = Instant::now();
        scene.host.stop().await;
        assert!(stream.next().await.is_none());
        assert!(stopping.elapsed() < Duration::from_secs(10), "a stream does not hold up the end: {:?}", stopping.elapsed());
    }

    async fn a_heartbeat_says_how_far_nothing_happened(host) {
        let scene = Scene::set(host).await;
        let path = "/v1/events/stream?mini_app=coffee";
        let mut stream = Reading::open(&scene.admin, path, None).await;
        let begun = stream.heartbeat().await;
        for name in ["One", "Two"] {
            scene.admin.post("/v1/teams", json!({"name": name})).await.good();
        }
        let last = scene.admin.get("/v1/events?limit=1000").await.good()["last"].as_i64().unwrap();
        assert!(begun < last);
        assert_eq!(stream.heartbeat().await, last, "nothing of it happened up to there");
        let mut again = Reading::open(&scene.admin, path, Some(last)).await;
        turn_shelf(&scene, false).await;
        assert_eq!(again.next().await.unwrap().1["type"], "mini_app.off_shelf");
    }

    async fn every_event_is_published_to_nats_in_order_and_once(host) {
        let Some(settings) = nats_settings() else { return };
        let config = settings.clone();
        let host = host.again(move |all| all.nats = config).await;
        let scene = Scene::set(host).await;
        turn_shelf(&scene, false).await;
        let context = nats::connect(&settings).await.unwrap();
        let expected = events(&scene.host).await;
        relayed(&scene.host).await;
        let told = published(&context, &expected).await;
        assert_eq!(ids(&told), expected);
        for message in &told {
            let kind = message.event["type"].as_str().unwrap().trim_start_matches("dev.berth.");
            assert_eq!(message.subject, format!("{}.{kind}", relay::SUBJECTS));
            assert_eq!(message.id, message.event["id"].as_str().unwrap());
        }
        // Killed after publishing and before that was noted: everything is published again, and JetStream drops it.
        set_back_relay(&scene.host).await;
        let host = scene.host.again(|_| {}).await;
        let expected = events(&host).await;
        relayed(&host).await;
        assert_eq!(ids(&published(&context, &expected).await), expected);
        // Another host goes on when this one stops.
        let other = host.beside().await;
        host.stop().await;
        other.admin().post("/v1/teams", json!({"name": "Late"})).await.good();
        let expected = events(&other).await;
        relayed(&other).await;
        assert_eq!(ids(&published(&context, &expected).await), expected);
    }

    async fn an_event_too_large_for_nats_does_not_hold_up_those_behind_it(host) {
        let Some(settings) = nats_settings() else { return };
        let config = settings.clone();
        let host = host.again(move |all| all.nats = config).await;
        let name = "x".repeat(2 << 20);
        let mut tx = host.app.db.begin().await.unwrap();
        let id = TeamId::generate(tx.now(), tx.random());
        let large = Team { id, name: name.clone(), created_at: tx.now() };
        tx.tell(kind::TEAM_CREATED, &"team_large", event::BERTH, &large);
        tx.commit().await.unwrap();
        host.admin().post("/v1/teams", json!({"name": "Behind"})).await.good();
        relayed(&host).await;
        let expected = events(&host).await;
        let told = published(&nats::connect(&settings).await.unwrap(), &expected).await;
        assert_eq!(ids(&told), expected);
        let large = told.iter().find(|message| message.event["subject"] == "team_large").unwrap();
        assert!(large.event.get("data").is_none(), "{}", large.event);
        let page = host.admin().get(large.event["berthdataref"].as_str().unwrap()).await.good();
        assert_eq!((&page["items"][0]["id"], &page["items"][0]["data"]["name"]), (&json!(large.id), &json!(name)));
        let whole = |message: &&Published| message.event.get("data").is_some();
        assert_eq!(told.iter().filter(whole).count(), told.len() - 1, "all others have their data");
    }
}

fn nats_settings() -> Option<nats::NatsConfig> {
    there_is("BERTH_TEST_NATS").map(|url| nats::NatsConfig { nats_url: Some(url), nats_credentials: None })
}

/// The ids of all events of a host, in order.
async fn events(host: &Host) -> Vec<String> {
    let events = host.admin().get("/v1/events?limit=1000").await.good();
    events["items"].as_array().unwrap().iter().map(|event| text(&event["id"])).collect()
}

/// Waits until every event is published.
async fn relayed(host: &Host) {
    let pool = host.pool().await;
    for _ in 0..1600 {
        let behind = "SELECT last - COALESCE((SELECT MAX(seq) FROM event_relay), 0) FROM event_head";
        if pool.number(behind).await == 0 {
            return pool.close().await;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the relay has not caught up within 40 s")
}

async fn set_back_relay(host: &Host) {
    let sql = "UPDATE event_relay SET seq = 0";
    let done = match host.pool().await {
        Pool::Sqlite(pool) => sqlx::query(sql).execute(&pool).await.unwrap().rows_affected(),
        Pool::Postgres(pool) => sqlx::query(sql).execute(&pool).await.unwrap().rows_affected(),
    };
    assert_eq!(done, 1);
}

/// A message of the JetStream stream.
struct Published {
    id: String,
    subject: String,
    event: Value,
}

fn ids(messages: &[Published]) -> Vec<String> {
    messages.iter().map(|message| message.id.clone()).collect()
}

/// The messages that the stream now holds about these events, with repetitions. Other hosts publish to the same server.
async fn published(context: &jetstream::Context, of: &[String]) -> Vec<Published> {
    let mut stream = stream_of(context).await;
    let end = stream.info().await.unwrap().state.last_sequence;
    let filter_subject = format!("{}.>", relay::SUBJECTS);
    let config = consumer::pull::OrderedConfig { filter_subject, ..Default::default() };
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let mut found = Vec::new();
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), messages.next()).await.unwrap().unwrap().unwrap();
        let id = message.headers.as_ref().unwrap().get("Nats-Msg-Id").unwrap().as_str().to_owned();
        if of.contains(&id) {
            let event = serde_json::from_slice(&message.payload).unwrap();
            found.push(Published { id, subject: message.subject.to_string(), event });
        }
        if message.info().unwrap().stream_sequence >= end {
            return found;
        }
    }
}

async fn stream_of(context: &jetstream::Context) -> jetstream::stream::Stream {
    for _ in 0..200 {
        if let Ok(stream) = context.get_stream(relay::STREAM).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the stream {} was not created", relay::STREAM)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f99_the_libraries_of_standard_webhooks_and_cloudevents_accept_our_messages() {
    let Some(modules) = there_is("BERTH_TEST_NODE_MODULES") else { return };
    let named = |settings: &mut berth_work::config::Config| settings.public_url = Some("https://berth.example".into());
    let host = Host::start(Database::Sqlite).await.again(named).await;
    let (admin, receiver) = (host.admin(), Receiver::good().await);
    let body = json!({"url": receiver.url, "scope": {"kind": "platform"}, "types": ["host_app.created"]});
    let webhook = admin.post("/v1/webhooks", body).await.good();
    let rotate = format!("/v1/webhooks/{}/rotate-secret", text(&webhook["id"]));
    let rotated = admin.post(&rotate, json!({})).await.good();
    admin.post("/v1/host-apps", json!({"name": "灰度", "id": "app-one"})).await.good();
    let message = &receiver.until(|arrived| arrived.len() == 1).await[0];
    let headers: BTreeMap<_, _> =
        message.headers.keys().map(|name| (name.as_str(), message.header(name.as_str()))).collect();
    let question = json!({
        "secrets": [webhook["secret"], rotated["secret"]],
        "headers": headers,
        "body": std::str::from_utf8(&message.body).unwrap(),
    });
    let said = run_node(&modules, "verify-webhook.cjs", &question).await;
    assert_eq!(said["verified"], 2, "{said}");
    assert_eq!(said["forged"], 0, "a changed body must not verify: {said}");
    assert_eq!((&said["type"], &said["name"]), (&json!("dev.berth.host_app.created"), &json!("灰度")));
}

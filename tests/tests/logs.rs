//! Real-time logs (D4): from an SDK to somebody who looks for a fault.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use berth_base::clock::{ManualClock, Nature, SystemRandom};
use berth_tests::{
    Answer, Api, Database, Host, clickhouse, on_both,
    receiver::{Arrived, Receiver, Reply},
    scene::{Scene, text},
    there_is,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use futures_util::StreamExt;
use serde_json::{Value, json};

/// A host whose scene is set, and whose index knows it.
async fn scene(host: Host) -> Scene {
    let scene = Scene::set(host).await;
    scene.host.settled().await;
    scene
}

fn entry(message: &str, more: Value) -> Value {
    let mut entry = json!({"mini_app": "coffee", "at": "2030-01-31T08:00:00Z", "level": "info", "message": message});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

fn batch(entries: Value) -> Value {
    json!({"host_app": "super-app", "guid": "device-1", "platform": "android", "host_version": "3.2.1",
        "sdk_version": "1.0.0", "entries": entries})
}

async fn send(scene: &Scene, entries: Value) -> Answer {
    scene.host.device(&scene.key).post("/v1/logs", batch(entries)).await
}

async fn messages(api: &Api, query: &str) -> Vec<String> {
    let page = api.get(&format!("/v1/logs?{query}")).await.good();
    page["items"].as_array().unwrap().iter().map(|item| text(&item["message"])).collect()
}

async fn send_packed(scene: &Scene, body: Vec<u8>, packing: &str) -> Answer {
    let request = scene.host.device(&scene.key).request("POST", "/v1/logs");
    let request = request.header("content-type", "application/json").header("content-encoding", packing).body(body);
    Answer::of(request, format!("a batch by {packing}")).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

on_both! {
    async fn d4_what_a_device_sends_is_found_by_every_condition_newest_first(host) {
        let scene = scene(host).await;
        let sent = json!([
            entry("opened", json!({"page": "pages/index/index"})),
            entry("支付 timed out after 30 s", json!({"level": "error", "page": "pages/pay/pay?id=7", "version": "1.0.0", "filter_msg": "order-77"})),
            entry("closed", json!({"level": "warn"})),
        ]);
        assert_eq!(send(&scene, sent).await.good(), json!({"kept": 3, "refused": []}));
        let other = json!({"host_app": "super-app", "guid": "device-2", "account": "alice", "platform": "ios",
            "host_version": "3.3.0", "sdk_version": "2.0.0", "entries": [entry("elsewhere", json!({}))]});
        scene.host.device(&scene.key).post("/v1/logs", other).await.good();
        let all = ["elsewhere", "closed", "支付 timed out after 30 s", "opened"];
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, all);
        assert_eq!(messages(&scene.admin, "host_app=super-app").await, all);
        for (query, expected) in [
            ("level=warn", &all[1..3]),
            ("level=error", &all[2..3]),
            ("platform=ios", &all[..1]),
            ("guid=device-1", &all[1..]),
            ("account=alice", &all[..1]),
            ("page=pages/pay/pay", &all[2..3]),
            ("version=1.0.0", &all[2..3]),
            ("host_version=3.3.0", &all[..1]),
            ("sdk_version=1.0.0", &all[1..]),
            ("words=TIMED%20支付", &all[2..3]),
            ("contains=d%20out%20a", &all[2..3]),
            ("filter_msg=order", &all[2..3]),
            ("words=time", &[]),
            ("from=2999-01-01T00:00:00Z", &[]),
            ("until=2020-01-01T00:00:00Z", &[]),
        ] {
            assert_eq!(messages(&scene.admin, &format!("mini_app=coffee&{query}")).await, expected, "{query}");
        }
        let found = scene.admin.get("/v1/logs?mini_app=coffee&level=error").await.good()["items"][0].clone();
        for (member, value) in [("at", "2030-01-31T08:00:00.000Z"), ("page", "pages/pay/pay?id=7"), ("filter_msg", "order-77"),
            ("guid", "device-1"), ("host_app", "super-app"), ("sdk_version", "1.0.0"), ("host_version", "3.2.1")] {
            assert_eq!(found[member], value, "{member}");
        }
        let day = text(&found["received_at"])[..10].to_owned();
        assert_eq!(messages(&scene.admin, &format!("mini_app=coffee&from={day}T00:00:00Z")).await, all);
        // Page by page.
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = scene.admin.get(&format!("/v1/logs?mini_app=coffee&limit=3{cursor}")).await.good();
            pages.extend(page["items"].as_array().unwrap().iter().map(|item| text(&item["message"])));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(pages, all);
        scene.admin.get("/v1/logs?mini_app=coffee&cursor=x").await.refused("invalid-cursor");
        scene.admin.get("/v1/logs?level=warn").await.refused("invalid-field");
    }

    async fn d4_a_batch_is_kept_in_part_and_says_which_entries_are_not_and_why(host) {
        let host = host.again(|config| (config.logs.log_day_entries, config.logs.log_entry_bytes) = (2, 512)).await;
        let scene = scene(host).await;
        let sent = json!([
            entry("one", json!({})),
            entry("unknown", json!({"mini_app": "tea"})),
            entry("loud", json!({"level": "loud"})),
            entry(&"x".repeat(600), json!({})),
            entry("two", json!({})),
            entry("three", json!({})),
        ]);
        let taken = send(&scene, sent).await.good();
        let refused: Vec<_> = taken["refused"].as_array().unwrap().iter().map(|one| (one["entry"].as_u64().unwrap(), text(&one["reason"]))).collect();
        let expected = [(1, "mini-app-unknown"), (2, "unreadable"), (3, "too-large"), (5, "mini-app-day-full")];
        assert_eq!(refused, expected.map(|(place, reason)| (place, reason.to_owned())));
        assert_eq!(taken["kept"], 2);
        assert!(text(&taken["refused"][1]["detail"]).contains("/level"), "{taken}");
        assert!(text(&taken["refused"][2]["detail"]).contains("512 are allowed"), "{taken}");
        assert!(text(&taken["refused"][3]["detail"]).contains("T00:00:00.000Z on"), "{taken}");
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["two", "one"]);
        let many: Vec<_> = (0..1001).map(|_| entry("a", json!({}))).collect();
        assert_eq!(send(&scene, json!(many)).await.refused("invalid-field")["pointer"], "/entries");
        let metrics = String::from_utf8(scene.host.anonymous().get("/metrics").await.bytes.to_vec()).unwrap();
        for line in ["berth_log_entries_total 2", "berth_log_entries_refused_total{reason=\"too-large\"} 1", "berth_log_queue_bytes 0"] {
            assert!(metrics.contains(line), "{line}");
        }
    }

    async fn d4_a_batch_may_be_packed_and_a_bomb_is_not_unpacked(host) {
        let scene = scene(host).await;
        let body = batch(json!([entry("packed", json!({}))])).to_string();
        assert_eq!(send_packed(&scene, gzip(body.as_bytes()), "gzip").await.good()["kept"], 1);
        let bomb = gzip(&vec![b' '; 256 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(send_packed(&scene, bomb, "gzip").await.refused("body-too-large")["limit"], 8 << 20);
        send_packed(&scene, vec![b' '; 3 << 20], "identity").await.refused("body-too-large");
        send_packed(&scene, body.clone().into_bytes(), "gzip").await.refused("bad-request");
        send_packed(&scene, body.into_bytes(), "br").await.refused("unsupported-media-type");
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["packed"]);
    }

    async fn d4_what_no_batch_is_takes_little_time_and_memory(host) {
        let scene = scene(host).await;
        // Eight KiB as sent, four million entries when unpacked.
        let list = format!(r#"{{"host_app":"super-app","guid":"g","entries":[{}0]}}"#, "0,".repeat(4_000_000));
        assert!(gzip(list.as_bytes()).len() < 16 << 10);
        let refused = send_packed(&scene, gzip(list.as_bytes()), "gzip").await.refused("invalid-field");
        assert_eq!(refused["pointer"], "/entries");
        let strangers = scene.host.device("pk_unknown").request("POST", "/v1/logs").header("content-encoding", "gzip");
        let strangers = strangers.header("content-type", "application/json").body("no gzip");
        Answer::of(strangers, "a batch under another key".into()).await.refused("invalid-host-app-key");
        let members = format!(r#"{{"host_app":"super-app","guid":[{}0]}}"#, "0,".repeat(500_000));
        send_packed(&scene, gzip(members.as_bytes()), "gzip").await.refused("bad-request");
    }

    async fn d4_an_entry_that_no_text_can_hold_spoils_no_other(host) {
        let scene = scene(host).await;
        let entries = json!([entry("whole", json!({})), entry("HALF", json!({})), entry("third", json!({"page": "HUGE"}))]);
        let body = batch(entries).to_string().replace("HALF", r"cut \ud83d").replace(r#""HUGE""#, "1e999");
        let taken = send_packed(&scene, body.into_bytes(), "identity").await.good();
        assert_eq!((&taken["kept"], &taken["refused"][0]["entry"]), (&json!(2), &json!(2)));
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["cut \u{fffd}", "whole"]);
    }

    async fn d4_personal_data_is_masked_before_it_is_stored(host) {
        let scene = scene(host).await;
        let beside = scene.host.beside().await;
        let rules = json!({"rules": [{"kind": "phone"}]});
        assert_eq!(scene.admin.put("/v1/log-masks", rules).await.good()["scope"], "platform");
        let rules = json!({"rules": [{"kind": "key", "name": "password"}]});
        let set = scene.admin.put("/v1/mini-apps/coffee/log-masks", rules).await.good();
        assert_eq!(scene.admin.get("/v1/mini-apps/coffee/log-masks").await.good(), set);
        let events = scene.admin.get("/v1/events?mini_app=coffee").await.good();
        assert!(events["items"].as_array().unwrap().iter().any(|one| one["type"] == "log_masks.set" && one["data"] == set));
        let said = r#"{"phone":"13812345678","password":"canary-secret-1"}"#;
        let sent = json!([entry(said, json!({"filter_msg": "13812345678", "page": "p?tel=13812345678"}))]);
        send(&scene, sent.clone()).await.good();
        beside.app.logs.refresh_masks(&beside.app.db).await.unwrap();
        beside.device(&scene.key).post("/v1/logs", batch(sent)).await.good();
        let found = scene.admin.get("/v1/logs?mini_app=coffee").await.good();
        assert_eq!(found["items"].as_array().unwrap().len(), 2);
        for one in found["items"].as_array().unwrap() {
            assert_eq!(one["message"], r#"{"phone":"[phone]","password":"[masked]"}"#);
            assert_eq!((&one["filter_msg"], &one["page"]), (&json!("[phone]"), &json!("p?tel=[phone]")));
        }
        for file in std::fs::read_dir(scene.host.folder().join("logs")).into_iter().flatten() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            for secret in ["canary-secret-1", "13812345678"] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is stored");
            }
        }
        let wrong = json!({"rules": [{"kind": "pattern", "pattern": "("}]});
        assert_eq!(scene.admin.put("/v1/log-masks", wrong).await.refused("invalid-field")["pointer"], "/rules/0/pattern");
    }

    async fn d4_of_two_who_change_the_masks_that_they_have_read_one_is_refused(host) {
        let scene = scene(host).await;
        for path in ["/v1/log-masks", "/v1/mini-apps/coffee/log-masks"] {
            let tag = async || scene.admin.get(path).await.header("etag").to_owned();
            let set = async |tag: &str, kind: &str| {
                let body = json!({"rules": [{"kind": kind}]});
                Answer::of(scene.admin.request("PUT", path).header("If-Match", tag).json(&body), format!("{kind} to {path}")).await
            };
            let never = tag().await;
            let (phone, email) = tokio::join!(set(&never, "phone"), set(&never, "email"));
            let (done, late, kept) = if phone.status == 200 { (phone, email, "phone") } else { (email, phone, "email") };
            done.good();
            late.refused("precondition-failed");
            assert_eq!(late.status, 412);
            assert_eq!(scene.admin.get(path).await.good()["rules"], json!([{"kind": kept}]));
            set(&never, "bank_card").await.refused("precondition-failed");
            set(&tag().await, "bank_card").await.good();
            assert_eq!(scene.admin.get(path).await.good()["rules"], json!([{"kind": "bank_card"}]));
        }
    }

    async fn d4_masks_make_no_text_longer_than_an_entry_and_no_check_wait(host) {
        let scene = scene(host).await;
        let rules: Vec<_> = [".", ".", "x*[^x]|x"].iter().map(|rule| json!({"kind": "pattern", "pattern": rule})).collect();
        scene.admin.put("/v1/mini-apps/coffee/log-masks", json!({"rules": rules})).await.good();
        let sent = json!([entry(&"x".repeat(15_000), json!({})), entry("xy", json!({}))]);
        assert_eq!(send(&scene, sent).await.good()["kept"], 2);
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["[masked]", "[masked]"]);
    }

    async fn d4_f80_a_team_reads_its_mini_app_and_a_host_app_what_came_from_it(host) {
        let scene = scene(host).await;
        send(&scene, json!([entry("hello", json!({}))])).await.good();
        let (account, maker) = scene.host.somebody("maker").await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "viewer"})).await.good();
        let (account, host_admin) = scene.host.somebody("host").await;
        scene.admin.put(&format!("/v1/host-apps/super-app/members/{account}"), json!({"role": "auditor"})).await.good();
        let (_, stranger) = scene.host.somebody("stranger").await;
        let (of_app, of_host, of_both) = ("mini_app=coffee", "host_app=super-app", "mini_app=coffee&host_app=super-app");
        for (who, may) in [(&maker, [true, false, true]), (&host_admin, [false, true, true]), (&stranger, [false; 3])] {
            for (query, may) in [of_app, of_host, of_both].into_iter().zip(may) {
                let answer = who.get(&format!("/v1/logs?{query}")).await;
                // A host app knows of the MiniApp that it runs.
                let (refusal, status) = if std::ptr::eq(who, &host_admin) { ("missing-grant", 403) } else { ("not-found", 404) };
                if may { assert_eq!(answer.good()["items"][0]["message"], "hello") } else { drop(answer.refused(refusal)) }
                let streamed = who.get(&format!("/v1/logs/stream?{query}")).await;
                assert_eq!(streamed.status, if may { 200 } else { status });
            }
        }
        // The key must be that of the host app, and opens nothing else.
        let other = scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        scene.host.settled().await;
        let device = scene.host.device(&text(&other["public_key"]));
        device.post("/v1/logs", batch(json!([entry("forged", json!({}))]))).await.refused("invalid-host-app-key");
        let mut own = batch(json!([entry("forged", json!({}))]));
        own["host_app"] = json!("other-app");
        assert_eq!(device.post("/v1/logs", own).await.good()["refused"][0]["reason"], "mini-app-unknown");
        scene.host.device(&scene.key).get("/v1/logs?mini_app=coffee").await.refused("missing-token");
    }

    async fn d4_f80_who_was_logged_in_is_told_to_the_host_app_alone(host) {
        let scene = scene(host).await;
        let mut sent = batch(json!([entry("hello", json!({"level": "warn"}))]));
        sent["account"] = json!("alice-canary");
        scene.host.device(&scene.key).post("/v1/logs", sent).await.good();
        let member = |account: String| format!("/v1/teams/{}/members/{account}", scene.team);
        let (viewer, of_team) = scene.host.somebody("viewer").await;
        scene.admin.put(&member(viewer), json!({"role": "viewer"})).await.good();
        let (developer, of_both) = scene.host.somebody("developer").await;
        scene.admin.put(&member(developer.clone()), json!({"role": "developer"})).await.good();
        scene.admin.put(&format!("/v1/host-apps/super-app/members/{developer}"), json!({"role": "auditor"})).await.good();
        let (auditor, of_host) = scene.host.somebody("auditor").await;
        scene.admin.put(&format!("/v1/host-apps/super-app/members/{auditor}"), json!({"role": "auditor"})).await.good();
        let hears = async |who: &Api, query: &str| {
            let answer = who.request("GET", &format!("/v1/logs/stream?{query}&after=0000000000000000")).send().await.unwrap();
            let (mut parts, mut heard) = (answer.bytes_stream(), String::new());
            let wait = async {
                while !heard.contains("hello") {
                    heard.push_str(std::str::from_utf8(&parts.next().await.unwrap().unwrap()).unwrap());
                }
            };
            tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the entry");
            heard
        };
        let (of_app, of_app_there) = ("mini_app=coffee", "mini_app=coffee&host_app=super-app");
        for (who, query, sees) in [
            (&of_team, of_app, false), (&of_team, of_app_there, false), (&of_both, of_app, true), (&of_both, of_app_there, true),
            (&of_host, of_app_there, true), (&of_host, "host_app=super-app", true), (&scene.admin, of_app, true),
        ] {
            let found = who.get(&format!("/v1/logs?{query}")).await.good()["items"][0].clone();
            assert_eq!((found.get("account").is_some(), &found["guid"]), (sees, &json!("device-1")), "{query}: {found}");
            let heard = hears(who, query).await;
            assert_eq!(heard.contains("alice-canary"), sees, "{query}: {heard}");
        }
        for (who, query) in [(&of_team, of_app), (&of_team, of_app_there), (&of_both, of_app)] {
            for path in ["/v1/logs", "/v1/logs/stream"] {
                let refusal = who.get(&format!("{path}?{query}&account=alice-canary")).await.refused("missing-grant");
                assert_eq!(refusal["field"], "account", "{refusal}");
            }
        }
        assert_eq!(messages(&of_both, &format!("{of_app_there}&account=alice-canary")).await, ["hello"]);
        assert_eq!(messages(&scene.admin, &format!("{of_app}&account=alice-canary")).await, ["hello"]);
    }

    async fn d4_what_is_percent_encoded_is_masked_too(host) {
        let scene = scene(host).await;
        let rules: Value = ["phone", "id_card", "email"].iter().map(|kind| json!({"kind": kind})).collect();
        scene.admin.put("/v1/log-masks", json!({"rules": rules})).await.good();
        let page = "pages/pay/pay?phone=%2B8613812345678&mail=ann%40mail.example.com&n=1";
        let url = "opened https%253A%252F%252Fx.example%252F%253Fphone%253D%252B8613812345678";
        send(&scene, json!([entry(url, json!({"page": page, "filter_msg": "ann%40mail.example.com"}))])).await.good();
        let found = scene.admin.get("/v1/logs?mini_app=coffee").await.good()["items"][0].clone();
        assert_eq!(found["page"], "pages/pay/pay?phone=[phone]&mail=[email]&n=1");
        assert_eq!(found["message"], "opened https%253A%252F%252Fx.example%252F%253Fphone%253D[phone]");
        assert_eq!(found["filter_msg"], "[email]");
        assert_eq!(messages(&scene.admin, "mini_app=coffee&page=pages/pay/pay").await.len(), 1);
    }

    async fn d4_the_log_is_followed_as_it_grows_on_every_host_and_nothing_is_missed(host) {
        let scene = scene(host).await;
        let beside = scene.host.beside().await;
        let reader = beside.with_token(&scene.host.admin_token);
        let open = async |last: Option<String>| {
            let request = reader.request("GET", "/v1/logs/stream?mini_app=coffee&level=warn");
            last.iter().fold(request, |request, last| request.header("Last-Event-ID", last)).send().await.unwrap().bytes_stream()
        };
        let mut stream = open(None).await;
        let mut heard = String::new();
        let mut until = async |stream: &mut (dyn futures_util::Stream<Item = reqwest::Result<_>> + Unpin + Send), word: &str| {
            let wait = async {
                while !heard.contains(word) {
                    let part: axum::body::Bytes = stream.next().await.unwrap().unwrap();
                    heard.push_str(std::str::from_utf8(&part).unwrap());
                }
            };
            tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("no {word}"));
            std::mem::take(&mut heard)
        };
        until(&mut stream, "nothing arrived").await;
        send(&scene, json!([entry("quiet", json!({})), entry("first", json!({"level": "warn"}))])).await.good();
        let told = until(&mut stream, "first").await;
        assert!(!told.contains("quiet") && told.contains("event: entry"), "{told}");
        drop(stream);
        send(&scene, json!([entry("second", json!({"level": "error"}))])).await.good();
        let last = told.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
        let told = until(&mut open(Some(last)).await, "second").await;
        assert!(!told.contains("first"), "{told}");
    }

    async fn d4_a_day_that_is_too_old_is_dropped(host) {
        let clock = ManualClock::new(host.app.db.now());
        let nature = Nature { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) };
        let scene = scene(host.again_in(nature, |config| config.logs.log_keep_days = 2).await).await;
        send(&scene, json!([entry("first day", json!({}))])).await.good();
        clock.advance_seconds(86_400);
        send(&scene, json!([entry("second day", json!({}))])).await.good();
        assert!(scene.host.app.logs.forget_old().await.unwrap().is_empty());
        clock.advance_seconds(86_400);
        send(&scene, json!([entry("third day", json!({}))])).await.good();
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["third day", "second day", "first day"]);
        assert_eq!(scene.host.app.logs.forget_old().await.unwrap().len(), 1);
        assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["third day", "second day"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_a_log_store_that_stalls_slows_no_check_and_is_said_honestly() {
    let scene = scene(Host::start(Database::Sqlite).await.again(|config| config.logs.log_queue_mib = 1).await).await;
    send(&scene, json!([entry("before", json!({}))])).await.good();
    let file = std::fs::read_dir(scene.host.folder().join("logs")).unwrap().map(|file| file.unwrap().path());
    let file = file.into_iter().find(|file| file.extension().is_some_and(|end| end == "db")).unwrap();
    let pool = sqlx::SqlitePool::connect(file.to_str().unwrap()).await.unwrap();
    let stall = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let large: Vec<_> = (0..60).map(|_| entry(&"x".repeat(10_000), json!({}))).collect();
    let device = scene.host.device(&scene.key);
    let waiting = {
        let (device, large) = (device.clone(), batch(json!(large)));
        tokio::spawn(async move { device.post("/v1/logs", large).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = send(&scene, json!(large)).await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    refused.refused("log-queue-full");
    let ask = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
    for _ in 0..50 {
        let began = Instant::now();
        device.post("/v1/check", ask.clone()).await.good();
        assert!(began.elapsed() < Duration::from_secs(1), "a check waited");
    }
    assert_eq!(messages(&scene.admin, "mini_app=coffee").await, ["before"], "what is there can be read");
    let answer = waiting.await.unwrap();
    assert_eq!((answer.status, answer.kind().as_str()), (503, "unavailable"));
    drop(stall);
    pool.close().await;
    let again = async {
        while send(&scene, json!([entry("after", json!({}))])).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), again).await.expect("it recovers");
    assert_eq!(messages(&scene.admin, "mini_app=coffee").await[0], "after");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_f110_a_flood_of_logs_takes_nothing_from_checks() {
    let host = Host::start(Database::Sqlite).await;
    let host = host
        .listening(|http| {
            http.trusted_proxy = vec!["127.0.0.0/8".parse().unwrap()];
            http.devices.logs = "2/1h".parse().unwrap();
        })
        .await;
    let scene = scene(host).await;
    let from = |path: &str, body: Value| {
        let request = scene.host.device(&scene.key).request("POST", path).header("X-Forwarded-For", "203.0.113.7");
        Answer::of(request.json(&body), path.to_owned())
    };
    for _ in 0..2 {
        from("/v1/logs", batch(json!([entry("a", json!({}))]))).await.good();
    }
    let refused = from("/v1/logs", batch(json!([]))).await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    refused.refused("too-many-requests");
    from("/v1/check", json!({"host_app": "super-app", "guid": "d", "apps": []})).await.good();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d15_logs_are_kept_in_clickhouse_found_followed_masked_and_dropped_by_the_day() {
    let Some(url) = clickhouse().await else { return };
    let host = Host::start(Database::Sqlite).await;
    // Times that a busy machine keeps as well: within two thirds of the first one an entry must be stored.
    let host = host.again(|config| {
        config.logs.log_url = Some(url);
        config.logs.log_settle = Duration::from_secs(9);
        config.logs.log_search = Duration::from_secs(20);
    });
    let scene = scene(host.await).await;
    let beside = scene.host.beside().await;
    let reader = beside.with_token(&scene.host.admin_token);
    let stream = reader.request("GET", "/v1/logs/stream?mini_app=coffee&level=warn").send().await.unwrap();
    let rules = json!({"rules": [{"kind": "phone"}]});
    scene.admin.put("/v1/log-masks", rules).await.good();
    let sent = json!([
        entry("opened", json!({"page": "pages/index/index"})),
        entry(
            "支付 timed out for 13812345678",
            json!({"level": "error", "page": "pages/pay/pay?id=7", "filter_msg": "order-77"})
        ),
    ]);
    assert_eq!(send(&scene, sent).await.good(), json!({"kept": 2, "refused": []}));
    beside.app.logs.refresh_masks(&beside.app.db).await.unwrap();
    let late = batch(json!([entry("closed by 13812345678", json!({"level": "warn"}))]));
    beside.device(&scene.key).post("/v1/logs", late).await.good();
    let all = ["closed by [phone]", "支付 timed out for [phone]", "opened"];
    for (query, expected) in [
        ("", &all[..]),
        ("&level=error&words=TIMED%20支付", &all[1..2]),
        ("&contains=out%20for%20[", &all[1..2]),
        ("&page=pages/pay/pay&filter_msg=order", &all[1..2]),
        ("&words=time", &[]),
        ("&until=2020-01-01T00:00:00Z", &[]),
    ] {
        assert_eq!(messages(&scene.admin, &format!("mini_app=coffee{query}")).await, expected, "{query}");
    }
    let first = scene.admin.get("/v1/logs?mini_app=coffee&limit=2").await.good();
    let rest = format!("mini_app=coffee&cursor={}", text(&first["next"]));
    assert_eq!(messages(&scene.admin, &rest).await, all[2..]);
    let mut heard = String::new();
    let hear = async {
        let mut parts = stream.bytes_stream();
        while !heard.contains("closed by") {
            heard.push_str(std::str::from_utf8(&parts.next().await.unwrap().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(60), hear).await.expect("both entries");
    let place = |word: &str| heard.find(word).unwrap_or_else(|| panic!("no {word} in {heard}"));
    assert!(place("timed out for [phone]") < place("closed by [phone]") && !heard.contains("opened"), "{heard}");
    // A day goes as a whole.
    let clock = ManualClock::new(scene.host.app.db.now());
    let nature = Nature { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) };
    let Scene { host, key, .. } = scene;
    let host = host.again_in(nature, |config| config.logs.log_keep_days = 2).await;
    host.settled().await;
    clock.advance_seconds(2 * 86_400);
    host.device(&key).post("/v1/logs", batch(json!([entry("days later", json!({}))]))).await.good();
    // The host's own look at the days may be the one that drops it, and may still be at it.
    host.app.logs.forget_old().await.unwrap();
    let began = Instant::now();
    while messages(&host.admin(), "mini_app=coffee").await.len() > 1 && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(messages(&host.admin(), "mini_app=coffee").await, ["days later"]);
}

/// The entries in requests that were taken: what they say, in the order of arrival.
fn exported(requests: &[Arrived]) -> Vec<String> {
    let bodies = requests.iter().map(|request| serde_json::from_slice::<Value>(&unpacked(request)).unwrap());
    let items = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut said = Vec::new();
    for body in bodies {
        for resource in items(&body, "resourceLogs") {
            let records =
                items(&resource, "scopeLogs").iter().flat_map(|scope| items(scope, "logRecords")).collect::<Vec<_>>();
            said.extend(records.iter().map(|record| text(&record["body"]["stringValue"])));
        }
    }
    said
}

fn unpacked(request: &Arrived) -> Vec<u8> {
    assert_eq!((request.header("content-encoding"), request.header("content-type")), ("gzip", "application/json"));
    let mut body = Vec::new();
    GzDecoder::new(&*request.body).read_to_end(&mut body).unwrap();
    body
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn figure(host: &Host, name: &str) -> String {
    let page = host.anonymous().request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or("none").to_owned()
}

on_both! {
    async fn d16_logs_are_exported_once_by_one_host_and_go_on_after_a_restart(host) {
        let receiver = Receiver::start(|_, before| match before {
            0 => Reply::With(503, "Retry-After", "1".into()),
            1 => Reply::Status(200),
            2 => Reply::Says(r#"{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}"#.into()),
            3 => Reply::Status(400),
            _ => Reply::Status(200),
        })
        .await;
        let url = receiver.url.clone();
        let host = host.again(|config| {
            config.log_export.log_otlp_url = Some(url);
            config.log_export.log_otlp_headers = Some("authorization=Bearer%20canary".to_owned().into());
        });
        let scene = scene(host.await).await;
        let beside = scene.host.beside().await;
        let begun = scene.host.pool().await;
        until("the export has begun", async || begun.number("SELECT COUNT(*) FROM log_export").await == 1).await;
        let taken = async |count: usize| until(&format!("{count} requests"), async || receiver.arrived().len() >= count).await;
        send(&scene, json!([entry("first", json!({"level": "error"})), entry("second", json!({}))])).await.good();
        taken(2).await;
        let requests = receiver.arrived();
        assert!(requests[1].at - requests[0].at >= Duration::from_millis(900), "Retry-After is kept");
        assert_eq!(requests[0].body, requests[1].body);
        assert_eq!(requests[0].header("authorization"), "Bearer canary");
        for (count, message) in [(3, "rejected"), (4, "refused"), (5, "third")] {
            beside.device(&scene.key).post("/v1/logs", batch(json!([entry(message, json!({}))]))).await.good();
            taken(count).await;
        }
        assert_eq!(exported(&receiver.arrived()[1..]), ["first", "second", "rejected", "refused", "third"]);
        // One of the two hosts has exported all of it.
        let mut figures = Vec::new();
        for name in ["berth_log_exported_total", "berth_log_export_refused_total", "berth_log_export_failures_total"] {
            let of_both = [figure(&scene.host, name).await, figure(&beside, name).await];
            figures.push(of_both.iter().map(|one| one.parse::<u64>().unwrap()).sum::<u64>());
        }
        assert_eq!(figures, [3, 2, 1]);
        until("nothing waits", async || figure(&scene.host, "berth_log_export_behind_seconds").await == "0").await;
        begun.close().await;
        beside.stop().await;
        let Scene { host, key, .. } = scene;
        let host = host.again(|_| {}).await;
        host.settled().await;
        host.device(&key).post("/v1/logs", batch(json!([entry("after a restart", json!({}))]))).await.good();
        taken(6).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(exported(&receiver.arrived()[5..]), ["after a restart"], "nothing comes twice after a good end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d16_what_is_exported_is_read_by_opentelemetrys_own_messages() {
    let Some(python) = there_is("BERTH_TEST_OTLP_PYTHON") else { return };
    let receiver = Receiver::start(|_, _| Reply::Status(200)).await;
    let url = receiver.url.clone();
    let scene =
        scene(Host::start(Database::Sqlite).await.again(|config| config.log_export.log_otlp_url = Some(url)).await)
            .await;
    let pool = scene.host.pool().await;
    until("the export has begun", async || pool.number("SELECT COUNT(*) FROM log_export").await == 1).await;
    pool.close().await;
    let sent = json!([
        entry(
            "支付 \u{0007} \"failed\"",
            json!({"level": "error", "version": "1.0.0", "page": "pages/pay?id=7", "filter_msg": "order-77"})
        ),
        entry("before its time", json!({"at": "1960-01-01T00:00:00Z"})),
    ]);
    send(&scene, sent).await.good();
    until("a request", async || !receiver.arrived().is_empty()).await;
    let script = concat!(
        "import sys\nfrom google.protobuf import json_format\n",
        "from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest as R\n",
        "print(json_format.MessageToJson(json_format.Parse(sys.stdin.read(), R())))"
    );
    let mut judge =
        Command::new(python).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    judge.stdin.take().unwrap().write_all(&unpacked(&receiver.arrived()[0])).unwrap();
    let out = judge.wait_with_output().unwrap();
    assert!(out.status.success(), "it is no ExportLogsServiceRequest");
    let read: Value = serde_json::from_slice(&out.stdout).unwrap();
    let records: Vec<_> = read["resourceLogs"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["scopeLogs"][0]["logRecords"].as_array().unwrap())
        .collect();
    assert_eq!(records.len(), 2);
    let attribute = |of: &Value, key: &str| {
        let found = of["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key);
        found.map(|one| text(&one["value"]["stringValue"]))
    };
    let resource = &read["resourceLogs"][0]["resource"];
    for (key, value) in [
        ("service.name", "coffee"),
        ("service.version", "1.0.0"),
        ("os.name", "android"),
        ("app.installation.id", "device-1"),
        ("berth.host_app.id", "super-app"),
        ("berth.host_app.version", "3.2.1"),
        ("berth.sdk.version", "1.0.0"),
    ] {
        assert_eq!(attribute(resource, key).as_deref(), Some(value), "{key}");
    }
    let error = records[0];
    assert_eq!((&error["severityNumber"], &error["severityText"]), (&json!("SEVERITY_NUMBER_ERROR"), &json!("error")));
    assert_eq!(error["body"]["stringValue"], "支付 \u{0007} \"failed\"");
    assert_eq!(error["timeUnixNano"], "1896076800000000000");
    assert_eq!(attribute(error, "app.screen.id").as_deref(), Some("pages/pay"));
    assert_eq!(attribute(error, "log.record.uid").map(|uid| uid.len()), Some(16));
    assert!(records[1].get("timeUnixNano").is_none(), "0 is unknown");
    assert!(text(&records[1]["observedTimeUnixNano"]).len() == 19);
}

//! Packages, policies and lists of devices in S3, on a real S3 server.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use berth_store::blob::BlobConfig;
use berth_tests::{
    Answer, Database, Host, made, packed,
    process::Installation,
    scene::{Scene, text},
    shop::Shop,
};
use berth_work::config::{Config, Storage};
use serde_json::json;
use tokio::{net::TcpListener, sync::Mutex};

/// Whether the variables of `tests/setup/run.sh` name an S3 server with the bucket `berth`. In CI there has to be one.
fn s3_is_there() -> bool {
    let there = std::env::var_os("BERTH_TEST_S3").is_some();
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(there || !in_ci, "BERTH_TEST_S3 is not set, and in CI nothing is skipped");
    if !there {
        eprintln!("=== SKIPPED on S3: BERTH_TEST_S3 is not set ===");
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_lives_its_whole_life_in_s3() {
    if !s3_is_there() {
        return;
    }
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut storage = Storage::in_folder(folder.path().to_owned());
    storage.blobs =
        BlobConfig { blob_url: Some(format!("s3://berth/test-{}", std::process::id())), ..BlobConfig::default() };
    let scene = Scene::set(Host::with(Config::with_defaults(storage), folder.clone()).await).await;
    scene.online("1.0.0").await;
    scene.host.settled().await;
    let bytes = packed("coffee/1.0.0", "coffee_1.0.0.apkg");
    let device = scene.host.device(&scene.key);
    assert_eq!(device.get("/v1/packages/coffee_1.0.0.apkg").await.bytes, bytes);
    let part = device.request("GET", "/v1/packages/coffee_1.0.0.apkg").header("Range", "bytes=-7");
    assert_eq!(Answer::of(part, "part".into()).await.bytes, bytes[bytes.len() - 7..]);
    assert_eq!(scene.admin.post("/v1/bundles", json!({"host_app": "super-app"})).await.status, 200);
    scene.approved("1.1.0").await;
    let list =
        scene.admin.request("POST", "/v1/mini-apps/coffee/cohorts?name=testers").header("Content-Type", "text/plain");
    let cohort = Answer::of(list.body("d1\nd2\n"), "list".into()).await.good();
    let task = scene.gray("1.1.0", json!({"objects": [{"kind": "guid", "cohort": cohort["id"]}]})).await.good();
    assert_eq!(scene.version_for("d1").await, "1.1.0");
    assert_eq!(scene.version_for("d3").await, "1.0.0");
    let url = text(&scene.check("d1", None).await["package"]["url"]);
    let first = Answer::of(device.request("GET", &url).header("Range", "bytes=0-0"), "first byte".into()).await;
    assert_eq!((first.status, scene.progress(&task).await["downloaded"].as_u64()), (206, Some(0)));
    let whole = device.get(&url).await;
    assert_eq!((whole.status, scene.progress(&task).await["downloaded"].as_u64()), (200, Some(1)));
    assert!(!folder.path().join("blobs").exists(), "nothing is kept in the folder");
}

/// What the proxy in front of S3 does to the next requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mischief {
    /// Passes every request and answer on.
    None,
    /// Passes requests on, but answers 500 to this many writes although they were done.
    LoseAnswers(usize),
    /// Answers every request with 503.
    Down,
    /// Waits before each answer.
    Slow,
}

/// Starts a proxy in front of the S3 server of `BERTH_TEST_S3`, and returns its URL.
async fn proxy(mischief: Arc<Mutex<Mischief>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let upstream = std::env::var("BERTH_TEST_S3").unwrap();
    let pass = move |request: Request| {
        let (mischief, upstream) = (mischief.clone(), upstream.clone());
        async move { meddle(&mischief, &upstream, request).await }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass)).await.unwrap() });
    url
}

async fn meddle(mischief: &Mutex<Mischief>, upstream: &str, request: Request) -> Response {
    let failure = |status: u16| Response::builder().status(status).body(Body::empty()).unwrap();
    let writes = request.method() != "GET" && request.method() != "HEAD";
    let mut now = mischief.lock().await;
    let lost = match *now {
        Mischief::Down => return failure(503),
        Mischief::LoseAnswers(left) if left > 0 && writes => {
            *now = Mischief::LoseAnswers(left - 1);
            true
        }
        _ => false,
    };
    let slow = *now == Mischief::Slow;
    drop(now);
    let answer = forward(upstream, request).await;
    if slow {
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    if lost { failure(500) } else { answer }
}

async fn forward(upstream: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut passed = berth_tests::http().request(parts.method, format!("{upstream}{}", parts.uri)).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        passed = passed.header(name, value);
    }
    let answer = passed.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

/// S3 does what it is asked but says that it failed; S3 is slow; S3 is away for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f63_an_s3_that_loses_answers_is_slow_or_away_loses_no_package() {
    if !s3_is_there() {
        return;
    }
    let mischief = Arc::new(Mutex::new(Mischief::None));
    let endpoint = proxy(mischief.clone()).await;
    let mut berth = Installation::new(Database::Sqlite).await;
    berth.environment = vec![("AWS_ENDPOINT_URL".into(), endpoint)];
    berth.args = vec!["--blob-url".into(), format!("s3://berth/f63-{}", std::process::id())];
    let process = berth.start().await;
    let admin = berth.admin(&process);
    Shop::open(&admin).await;
    for (round, what) in [Mischief::LoseAnswers(1), Mischief::LoseAnswers(3), Mischief::Slow].into_iter().enumerate() {
        *mischief.lock().await = what;
        let name = format!("coffee_1.{round}.0.apkg");
        // Larger than one part, so that it is an upload in parts.
        let bytes = made::with_noise(round as u64, 6 << 20);
        let mut answer = admin.push(&name, bytes.clone()).await;
        for _ in 0..3 {
            assert!(matches!(answer.status, 200 | 201 | 503), "{what:?}: {} {}", answer.status, answer.kind());
            if answer.status < 300 {
                break;
            }
            answer = admin.push(&name, bytes.clone()).await;
        }
        answer.good();
        assert_eq!(admin.get(&format!("/v1/packages/{name}")).await.bytes, bytes, "{what:?}");
    }
    *mischief.lock().await = Mischief::Down;
    let away = admin.push("coffee_2.0.0.apkg", made::package(9)).await;
    away.refused("unavailable");
    assert!(admin.get("/v1/mini-apps/coffee/versions/2.0.0").await.status == 404, "no row without its bytes");
    *mischief.lock().await = Mischief::None;
    admin.push("coffee_2.0.0.apkg", made::package(9)).await.good();
    assert_eq!(admin.get("/v1/packages/coffee_2.0.0.apkg").await.bytes, made::package(9));
}

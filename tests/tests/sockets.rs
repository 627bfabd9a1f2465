//! Bytes on a socket that no proper client would send, against a whole host.

use std::{sync::Arc, time::Duration};

use berth_tests::{Database, Host, scene::Scene};
use berth_work::config::{Config, Storage};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Sends bytes and reads the answer meanwhile, until the host closes the connection or is silent for five seconds.
async fn answer_to(host: &Host, parts: &[&[u8]]) -> String {
    let stream = TcpStream::connect(host.url.strip_prefix("http://").unwrap()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
    let writing = tokio::spawn(async move {
        for part in parts {
            // The host may have answered and closed already.
            let _ = writer.write_all(&part).await;
        }
        writer // dropped now, it would say that no more comes
    });
    let (mut answer, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    while let Ok(Ok(read)) = timeout(Duration::from_secs(5), reader.read(&mut chunk)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&chunk[..read]);
    }
    writing.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(scene: &Scene, request: &str, fields: &str) -> Vec<u8> {
    let token = &scene.host.admin_token;
    format!("{request} HTTP/1.1\r\nHost: berth\r\nAuthorization: Bearer {token}\r\n{fields}\r\n\r\n").into_bytes()
}

fn statuses(answer: &str) -> Vec<&str> {
    answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect()
}

/// Sends the head of a request and the first byte of its body, waits until `meanwhile` is done and the proof of the head is
/// old, sends the rest, and reads the status.
async fn slowly(host: &Host, head: Vec<u8>, body: &[u8], meanwhile: impl Future<Output = ()>) -> String {
    let mut stream = TcpStream::connect(host.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(&[&head, &body[..1]].concat()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    meanwhile.await;
    stream.write_all(&body[1..]).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = timeout(Duration::from_secs(10), stream.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f84_who_lost_the_right_while_a_body_was_on_its_way_has_lost_it() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let member =
        scene.admin.post("/v1/accounts", json!({"name": "leaver"})).await.good()["id"].as_str().unwrap().to_owned();
    let team = scene.admin.get("/v1/mini-apps/coffee").await.good()["team"].as_str().unwrap().to_owned();
    let membership = format!("/v1/teams/{team}/members/{member}");
    scene.admin.put(&membership, json!({"role": "admin"})).await.good();
    let issued = scene.admin.post("/v1/tokens", json!({"account": member, "name": "t"})).await.good();
    let (token, id) = (issued["secret"].as_str().unwrap(), issued["id"].as_str().unwrap().to_owned());
    let head = |method: &str, path: &str, kind: &str, length: usize| {
        let fields = format!("Content-Type: {kind}\r\nContent-Length: {length}");
        format!("{method} {path} HTTP/1.1\r\nHost: berth\r\nAuthorization: Bearer {token}\r\n{fields}\r\n\r\n")
            .into_bytes()
    };
    let set = br#"{"request": ["https://evil.example.com"]}"#;
    let domains = || head("PUT", "/v1/mini-apps/coffee/domains", "application/json", set.len());
    let nothing = async {};
    assert_eq!(statuses(&slowly(&scene.host, domains(), set, nothing).await), ["200"], "slow is no fault");
    let leave = async { drop(scene.admin.delete(&membership).await.good()) };
    let answer = slowly(&scene.host, domains(), br#"{"request": ["https://more.example.com"]}"#, leave).await;
    assert_eq!(statuses(&answer), ["403"], "{answer}");
    scene.admin.put(&membership, json!({"role": "admin"})).await.good();
    let list = head("POST", "/v1/mini-apps/coffee/cohorts?name=list", "text/plain", 3);
    let revoke = async { drop(scene.admin.delete(&format!("/v1/tokens/{id}")).await.good()) };
    let answer = slowly(&scene.host, list, b"a\nb", revoke).await;
    assert_eq!(statuses(&answer), ["401"], "{answer}");
    let now = scene.admin.get("/v1/mini-apps/coffee/domains").await.good();
    assert_eq!(now["domains"]["request"], json!(["https://evil.example.com"]));
    assert_eq!(scene.admin.get("/v1/mini-apps/coffee/cohorts").await.good()["items"], json!([]));
}

const UPLOAD: &str = "PUT /v1/packages/coffee_1.0.0.apkg";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_body_over_the_limit_is_413_whatever_its_length_says() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let mut config = Config::with_defaults(Storage::in_folder(folder.path().to_owned()));
    config.package.max_bytes = 4 << 20;
    let limit = config.package.max_bytes;
    let scene = Scene::set(Host::with(config, folder).await).await;
    // Declared: refused unread.
    let declared = head(&scene, UPLOAD, &format!("Content-Length: {}", limit + 1));
    let answer = answer_to(&scene.host, &[&declared, b"PK"]).await;
    assert_eq!(statuses(&answer), ["413"], "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("body-too-large"), "{answer}");
    // Absent: cut as soon as it is too long.
    let chunked = head(&scene, UPLOAD, "Transfer-Encoding: chunked");
    let mut chunk = format!("{:x}\r\n", 1 << 20).into_bytes();
    chunk.extend(vec![b'x'; 1 << 20]);
    chunk.extend(b"\r\n");
    let mut parts: Vec<&[u8]> = vec![&chunked];
    parts.extend((0..=limit >> 20).map(|_| chunk.as_slice()));
    let answer = answer_to(&scene.host, &parts).await;
    assert_eq!(statuses(&answer), ["413"], "{answer:.300}");
    // Lying: fewer bytes than declared make no package, and more are no second request that is believed.
    let less = head(&scene, UPLOAD, "Content-Length: 1000");
    let mut stream = TcpStream::connect(scene.host.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(&less).await.unwrap();
    stream.write_all(b"PK").await.unwrap();
    drop(stream);
    let more = head(&scene, UPLOAD, "Content-Length: 2");
    let answer = answer_to(&scene.host, &[&more, b"PKzzzz\r\n\r\n"]).await;
    assert!(statuses(&answer).iter().all(|status| status.starts_with('4')), "{answer}");
    // JSON has a smaller limit.
    let json = head(&scene, "POST /v1/teams", "Content-Type: application/json\r\nContent-Length: 100000000");
    assert_eq!(statuses(&answer_to(&scene.host, &[&json, b"{"]).await), ["413"]);
    let versions = scene.admin.get("/v1/mini-apps/coffee/versions").await.good();
    assert!(versions["items"].as_array().unwrap().is_empty());
    let spooled = std::fs::read_dir(scene.host.folder().join("spool")).unwrap().count();
    assert_eq!(spooled, 0, "nothing is left in the spool");
}

/// One reader would take each of these for two requests, and another for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f69_requests_that_readers_could_cut_differently_are_refused() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let hidden = "0\r\n\r\nDELETE /v1/host-apps/super-app/bindings/coffee HTTP/1.1\r\nHost: x\r\n";
    let hidden = format!("{hidden}Authorization: Bearer {}\r\n\r\n", scene.host.admin_token);
    let length = hidden.len();
    let shapes = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        format!("Content-Length: 5\r\nContent-Length: {length}"),
        format!("Content-Length: 5, {length}"),
        format!("Content-Length: +{length}"),
        format!("Content-Length : {length}"),
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding: chunked, identity".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".into(),
        "Transfer-Encoding : chunked".into(),
        "Transfer-Encoding:\u{b}chunked".into(),
        " Transfer-Encoding: chunked".into(),
        "X: y\r\n Transfer-Encoding: chunked".into(),
        "X: y\nTransfer-Encoding: chunked\rZ: z".into(),
    ];
    for shape in shapes {
        let request = head(&scene, "POST /v1/teams", &format!("Content-Type: application/json\r\n{shape}"));
        let answer = answer_to(&scene.host, &[&request, hidden.as_bytes()]).await;
        assert!(statuses(&answer).iter().all(|status| status.starts_with('4')), "{shape:?}: {answer}");
        let bound = scene.admin.get("/v1/host-apps/super-app/bindings").await.good();
        assert_eq!(bound["items"].as_array().unwrap().len(), 1, "{shape:?} smuggled a request");
    }
}

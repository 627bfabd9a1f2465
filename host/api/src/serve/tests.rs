#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
//! Tests with real sockets on loopback. Every limit is a few hundred milliseconds.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Extension, Request},
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::stream;
use tokio::{sync::oneshot, task::JoinHandle};

use super::*;
use berth_base::clock::SystemRandom;

use crate::{
    client_ip::ClientIp,
    edge::{EdgeDeps, edge},
    extract,
    problem::Problem,
};

const MS: Duration = Duration::from_millis(1);

fn config() -> ServeConfig {
    ServeConfig {
        max_connections: 64,
        first_request: 150 * MS,
        idle: 150 * MS,
        body_idle: 150 * MS,
        body_min_rate: 0,
        write_stall: 200 * MS,
        drain: 300 * MS,
        max_headers: 100,
        max_head_bytes: 16 * 1024,
        max_streams: 16,
        trusted_proxy: vec![],
        devices: DeviceLimits::default(),
    }
}

fn routes() -> Router {
    async fn read(request: Request) -> axum::response::Response {
        use axum::extract::FromRequest;
        match Bytes::from_request(request, &()).await {
            Ok(bytes) => bytes.len().to_string().into_response(),
            Err(rejection) => Problem(extract::bytes_problem(rejection)).into_response(),
        }
    }
    async fn endless() -> Body {
        Body::from_stream(stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[7; 16 * 1024]))))
    }
    async fn slow() -> &'static str {
        sleep(200 * MS).await;
        "slow but whole"
    }
    async fn ip(Extension(ClientIp(ip)): Extension<ClientIp>) -> String {
        ip.to_string()
    }
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/read", post(read))
        .route("/endless", get(endless))
        .route("/slow", get(slow))
        .route("/ip", get(ip))
        .route("/json", post(|extract::Json(_): extract::Json<serde_json::Value>| async {}))
}

struct Host {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<DrainReport>,
}

impl Host {
    async fn start(config: ServeConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::default());
        let deps = EdgeDeps { metrics: metrics.clone(), random: Arc::new(SystemRandom), ready: Arc::new(Vec::new()) };
        let (stop, stopped) = oneshot::channel();
        let counted = metrics.clone();
        let ended = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, edge(routes(), deps), &config, counted, stopped).await
        });
        Self { address, metrics, stop, ended }
    }

    async fn send(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The host may close while a flood is still being written.
        let _ = stream.write_all(bytes.as_ref()).await;
        stream
    }

    /// Everything that the host sends until it closes the connection.
    async fn dialogue(&self, bytes: impl AsRef<[u8]>) -> String {
        until_closed(self.send(bytes).await).await
    }

    async fn stop(self) -> (DrainReport, Duration) {
        let started = Instant::now();
        let _ = self.stop.send(());
        (self.ended.await.unwrap(), started.elapsed())
    }
}

/// Reads until the peer closes the connection, which it must do within two seconds.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let _ = timeout(2000 * MS, stream.read_to_end(&mut said)).await.expect("the host should have closed");
    String::from_utf8_lossy(&said).into_owned()
}

const H2_PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::test]
async fn f66_every_slow_shape_is_closed() {
    let host = Host::start(config()).await;
    let h2_with_settings = [H2_PREFACE.as_bytes(), &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    let shapes: [&[u8]; 7] = [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"PRI * HTTP/2.0\r\n",
        H2_PREFACE.as_bytes(),
        &h2_with_settings,
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    ];
    let started = Instant::now();
    futures_util::future::join_all(shapes.map(|shape| host.dialogue(shape))).await;
    assert!(started.elapsed() < 1500 * MS, "{:?}", started.elapsed());
    let (report, _) = host.stop().await;
    assert_eq!(report.cut, 0);
}

#[tokio::test]
async fn f66_a_crowd_of_slow_clients_leaves_nothing_behind_and_room_for_others() {
    let host = Host::start(ServeConfig { max_connections: 256, ..config() }).await;
    let mut crowd = Vec::new();
    for i in 0..200 {
        crowd.push(host.send(["", "GET / HT", H2_PREFACE][i % 3]).await);
    }
    assert!(host.dialogue("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ends_with("hello"));
    futures_util::future::join_all(crowd.into_iter().map(until_closed)).await;
    sleep(50 * MS).await;
    assert_eq!((host.metrics.connections.get(), host.metrics.cut.get()), (0, 200));
}

#[tokio::test]
async fn f66_a_head_that_drips_is_cut() {
    let host = Host::start(config()).await;
    let mut stream = host.send("GET / HTTP/1.1\r\nx: ").await;
    let mut sent = 0;
    while sent < 100 && stream.write_all(b"a").await.is_ok() {
        sleep(20 * MS).await;
        sent += 1;
    }
    assert!(sent < 100, "the drip was never cut");
    assert_eq!(host.metrics.cut.get(), 1);
}

#[tokio::test]
async fn f66_a_stalled_body_is_answered_408() {
    let host = Host::start(config()).await;
    let said = host.dialogue("POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc").await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert!(said.contains("/problems/body-timeout"), "{said}");
}

#[tokio::test]
async fn f71_a_reader_that_never_reads_is_cut() {
    let host = Host::start(config()).await;
    let _stream = host.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    sleep(900 * MS).await;
    assert_eq!((host.metrics.cut.get(), host.metrics.connections.get(), host.metrics.in_flight.get()), (1, 0, 0));
}

#[tokio::test]
async fn f71_a_reader_that_keeps_reading_is_not_cut() {
    let host = Host::start(config()).await;
    let mut stream = host.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let until = Instant::now() + 600 * MS;
    let mut part = vec![0u8; 64 * 1024];
    while Instant::now() < until {
        assert!(stream.read(&mut part).await.unwrap() > 0);
        sleep(2 * MS).await;
    }
    assert_eq!(host.metrics.cut.get(), 0);
}

/// HTTP/2 frames made by hand, because well-behaved clients would not do what these tests need.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
/// HPACK (RFC 7541) for a GET request by http with a literal path.
fn h2_get(stream: u32, path: &str) -> Vec<u8> {
    let block = [&[0x82, 0x86, 0x04, path.len() as u8], path.as_bytes(), &[0x41, 1, b'x']].concat();
    frame(HEADERS, 0x5, stream, &block)
}

fn h2_hello() -> Vec<u8> {
    [H2_PREFACE.as_bytes(), &frame(SETTINGS, 0, 0, &[])].concat()
}

#[tokio::test]
async fn http2_is_answered_too() {
    let host = Host::start(config()).await;
    let said = host.dialogue([h2_hello(), h2_get(1, "/")].concat()).await;
    assert!(said.contains("hello"), "{said:?}");
}

#[tokio::test]
async fn f71_an_http2_stream_whose_window_stays_shut_is_cut() {
    let host = Host::start(config()).await;
    let mut stream = host.send([h2_hello(), h2_get(1, "/endless")].concat()).await;
    // Reads all, and never opens the window again: the socket is not blocked, the stream is.
    let mut part = vec![0u8; 64 * 1024];
    let closed = timeout(1500 * MS, async { while stream.read(&mut part).await.is_ok_and(|length| length > 0) {} });
    assert!(closed.await.is_ok(), "the host should have closed");
    assert_eq!((host.metrics.cut.get(), host.metrics.in_flight.get()), (1, 0));
}

#[tokio::test]
async fn f73_rapid_reset_ends_the_connection() {
    let host = Host::start(ServeConfig { idle: 5000 * MS, ..config() }).await;
    let mut attack = h2_hello();
    for stream in (0..2000).map(|i| 2 * i + 1) {
        attack.extend(h2_get(stream, "/slow"));
        attack.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
    }
    until_closed(host.send(attack).await).await;
    assert_eq!(host.metrics.in_flight.get(), 0, "work is left behind");
    assert!(host.dialogue("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ends_with("hello"));
}

#[tokio::test]
async fn f68_a_client_that_is_still_sending_hears_its_413() {
    let host = Host::start(config()).await;
    let mut stream = host.send("POST /json HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n").await;
    let (mut reader, mut writer) = stream.split();
    let flood = async { while writer.write_all(&[7; 16 * 1024]).await.is_ok() {} };
    let mut said = Vec::new();
    let ended = tokio::select! {
        () = flood => Err(io::ErrorKind::BrokenPipe.into()),
        ended = reader.read_to_end(&mut said) => ended,
    };
    assert!(ended.is_ok(), "{ended:?}");
    for _ in 0..3 {
        sleep(10 * MS).await;
        assert!(writer.write_all(b"more").await.is_ok(), "a reset can take the answer away before it is read");
    }
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 413 ") && said.contains("/problems/body-too-large"), "{said}");
}

#[tokio::test]
async fn a_slow_handler_is_not_cut() {
    let patient = ServeConfig { idle: 50 * MS, write_stall: 50 * MS, ..config() };
    let host = Host::start(patient).await;
    let said = host.dialogue("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(said.ends_with("slow but whole"), "{said}");
}

#[tokio::test]
async fn f67_floods_of_headers_are_refused() {
    let host = Host::start(config()).await;
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1000));
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "b".repeat(1 << 20));
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "u".repeat(64 * 1024));
    for flood in [many, large, long] {
        let said = host.dialogue(flood).await;
        assert!(said.starts_with("HTTP/1.1 431 ") || said.starts_with("HTTP/1.1 414 "), "{said:?}");
    }
    assert!(host.dialogue("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.ends_with("hello"));
}

#[tokio::test]
async fn f68_a_length_that_lies_is_not_waited_for() {
    let host = Host::start(config()).await;
    let mut stream = host.send("POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc").await;
    stream.shutdown().await.unwrap();
    let said = until_closed(stream).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{said}");
    let huge = "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n";
    assert!(host.dialogue(huge).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn f69_ambiguous_framing_is_refused() {
    let host = Host::start(config()).await;
    let shapes = [
        "content-length: 3\r\ncontent-length: 4\r\n",
        "content-length: +3\r\n",
        "content-length: 3, 4\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
    ];
    for shape in shapes {
        let said = host.dialogue(format!("POST /read HTTP/1.1\r\nhost: x\r\n{shape}\r\nabcd")).await;
        assert!(said.starts_with("HTTP/1.1 400 "), "{shape:?}: {said}");
    }
}

#[tokio::test]
async fn f69_nothing_behind_a_request_with_two_framings_is_a_request() {
    let host = Host::start(config()).await;
    let smuggled = "0\r\n\r\nGET /ip HTTP/1.1\r\nhost: x\r\n\r\n";
    for framing in
        ["content-length: 4\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 4"]
    {
        let said = host.dialogue(format!("POST /read HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n{smuggled}")).await;
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{said}");
        assert!(said.contains("connection: close"), "{said}");
    }
}

#[tokio::test]
async fn f72_connections_over_the_cap_are_told_so() {
    let host = Host::start(ServeConfig { max_connections: 2, idle: 1000 * MS, ..config() }).await;
    let hello = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = host.send(hello).await;
        let mut first = [0u8; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut third = host.send(hello).await;
    let mut said = vec![0u8; 512];
    let length = third.read(&mut said).await.unwrap();
    let said = String::from_utf8_lossy(&said[..length]);
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("retry-after: 1"), "{said}");
    assert_eq!(host.metrics.refused.get(), 1);
}

#[test]
fn f72_without_descriptors_the_accept_loop_pauses() {
    const EMFILE: i32 = 24;
    assert!(pause_for(&io::Error::from_raw_os_error(EMFILE)).is_some());
    assert!(pause_for(&io::ErrorKind::ConnectionAborted.into()).is_none());
}

#[tokio::test]
async fn f75_what_is_in_flight_is_finished() {
    let host = Host::start(config()).await;
    let client = tokio::spawn(until_closed(host.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await));
    let address = host.address;
    sleep(50 * MS).await;
    let (report, _) = host.stop().await;
    assert_eq!(report, DrainReport { finished: 1, cut: 0 });
    assert!(client.await.unwrap().ends_with("slow but whole"));
    assert!(TcpStream::connect(address).await.is_err(), "the port should be closed");
}

#[tokio::test]
async fn f75_an_idle_connection_does_not_hold_up_the_drain() {
    let host = Host::start(ServeConfig { idle: 60_000 * MS, drain: 5000 * MS, ..config() }).await;
    let client = tokio::spawn(until_closed(host.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await));
    sleep(50 * MS).await;
    let (report, took) = host.stop().await;
    assert_eq!(report, DrainReport { finished: 1, cut: 0 });
    assert!(took < 500 * MS, "{took:?}");
    assert!(client.await.unwrap().ends_with("hello"));
}

#[tokio::test]
async fn f75_a_stuck_client_is_cut_at_the_deadline() {
    let host = Host::start(ServeConfig { write_stall: 60_000 * MS, ..config() }).await;
    let _stuck = host.send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let _upload = host.send("POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc").await;
    sleep(50 * MS).await;
    let (report, took) = host.stop().await;
    assert_eq!((report.cut, report.finished), (1, 1));
    assert!(took < 600 * MS, "{took:?}");
}

#[tokio::test]
async fn f76_a_forged_forwarded_for_is_not_believed() {
    let ask = "GET /ip HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 9.9.9.9, 8.8.8.8\r\n\r\n";
    let host = Host::start(config()).await;
    assert!(host.dialogue(ask).await.ends_with("127.0.0.1"));
    let host = Host::start(ServeConfig { trusted_proxy: vec!["127.0.0.0/8".parse().unwrap()], ..config() }).await;
    assert!(host.dialogue(ask).await.ends_with("8.8.8.8"));
}

#[test]
fn times_are_read_as_people_write_them() {
    assert_eq!(duration("300ms"), Ok(300 * MS));
    assert_eq!(duration("2m"), Ok(120_000 * MS));
    assert_eq!((duration("1d"), duration("+1d")), (Ok(86_400_000 * MS), Ok(86_400_000 * MS)));
    assert!(duration("-1s").is_err() && duration("0s").is_err() && duration("soon").is_err());
}

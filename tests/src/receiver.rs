//! Receivers of webhooks on the loopback interface, good ones and bad ones.

use std::{
    convert::Infallible,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpListener, task::JoinHandle};

/// A message that a receiver got.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The path that the message was sent to.
    pub path: String,
    /// The headers of the message.
    pub headers: HeaderMap,
    /// The body of the message, byte for byte.
    pub body: Bytes,
    /// When the message arrived.
    pub at: Instant,
}

impl Arrived {
    /// A header as text; empty when the message does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The CloudEvent in the body.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The number of the event in the event log.
    pub fn seq(&self) -> i64 {
        self.event()["berthseq"].as_str().unwrap().parse().unwrap()
    }

    /// The type of the event, without the prefix `dev.berth.`.
    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().trim_start_matches("dev.berth.").to_owned()
    }
}

/// How a receiver answers a message.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status and no body.
    Status(u16),
    /// Answers with this status and one header.
    With(u16, &'static str, String),
    /// Answers 200 with this JSON.
    Says(String),
    /// Never answers.
    Hang,
    /// Answers 200 with a body that never ends.
    Endless,
    /// Answers 200 with 100 MB of zeros, compressed to 100 kB of gzip.
    Bomb,
}

/// A receiver that runs in the test's own process, until this value is dropped.
pub struct Receiver {
    /// The address to register as a webhook: `http://127.0.0.1:PORT/hook`.
    pub url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    sent: Arc<AtomicU64>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    /// Starts a receiver. `reply` says how to answer, from the message and the number of messages before it.
    pub async fn start(reply: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (arrived, sent) = (Arc::new(Mutex::new(Vec::<Arrived>::new())), Arc::new(AtomicU64::new(0)));
        let (seen, reply, counted) = (arrived.clone(), Arc::new(reply), sent.clone());
        let router = Router::new().fallback(move |request: Request| {
            let (seen, reply, counted) = (seen.clone(), reply.clone(), counted.clone());
            async move {
                let message = take(request).await;
                let before = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(message.clone());
                    seen.len() - 1
                };
                answer(reply(&message, before), counted).await
            }
        });
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, arrived, sent, serving }
    }

    /// Starts a receiver that answers everything with 204.
    pub async fn good() -> Self {
        Self::start(|_, _| Reply::Status(204)).await
    }

    /// Starts a receiver that sends the head of its answer one byte a second, and returns its URL. It keeps no
    /// messages, because it reads none.
    pub async fn dripping() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        if stream.write_all(&[*byte]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        url
    }

    /// The messages that have arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// How many bytes of endless bodies the hosts have taken so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Waits until `there` is true of the messages that have arrived, and returns them.
    pub async fn until(&self, there: impl Fn(&[Arrived]) -> bool) -> Vec<Arrived> {
        for _ in 0..1200 {
            let arrived = self.arrived();
            if there(&arrived) {
                return arrived;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let kinds: Vec<_> = self.arrived().iter().map(Arrived::kind).collect();
        panic!("what should arrive did not within 30 s; there are {kinds:?}");
    }
}

async fn take(request: Request) -> Arrived {
    let at = Instant::now();
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    Arrived { path: parts.uri.path().to_owned(), headers: parts.headers, body, at }
}

async fn answer(reply: Reply, sent: Arc<AtomicU64>) -> Response<Body> {
    let response = Response::builder();
    match reply {
        Reply::Status(status) => response.status(status).body(Body::empty()).unwrap(),
        Reply::With(status, name, value) => response.status(status).header(name, value).body(Body::empty()).unwrap(),
        Reply::Says(json) => response.header("content-type", "application/json").body(json.into()).unwrap(),
        Reply::Hang => std::future::pending().await,
        Reply::Endless => {
            let zeros = stream::repeat(Bytes::from_static(&[0; 65_536])).map(move |chunk| {
                sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                Ok::<_, Infallible>(chunk)
            });
            response.body(Body::from_stream(zeros)).unwrap()
        }
        Reply::Bomb => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            (0..100).for_each(|_| gzip.write_all(&[0; 1 << 20]).unwrap());
            response.header("content-encoding", "gzip").body(gzip.finish().unwrap().into()).unwrap()
        }
    }
}

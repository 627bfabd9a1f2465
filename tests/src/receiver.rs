//! Receivers of webhooks on loopback, good and bad.

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

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Where to.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
    /// When.
    pub at: Instant,
}

impl Arrived {
    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The CloudEvent.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The number of the event.
    pub fn seq(&self) -> i64 {
        self.event()["berthseq"].as_str().unwrap().parse().unwrap()
    }

    /// The type of the event, without its prefix.
    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().trim_start_matches("dev.berth.").to_owned()
    }
}

/// How a receiver answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status.
    Status(u16),
    /// This status with a header.
    With(u16, &'static str, String),
    /// Nothing, for ever.
    Hang,
    /// 200 and a body without an end.
    Endless,
    /// 200 and 100 MB of zeros in 100 kB of gzip.
    Bomb,
}

/// A receiver.
pub struct Receiver {
    /// `http://127.0.0.1:PORT/hook`.
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
    /// Answers as `reply` says, by the message and how many came before it.
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

    /// A good one: 204 to everything.
    pub async fn good() -> Self {
        Self::start(|_, _| Reply::Status(204)).await
    }

    /// One that sends its head byte by byte, one a second: only its URL, for nothing arrives whole.
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

    /// What arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// Bytes of endless bodies that were taken.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Waits until enough have arrived for `there`.
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

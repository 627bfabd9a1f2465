//! Sends one message to one receiver. Whatever the receiver does, this takes bounded time and memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use reqwest::{Response, StatusCode, Url, header};
use tokio::time::{Instant, timeout, timeout_at};

use super::plan::Verdict;
use crate::{
    event::deliver::schedule,
    outbound::{Guard, Outbound, reason},
};
use berth_base::{clock::Millis, error::Result};

use crate::event::{
    cloud,
    webhook::secret::{Key, signature},
};

/// How many bytes of an answer are read.
const MAX_BODY: usize = 64 << 10;
/// How many bytes of an answer are shown to whoever tries a receiver.
const EXCERPT: usize = 1024;
/// How long the body of an answer may take after its status.
const BODY_PATIENCE: Duration = Duration::from_secs(2);

/// A message to a receiver.
#[derive(Clone, Debug)]
pub struct Message {
    /// The `webhook-id` header, which is the same on every try.
    pub id: String,
    /// The CloudEvent as JSON.
    pub body: Bytes,
}

/// The outcome of a send.
#[derive(Clone, Debug, Default)]
pub struct Receipt {
    /// The receiver's HTTP status, when it answered.
    pub status: Option<u16>,
    /// Why the message was not delivered; empty when it was.
    pub why: String,
    /// The seconds that the receiver asks to wait.
    pub retry_after: Option<i64>,
    /// The beginning of the receiver's answer.
    pub excerpt: String,
    /// How long the send took.
    pub took: Duration,
}

impl Receipt {
    /// Whether the receiver accepted the message.
    pub(crate) fn is_delivered(&self) -> bool {
        self.why.is_empty()
    }

    /// Whether the receiver says that it is gone for good (410).
    pub(crate) fn is_gone(&self) -> bool {
        self.status == Some(StatusCode::GONE.as_u16())
    }

    /// The outcome as the planner takes it.
    pub fn verdict(&self) -> Verdict {
        if self.is_delivered() {
            return Verdict::Delivered;
        }
        Verdict::Failed { status: self.status, why: self.why.clone(), retry_after: self.retry_after }
    }

    /// The receipt of a send that was aborted as the host lost its lease. The receiver may have got the message.
    pub fn cut() -> Self {
        Self::failed("The host could not keep its right to deliver until the receiver answered.")
    }

    fn failed(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }
}

/// Sends messages to receivers. Cheap to clone.
#[derive(Clone)]
pub struct Sender(Arc<Inner>);

struct Inner {
    outbound: Outbound,
    patience: Duration,
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl Sender {
    /// A sender that connects only where `guard` permits, and takes `patience` at most for a send.
    pub fn new(guard: Guard, patience: Duration) -> Result<Self> {
        let outbound = Outbound::new(guard, "webhook")?;
        let (delivered, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { outbound, patience, delivered, failed })))
    }

    /// The guard that decides where it may connect.
    pub fn guard(&self) -> &Guard {
        self.0.outbound.guard()
    }

    /// How long a send may take.
    pub fn patience(&self) -> Duration {
        self.0.patience
    }

    /// The number of messages delivered, and of sends failed, since the host started.
    pub fn counts(&self) -> (u64, u64) {
        (self.0.delivered.load(Ordering::Relaxed), self.0.failed.load(Ordering::Relaxed))
    }

    /// Sends a message once, signed by all `keys`, and never fails: the receipt says what happened.
    pub async fn send(&self, url: &str, keys: &[Key], message: &Message, now: Millis) -> Receipt {
        let started = Instant::now();
        let deadline = started + self.0.patience;
        let mut receipt = match timeout_at(deadline, self.request(url, keys, message, now)).await {
            Err(_) => Receipt::failed(format!("The receiver did not answer within {:?}.", self.0.patience)),
            Ok(Err(why)) => Receipt::failed(why),
            Ok(Ok(response)) => read(response, deadline, now).await,
        };
        receipt.took = started.elapsed();
        let count = if receipt.is_delivered() { &self.0.delivered } else { &self.0.failed };
        count.fetch_add(1, Ordering::Relaxed);
        receipt
    }

    async fn request(&self, url: &str, keys: &[Key], message: &Message, now: Millis) -> Result<Response, String> {
        let url = Url::parse(url).map_err(|error| format!("The address is wrong: {error}."))?;
        let client = self.0.outbound.to(&url).map_err(|refused| refused.to_string())?;
        let seconds = now.0.div_euclid(1000);
        let request = client
            .post(url)
            .header(header::CONTENT_TYPE, cloud::STRUCTURED)
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature(keys, &message.id, seconds, &message.body))
            .body(message.body.clone());
        request.send().await.map_err(|error| reason("The receiver", &error))
    }
}

/// Makes the receipt of an answer. The status decides; the body is read only as far as it is small and arrives soon.
async fn read(mut response: Response, deadline: Instant, now: Millis) -> Receipt {
    let status = response.status();
    let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let waits = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let retry_after = asked.filter(|_| waits).and_then(|text| schedule::retry_after(text, now));
    let why = match status.as_u16() {
        200..300 => String::new(),
        300..400 => format!("The receiver answered {status}. Redirects are not followed: give the final address."),
        410 => "The receiver answered 410 Gone: it wants no more events.".to_owned(),
        _ => format!("The receiver answered {status}."),
    };
    let mut body = Vec::new();
    let until = deadline.min(Instant::now() + BODY_PATIENCE);
    // A body that is late or broken changes nothing: the receiver has said whether it has the message.
    let _ = timeout(until - Instant::now(), collect(&mut response, &mut body)).await;
    body.truncate(EXCERPT);
    let excerpt = String::from_utf8_lossy(&body).into_owned();
    Receipt { status: Some(status.as_u16()), why, retry_after, excerpt, took: Duration::ZERO }
}

/// Reads the body to its end, so that the connection can be used again, unless it is too long.
async fn collect(response: &mut Response, body: &mut Vec<u8>) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        body.extend_from_slice(&chunk[..chunk.len().min(EXCERPT.saturating_sub(body.len()))]);
        if read > MAX_BODY {
            return;
        }
    }
}

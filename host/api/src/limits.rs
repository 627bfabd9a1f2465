//! Limits on the size and the slowness of request bodies, and the problems when they are exceeded.
//!
//! tower-http's `limit` answers in plain text. Its `timeout` has no lowest rate, so that a client could keep a body
//! dripping.

use std::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::LengthLimitError;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use berth_base::error::{Code, Error};

use crate::activity::Activity;

/// Refuses a body whose declared length is over the limit with `body-too-large`, before a byte of it is read (F68).
pub(crate) fn refuse_declared(body: &impl HttpBody, limit: u64) -> Result<(), Error> {
    if body.size_hint().lower() > limit { Err(too_large(Some(limit))) } else { Ok(()) }
}

fn too_large(limit: Option<u64>) -> Error {
    match limit {
        Some(bytes) => {
            Error::new(Code::BodyTooLarge, format!("The body is over the limit of {bytes} bytes.")).with("limit", bytes)
        }
        None => Error::new(Code::BodyTooLarge, "The body is over the limit of this address."),
    }
}

/// The error to answer with when reading a request body failed: `body-timeout`, `body-too-large` or `bad-request`.
/// Handlers that stream call it with the error of the body stream.
pub(crate) fn body_problem(error: &(dyn StdError + 'static)) -> Error {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(slow) = cause.downcast_ref::<TooSlow>() {
            return Error::new(Code::BodyTimeout, format!("{slow}."));
        }
        // axum's extractors box it twice.
        if cause.is::<LengthLimitError>() || cause.is::<Box<LengthLimitError>>() {
            return too_large(None);
        }
        next = cause.source();
    }
    Error::new(Code::BadRequest, "The body broke off or was not framed as its headers said.")
}

/// How slow a request body may be.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long the next bytes may take.
    pub idle: Duration,
    /// The lowest average rate in bytes per second over the time spent waiting for the client; 0 for none.
    pub min_rate: u64,
    /// How much waiting must have happened before the rate is considered.
    pub grace: Duration,
}

/// How a body failed to keep its [`Pace`].
#[derive(Debug)]
pub(crate) enum TooSlow {
    /// No bytes came for this long.
    Idle(Duration),
    /// Bytes came at a lower rate than this, in bytes per second.
    Rate(u64),
}

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(limit) => write!(f, "No part of the body arrived for {} ms", limit.as_millis()),
            Self::Rate(rate) => write!(f, "The body arrived at less than {rate} bytes a second"),
        }
    }
}

impl StdError for TooSlow {}

/// A request body that fails when it does not keep its [`Pace`]. Only the time spent waiting for the client counts.
pub(crate) struct PacedBody<B> {
    body: B,
    pace: Pace,
    /// What wakes the reader when nothing comes.
    activity: Arc<Activity>,
    received: u64,
    waited: Duration,
    waiting: Option<Wait>,
}

struct Wait {
    since: Instant,
    /// The number of the body with those that the activity of the connection watches over.
    number: u64,
}

impl<B> PacedBody<B> {
    /// Watches `body`, which came by the connection of this activity.
    pub fn new(body: B, pace: Pace, activity: Arc<Activity>) -> Self {
        Self { body, pace, activity, received: 0, waited: Duration::ZERO, waiting: None }
    }

    /// Ready when no bytes have come for too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        let (now, idle) = (Instant::now(), self.pace.idle);
        match &self.waiting {
            None => {
                let number = self.activity.await_body(now + idle, cx.waker());
                self.waiting = Some(Wait { since: now, number });
            }
            Some(wait) if now < wait.since + idle => self.activity.read_by(wait.number, cx.waker()),
            Some(_) => return Poll::Ready(TooSlow::Idle(idle)),
        }
        Poll::Pending
    }

    /// Ends the waiting, if there is any; returns since when it was.
    fn waited_since(&mut self) -> Option<Instant> {
        let wait = self.waiting.take()?;
        self.activity.body_came(wait.number);
        Some(wait.since)
    }

    /// Counts `bytes` that have come; fails when the rate is too low.
    fn account(&mut self, bytes: usize) -> Result<(), TooSlow> {
        self.received = self.received.saturating_add(bytes as u64);
        if let Some(since) = self.waited_since() {
            self.waited += since.elapsed();
        }
        let owed = self.pace.min_rate as f64 * self.waited.as_secs_f64();
        if self.waited > self.pace.grace && (self.received as f64) < owed {
            return Err(TooSlow::Rate(self.pace.min_rate));
        }
        Ok(())
    }
}

impl<B> Drop for PacedBody<B> {
    fn drop(&mut self) {
        self.waited_since();
    }
}

impl<B> HttpBody for PacedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            return self.poll_patience(cx).map(|slow| Some(Err(slow.into())));
        };
        let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
        let ended = frame.is_none();
        match self.account(bytes) {
            // What has arrived whole is welcome, however long it took.
            Err(slow) if !ended => Poll::Ready(Some(Err(slow.into()))),
            _ => Poll::Ready(frame.map(|frame| frame.map_err(Into::into))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::{Router, body::Body, extract::Request, http::StatusCode, routing::post};
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tokio::time::sleep;
    use tower::ServiceExt;

    use super::*;
    use crate::extract::Json;

    async fn status_for(length: Option<&str>, body: Body) -> StatusCode {
        let router = Router::new().route("/", post(|Json(_): Json<Value>| async {}));
        let mut request = Request::post("/").header("content-type", "application/json");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        router.oneshot(request.body(body).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn f68_a_body_without_a_length_is_cut_at_the_limit() {
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096])));
        assert_eq!(status_for(None, Body::from_stream(endless)).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(status_for(None, Body::from("7")).await, StatusCode::OK);
        assert_eq!(status_for(Some("1"), Body::from("7")).await, StatusCode::OK);
    }

    #[tokio::test]
    async fn f68_a_body_that_declares_too_much_is_refused_unread() {
        struct Declared;
        impl HttpBody for Declared {
            type Data = Bytes;
            type Error = std::convert::Infallible;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
                unreachable!("it must not be read")
            }
            fn size_hint(&self) -> SizeHint {
                SizeHint::with_exact(9_000_000)
            }
        }
        assert_eq!(status_for(None, Body::new(Declared)).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    const MS: Duration = Duration::from_millis(1);

    fn pace() -> Pace {
        Pace { idle: 60 * MS, min_rate: 100, grace: 100 * MS }
    }

    /// Reads a body to its end, on a connection that looks after it.
    async fn read(body: Body) -> Result<Bytes, Box<dyn StdError + Send + Sync>> {
        let activity = Arc::new(Activity::default());
        let looks = async {
            loop {
                sleep(10 * MS).await;
                activity.wake_overdue();
            }
        };
        let body = PacedBody::new(body, pace(), activity.clone());
        tokio::select! {
            () = looks => unreachable!("it has no end"),
            read = body.collect() => read.map(|read| read.to_bytes()),
        }
    }

    #[tokio::test]
    async fn f66_a_stalled_body_fails_after_its_idle_limit() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let started = Instant::now();
        let error = read(body).await.unwrap_err();
        assert!(started.elapsed() >= 60 * MS, "{:?}", started.elapsed());
        assert_eq!(body_problem(&*error).code, Code::BodyTimeout);
    }

    #[tokio::test]
    async fn f66_a_dripping_body_fails_by_its_rate() {
        let drip = stream::repeat(()).then(|()| async {
            sleep(20 * MS).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"x"))
        });
        let error = read(Body::from_stream(Box::pin(drip))).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(TooSlow::Rate(100))), "{error}");
    }

    #[tokio::test]
    async fn a_handler_that_pauses_is_not_the_clients_fault() {
        let mut body = PacedBody::new(Body::from("all there"), pace(), Arc::default());
        sleep(150 * MS).await;
        assert!(body.frame().await.unwrap().is_ok());
    }
}

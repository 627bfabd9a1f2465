//! The middleware that every request passes, from the outside in: request id, span, access log and metrics, and
//! problems in place of panics.
//!
//! One middleware replaces tower-http's `request-id`, `trace`, `catch-panic` and `set-header`, because each layer costs
//! every check a boxed future, and the problem for a panic and the log line need the id that another layer would have
//! made.

use crate::problem::Problem;
use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        self, HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::FutureExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tracing::Instrument;

use berth_base::{
    clock::Random,
    error::{Code, Error},
};

use crate::{
    health::{self, ReadyChecks},
    metrics::{self, Metrics, Route},
    problem,
    request_id::{RequestId, X_REQUEST_ID},
    sent::OnceSent,
};

/// The things that the edge needs.
#[derive(Clone)]
pub struct EdgeDeps {
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// The source of randomness for request ids.
    pub random: Arc<dyn Random>,
    /// The things about which `/readyz` asks.
    pub ready: ReadyChecks,
}

/// Wraps all routes, and adds `/healthz`, `/readyz`, `/metrics`, `/problems` and the fallbacks for 404 and 405. Call it
/// last, as it does not cover routes that are added to the router afterwards.
pub fn edge(router: Router, deps: EdgeDeps) -> Router {
    router
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz).with_state(deps.ready.clone()))
        .route("/metrics", get(metrics::show).with_state(deps.metrics.clone()))
        .route("/problems", get(problem::index))
        .route("/problems/{slug}", get(problem::explain))
        .fallback(problem::route_not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(deps, observe))
}

/// Wraps routes that stand beside those of the API: requests to them pass the same, and have no fallbacks of their own.
pub fn within_edge(router: Router, deps: EdgeDeps) -> Router {
    router.route_layer(from_fn_with_state(deps, observe))
}

async fn observe(State(deps): State<EdgeDeps>, request: Request, next: Next) -> Response {
    let route = Route::of(&request);
    observed(&deps, route, request, |request| next.run(request)).await
}

/// Answers a request by `work`, with all that every request passes around it.
pub(crate) async fn observed<B, F>(
    deps: &EdgeDeps,
    route: Route,
    request: http::Request<B>,
    work: impl FnOnce(http::Request<B>) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let id = RequestId::of(request.headers(), &*deps.random);
    let entry = Entry::open(request.method().clone(), route, id.clone(), deps.metrics.clone());
    // A span takes as long as the whole of a check does besides. Its id and route are in the line of the access log, too.
    let span = if entry.route.comes_often() {
        tracing::debug_span!("request", request_id = %id, route = %entry.route)
    } else {
        tracing::info_span!("request", request_id = %id, route = %entry.route)
    };
    // Pinned here, because each of what is around it would otherwise move it, which is kilobytes for a check.
    let work = std::pin::pin!(work(request));
    let answer = id.clone().scope(AssertUnwindSafe(work).catch_unwind()).instrument(span).await;
    let mut response = match answer {
        Ok(response) => response,
        Err(panic) => {
            let error = after_panic(&*panic);
            id.clone().scope(async { Problem(error).into_response() }).await
        }
    };
    response.headers_mut().insert(X_REQUEST_ID, id.to_header());
    response.headers_mut().entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    entry.follow(response)
}

fn after_panic(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(anyhow::anyhow!("a handler panicked: {}", text.unwrap_or("without a message")))
}

/// One line of the access log. It is written when the last byte of the answer was sent, or the client has left.
struct Entry {
    id: RequestId,
    method: Method,
    route: Route,
    started: Instant,
    metrics: Arc<Metrics>,
    status: StatusCode,
    problem: Option<Code>,
    sent: u64,
    /// How many bytes the body has, if the answer says it.
    promised: Option<u64>,
    whole: bool,
    once_sent: Option<OnceSent>,
}

impl Entry {
    fn open(method: Method, route: Route, id: RequestId, metrics: Arc<Metrics>) -> Self {
        metrics.in_flight.inc();
        Self {
            id,
            method,
            route,
            started: Instant::now(),
            metrics,
            // Stays if the client leaves before there is an answer; the number is nginx's.
            status: StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
            problem: None,
            sent: 0,
            promised: None,
            whole: false,
            once_sent: None,
        }
    }

    fn follow(mut self, mut response: Response) -> Response {
        self.status = response.status();
        self.promised = content_length(response.headers());
        self.once_sent = response.extensions_mut().remove();
        self.problem = response.extensions().get::<Code>().copied();
        self.whole = self.method == Method::HEAD || response.body().is_end_stream();
        response.map(|body| Body::new(Followed { body, entry: self }))
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

macro_rules! access_line {
    ($level:ident, $entry:expr, $micros:expr) => {
        tracing::$level!(
            target: "berth::access",
            request_id = %$entry.id,
            method = metrics::known_method(&$entry.method),
            route = %$entry.route,
            status = $entry.status.as_u16(),
            problem = $entry.problem.map_or("", Code::slug),
            bytes = $entry.sent,
            micros = $micros,
            whole = $entry.whole,
        )
    };
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(once_sent) = self.once_sent.take().filter(|_| self.whole) {
            once_sent.run();
        }
        let took = self.started.elapsed();
        self.metrics.in_flight.dec();
        self.metrics.answered(&self.route, &self.method, self.status, took, self.sent);
        let micros = took.as_micros() as u64;
        match self.status.as_u16() {
            500.. => access_line!(error, self, micros),
            400..500 => access_line!(warn, self, micros),
            _ => access_line!(info, self, micros),
        }
    }
}

/// The body of an answer, whose bytes are counted.
struct Followed {
    body: Body,
    entry: Entry,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = &polled {
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            self.entry.sent += data.map_or(0, |data| data.len() as u64);
            // Of a body whose length was told nobody asks for an end after the last byte.
            self.entry.whole = match self.entry.promised {
                Some(promised) => self.entry.sent >= promised,
                None => frame.is_none() || self.body.is_end_stream(),
            };
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
mod tests {
    use axum::http::header::{ALLOW, CONTENT_TYPE};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use berth_base::clock::SystemRandom;

    fn app() -> (Router, Arc<Metrics>) {
        let metrics = Arc::new(Metrics::default());
        let deps = EdgeDeps { metrics: metrics.clone(), random: Arc::new(SystemRandom), ready: Arc::new(Vec::new()) };
        async fn burst() -> &'static str {
            panic!("boom at /secret/path")
        }
        async fn refuse() -> Problem {
            Problem(Error::new(Code::VersionState, "It is online."))
        }
        let routes = Router::new().route("/v1/things/{id}", get(refuse)).route("/burst", get(burst));
        (edge(routes, deps), metrics)
    }

    async fn ask(router: &Router, request: Request) -> (axum::http::response::Parts, String) {
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn get_request(path: &str) -> Request {
        Request::get(path).header(X_REQUEST_ID, "req-1").body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn a_problem_and_its_answer_carry_the_same_request_id() {
        let (parts, body) = ask(&app().0, get_request("/v1/things/7")).await;
        assert_eq!(parts.headers[X_REQUEST_ID], "req-1");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["request_id"], &body["status"]), (&"req-1".into(), &409.into()));
    }

    #[tokio::test]
    async fn a_panic_becomes_a_problem_that_tells_nothing() {
        let (parts, body) = ask(&app().0, get_request("/burst")).await;
        assert_eq!((parts.status.as_u16(), &parts.headers[X_REQUEST_ID]), (500, &HeaderValue::from_static("req-1")));
        assert!(body.contains("/problems/internal") && !body.contains("boom"), "{body}");
    }

    #[tokio::test]
    async fn an_unknown_address_and_a_wrong_method_are_problems() {
        let (router, _) = app();
        let (parts, body) = ask(&router, get_request("/nowhere")).await;
        assert_eq!(parts.status, 404);
        assert!(body.contains("/problems/route-not-found"), "{body}");
        let request = Request::post("/v1/things/7").body(Body::empty()).unwrap();
        let (parts, body) = ask(&router, request).await;
        assert_eq!((parts.status.as_u16(), &parts.headers[ALLOW]), (405, &HeaderValue::from_static("GET,HEAD")));
        assert_eq!(parts.headers[CONTENT_TYPE], "application/problem+json");
        assert!(body.contains("/problems/method-not-allowed"), "{body}");
    }

    /// What is done once an answer of ten bytes, in pieces of five, was taken up to so many pieces.
    async fn done_after(pieces: usize, declared: bool) -> bool {
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let note = done.clone();
        let handler = move || async move {
            let chunks = futures_util::stream::iter(["12345", "67890"].map(Ok::<_, std::convert::Infallible>));
            let mut response = Response::new(Body::from_stream(chunks));
            if declared {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("10"));
            }
            let once = OnceSent::new(move || note.store(true, std::sync::atomic::Ordering::SeqCst));
            response.extensions_mut().insert(once);
            response
        };
        let deps = EdgeDeps { metrics: Arc::default(), random: Arc::new(SystemRandom), ready: Arc::new(Vec::new()) };
        let router = edge(Router::new().route("/file", get(handler)), deps);
        let mut body = router.oneshot(get_request("/file")).await.unwrap().into_body();
        for _ in 0..pieces {
            std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        }
        drop(body); // as hyper does after the last byte that was declared, and when the client has left
        done.load(std::sync::atomic::Ordering::SeqCst)
    }

    #[tokio::test]
    async fn g8_what_is_to_be_done_once_an_answer_was_sent_is_done_after_its_last_byte() {
        let mut done = Vec::new();
        for pieces in 0..=3 {
            done.push((done_after(pieces, true).await, done_after(pieces, false).await));
        }
        assert_eq!(done, [(false, false), (false, false), (true, false), (true, true)]);
    }

    #[tokio::test]
    async fn metrics_name_the_route_and_never_the_path() {
        let (router, metrics) = app();
        ask(&router, get_request("/v1/things/s3cret")).await;
        ask(&router, get_request("/nowhere/s3cret")).await;
        let (_, text) = ask(&router, get_request("/metrics")).await;
        assert!(text.contains(r#"route="/v1/things/{id}",method="GET",status="4xx"} 1"#), "{text}");
        assert!(text.contains(r#"route="unmatched""#) && !text.contains("s3cret"), "{text}");
        assert_eq!(metrics.in_flight.get(), 0);
    }
}

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Extension, middleware::from_fn_with_state, routing::post};
use tower::ServiceExt;

use super::*;
use berth_base::clock::{ManualClock, Millis};

use crate::problem::Problem;

/// For each key the fingerprint, and the answer once there is one.
type Known = HashMap<Scope, (Digest, Option<StoredResponse>)>;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Known>>);

impl IdempotencyStore for Memory {
    async fn begin(&self, scope: &Scope, fingerprint: &Digest, _about: Option<&About>, _now: Millis) -> Result<Begin> {
        let mut known = self.0.lock().unwrap();
        Ok(match known.get(scope) {
            None => {
                known.insert(scope.clone(), (fingerprint.clone(), None));
                Begin::Fresh
            }
            Some((other, _)) if other != fingerprint => Begin::Mismatch,
            Some((_, None)) => Begin::InProgress,
            Some((_, Some(stored))) => Begin::Replay(stored.clone()),
        })
    }

    async fn finish(&self, scope: &Scope, response: StoredResponse, _now: Millis) -> Result<()> {
        self.0.lock().unwrap().get_mut(scope).unwrap().1 = Some(response);
        Ok(())
    }

    async fn abandon(&self, scope: &Scope) -> Result<()> {
        self.0.lock().unwrap().remove(scope);
        Ok(())
    }
}

#[derive(Clone)]
struct Bench {
    router: Router,
    store: Memory,
    runs: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> Self {
        let (store, runs) = (Memory::default(), Arc::new(AtomicUsize::new(0)));
        let clock = Arc::new(ManualClock::new(Millis(0)));
        let state = Idempotency { store: store.clone(), clock, max_body: 1024 };
        let router = Router::new()
            .route("/things", post(create))
            .route("/tokens", post(async || (Extension(NoStore), (StatusCode::CREATED, "s3cret"))))
            .route("/down", post(fail))
            .route("/wrong", post(refuse))
            .route("/burst", post(burst))
            .route("/slow", post(slow))
            .layer(from_fn_with_state(state, once::<Memory>))
            .layer(Extension(runs.clone()));
        Self { router, store, runs }
    }

    async fn post(&self, caller: &str, path: &str, key: &str, body: &'static str) -> (u16, HeaderMap, String) {
        self.post_as(Caller { account: caller.into(), scopes: "read manage".into() }, path, key, body).await
    }

    async fn post_as(&self, caller: Caller, path: &str, key: &str, body: &'static str) -> (u16, HeaderMap, String) {
        let mut request = Request::post(path).header(IDEMPOTENCY_KEY, key).body(Body::from(body)).unwrap();
        request.extensions_mut().insert(caller);
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

type Runs = Extension<Arc<AtomicUsize>>;

async fn create(Extension(runs): Runs, body: String) -> impl IntoResponse {
    let count = runs.fetch_add(1, Ordering::SeqCst) + 1;
    (StatusCode::CREATED, [(LOCATION, "/things/1"), (CONTENT_TYPE, "application/json")], format!("{count}:{body}"))
}

async fn fail(Extension(runs): Runs) -> Problem {
    runs.fetch_add(1, Ordering::SeqCst);
    Problem(Error::new(Code::Unavailable, "Not now."))
}

async fn refuse(Extension(runs): Runs) -> Problem {
    runs.fetch_add(1, Ordering::SeqCst);
    Problem(Error::field("name", "must be there."))
}

async fn burst(Extension(runs): Runs) -> &'static str {
    runs.fetch_add(1, Ordering::SeqCst);
    panic!("boom")
}

async fn slow(Extension(runs): Runs) -> &'static str {
    tokio::time::sleep(Duration::from_millis(50)).await;
    runs.fetch_add(1, Ordering::SeqCst);
    "done"
}

#[tokio::test]
async fn f91_a_refusal_is_not_kept() {
    let bench = Bench::new();
    assert_eq!(bench.post("a", "/wrong", "k", "x").await.0, 422);
    assert_eq!(bench.post("a", "/wrong", "k", "x").await.0, 422);
    assert_eq!((bench.runs(), bench.store.0.lock().unwrap().len()), (2, 0));
}

#[tokio::test]
async fn f84_f91_a_token_of_other_scopes_gets_no_answer_of_another() {
    let bench = Bench::new();
    bench.post("a", "/things", "k", "x").await;
    let weaker = Caller { account: "a".into(), scopes: "fulfil".into() };
    let (status, _, problem) = bench.post_as(weaker, "/things", "k", "x").await;
    assert_eq!((status, bench.runs()), (409, 1), "{problem}");
}

#[tokio::test]
async fn f91_a_repetition_gets_the_first_answer() {
    let bench = Bench::new();
    let first = bench.post("a", "/things", "k", "x").await;
    let second = bench.post("a", "/things", "k", "x").await;
    assert_eq!((first.0, &first.2), (201, &"1:x".to_owned()));
    assert_eq!((second.0, &second.2), (201, &"1:x".to_owned()));
    assert!(!first.1.contains_key(IDEMPOTENCY_REPLAYED));
    assert_eq!(second.1[IDEMPOTENCY_REPLAYED], "true");
    assert_eq!((&second.1[LOCATION], &second.1[CONTENT_TYPE]), (&first.1[LOCATION], &first.1[CONTENT_TYPE]));
    assert_eq!(bench.runs(), 1);
}

#[tokio::test]
async fn f91_a_key_belongs_to_its_caller_and_its_address() {
    let bench = Bench::new();
    bench.post("a", "/things", "k", "x").await;
    assert_eq!(bench.post("b", "/things", "k", "x").await.2, "2:x");
    assert_eq!(bench.post("a", "/tokens", "k", "x").await.2, "s3cret");
}

#[tokio::test]
async fn f91_a_key_is_not_for_another_body_or_query() {
    let bench = Bench::new();
    bench.post("a", "/things", "k", "x").await;
    for (path, body) in [("/things", "y"), ("/things?dry=1", "x")] {
        let (status, _, text) = bench.post("a", path, "k", body).await;
        assert_eq!(status, 409);
        assert!(text.contains("idempotency-mismatch"), "{text}");
    }
}

#[tokio::test]
async fn f91_our_failures_are_not_kept() {
    let bench = Bench::new();
    for path in ["/down", "/down", "/burst", "/burst"] {
        assert!(bench.post("a", path, "k", "x").await.0 >= 500);
    }
    assert_eq!(bench.runs(), 4);
    assert!(bench.store.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn i8_an_answer_that_shows_a_secret_is_not_kept() {
    let bench = Bench::new();
    assert_eq!(bench.post("a", "/tokens", "k", "x").await.2, "s3cret");
    let stored = format!("{:?}", bench.store.0.lock().unwrap());
    assert!(!stored.contains(&format!("{:?}", b"s3cret".to_vec())), "{stored}");
    let (status, _, text) = bench.post("a", "/tokens", "k", "x").await;
    assert_eq!(status, 409);
    assert!(text.contains("idempotency-not-kept") && !text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn f91_of_many_at_once_one_runs() {
    let bench = Bench::new();
    let asked = (0..16).map(|_| bench.post("a", "/slow", "k", "x"));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.0 == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.0 == 409).count(), 15);
    assert_eq!(bench.runs(), 1);
}

#[tokio::test]
async fn f91_the_work_goes_on_when_the_client_leaves() {
    let bench = Bench::new();
    let leaving = tokio::time::timeout(Duration::from_millis(10), bench.post("a", "/slow", "k", "x")).await;
    assert!(leaving.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (status, headers, text) = bench.post("a", "/slow", "k", "x").await;
    assert_eq!((status, text.as_str(), bench.runs()), (200, "done", 1));
    assert_eq!(headers[IDEMPOTENCY_REPLAYED], "true");
}

#[tokio::test]
async fn f91_a_key_of_the_wrong_form_is_refused() {
    let bench = Bench::new();
    for key in ["", "a b", "ü", &"k".repeat(256)] {
        assert_eq!(bench.post("a", "/things", key, "x").await.0, 400, "{key:?}");
    }
    assert_eq!(bench.runs(), 0);
}

#[tokio::test]
async fn without_a_caller_nobody_shares_a_key() {
    let bench = Bench::new();
    for _ in 0..2 {
        let request = Request::post("/things").header(IDEMPOTENCY_KEY, "k").body(Body::from("x")).unwrap();
        assert_eq!(bench.router.clone().oneshot(request).await.unwrap().status(), 201);
    }
    assert_eq!(bench.runs(), 2);
}

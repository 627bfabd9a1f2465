//! A request is followed from its span through operations to statements.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{
        Request,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
};
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Registry, SpanRef},
};

use super::{
    auth::HOST_APP_KEY,
    edge::EdgeDeps,
    idempotency::IDEMPOTENCY_KEY,
    metrics::Metrics,
    router::router,
    throttle::{DeviceLimits, Throttle},
};
use berth_base::clock::SystemRandom;
use berth_work::{
    access,
    testing::{self, APP, TestHost},
};

/// Everything that is told to a subscriber, of whatever level: a line is the names of the spans and the values.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<String>>>);

struct Values<'a>(&'a mut String);

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Capture {
    fn line<'a, S: LookupSpan<'a> + 'a>(&self, span: Option<SpanRef<'a, S>>, values: impl FnOnce(&mut Values<'_>)) {
        let scope = span.into_iter().flat_map(|span| span.scope().from_root());
        let mut line = scope.map(|span| span.name()).collect::<Vec<_>>().join(">");
        values(&mut Values(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.line(context.span(id), |values| attributes.record(values));
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        self.line(context.span(id), |values| record.record(values));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.line(context.event_span(event), |values| event.record(values));
    }
}

fn routes(host: &TestHost) -> Router {
    let metrics = Arc::new(Metrics::default());
    let throttle = Arc::new(Throttle::new(&DeviceLimits::default(), Vec::new()));
    router(
        host.app.clone(),
        throttle,
        EdgeDeps { metrics, random: Arc::new(SystemRandom), ready: Arc::new(Vec::new()) },
    )
}

async fn post(routes: &Router, path: &str, secret: &str, body: &Value) -> Value {
    let request = Request::post(path)
        .header(AUTHORIZATION, format!("Bearer {secret}"))
        .header(CONTENT_TYPE, "application/json")
        // It makes the request a task of its own.
        .header(IDEMPOTENCY_KEY, path.trim_start_matches('/').replace('/', "-"))
        .body(Body::from(body.to_string()));
    let answer = routes.clone().oneshot(request.unwrap()).await.unwrap();
    let whole = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&whole).unwrap()
}

#[tokio::test]
async fn a_request_is_followed_to_its_statements_and_no_secret_is_told() {
    let capture = Capture::default();
    let _captured = tracing::subscriber::set_default(Registry::default().with(capture.clone()));
    let host = testing::host().await;
    host.approved("1.1.0").await;
    let new = serde_json::from_value(json!({"name": "first"})).unwrap();
    let first = access::issue_token(&host.app.db, &host.caller, None, new).await.unwrap().secret;
    let routes = routes(&host);
    let second = post(&routes, "/v1/tokens", &first, &json!({"name": "second"})).await;
    let second = second["secret"].as_str().unwrap();
    let release =
        post(&routes, "/v1/mini-apps/shop/versions/1.1.0/publish", second, &json!({"note": "for Ada Lovelace"})).await;
    assert_eq!(release["version"], "1.1.0", "{release}");

    let lines = capture.take();
    let has = |start: &str, parts: &[&str]| {
        lines.iter().any(|line| line.starts_with(start) && parts.iter().all(|part| line.contains(part)))
    };
    assert!(has("request request_id=", &["route=/v1/mini-apps/{id}/versions/{version}/publish"]), "{lines:#?}");
    assert!(has("request>version.publish ", &["mini_app=shop", "version=1.1.0"]), "{lines:#?}");
    for text in ["BEGIN", "UPDATE version SET", "INSERT INTO event", "COMMIT"] {
        assert!(has("request>version.publish>sql text=", &[text]), "{text}: {lines:#?}");
    }
    assert!(has("request>version.publish>sql micros=", &[]), "{lines:#?}");
    assert!(has("request>version.publish>sql rows=1", &[]), "{lines:#?}");
    assert!(has("request>token.issue>sql text=", &["INSERT INTO token"]), "{lines:#?}");
    for secret in [first.as_str(), second, "Ada Lovelace"] {
        let told = lines.iter().find(|line| line.contains(secret) || line.contains(&hex::encode(secret)));
        assert_eq!(told, None);
    }
}

#[tokio::test]
async fn a_check_is_one_span() {
    let capture = Capture::default();
    let _captured = tracing::subscriber::set_default(Registry::default().with(capture.clone()));
    let host = testing::host().await;
    host.settle().await;
    let (routes, question) = (routes(&host), testing::question(&testing::device("guid"), None));
    capture.take();
    let request = Request::post("/v1/check")
        .header(HOST_APP_KEY, &host.key)
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(serde_json::to_string(&question).unwrap()));
    let answer = routes.oneshot(request.unwrap()).await.unwrap();
    let whole = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&whole).contains(APP));
    let lines = capture.take();
    let of_the_request: Vec<_> = lines.iter().filter(|line| line.starts_with("request")).collect();
    assert!(matches!(of_the_request[..], [span] if span.contains("route=/v1/check")), "{lines:#?}");
}

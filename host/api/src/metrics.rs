//! The counters of the host, and `/metrics` in the OpenMetrics text format.

use crate::problem::Problem;
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use super::backlog::BacklogFigures;
use berth_base::error::Error;

/// The pattern of the route that a request matched, such as `/v1/mini-apps/{id}`, or `unmatched`. Never the path: paths
/// can carry secrets, and patterns are few. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct Route(Pattern);

#[derive(Clone, Debug)]
enum Pattern {
    Matched(MatchedPath),
    Named(&'static str),
}

impl Route {
    /// The route of a request.
    pub fn of(request: &Request) -> Self {
        let matched = request.extensions().get().cloned();
        Self(matched.map_or(Pattern::Named("unmatched"), Pattern::Matched))
    }

    /// A route that was not looked up.
    pub(crate) fn named(pattern: &'static str) -> Self {
        Self(Pattern::Named(pattern))
    }

    /// Whether devices ask it, which come more often than all others together.
    pub(crate) fn comes_often(&self) -> bool {
        matches!(self.as_str(), "/v1/check" | "/v1/reports" | "/v1/logs")
    }

    fn as_str(&self) -> &str {
        match &self.0 {
            Pattern::Matched(path) => path.as_str(),
            Pattern::Named(pattern) => pattern,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

/// The labels of an answered request. They all come from small sets, so that callers cannot make the memory grow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The matched route.
    pub route: Route,
    /// The method, or `OTHER` for unusual ones.
    pub method: &'static str,
    /// The class of the status, `1xx` to `5xx`.
    pub status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: Route,
}

/// The counters of the edge. Other parts add their own to `registry`, which prefixes names with `berth_`.
pub struct Metrics {
    /// Everything that `/metrics` shows.
    pub registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// How many requests are being answered.
    pub in_flight: Gauge,
    /// How many connections are open.
    pub connections: Gauge,
    /// How many connections were accepted.
    pub accepted: Counter,
    /// How many connections were refused because too many were open.
    pub refused: Counter,
    /// How many connections were cut because the client was too slow.
    pub cut: Counter,
    /// How many bytes of answers' bodies were sent.
    pub sent: Counter,
    backlog: OnceLock<BacklogFigures>,
}

/// The buckets of latencies in seconds, from half a millisecond to 30 seconds.
const LATENCY_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("berth")),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS)),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            refused: Counter::default(),
            cut: Counter::default(),
            sent: Counter::default(),
            backlog: OnceLock::new(),
        };
        metrics.register_own();
        metrics
    }
}

impl Metrics {
    fn register_own(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("http_requests", "Requests answered", self.requests.clone());
        let help = "Time from the request's head to the end of its answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.latency.clone());
        registry.register("http_requests_in_flight", "Requests being answered", self.in_flight.clone());
        registry.register("http_connections", "Connections open", self.connections.clone());
        registry.register("http_connections_accepted", "Connections accepted", self.accepted.clone());
        registry.register("http_connections_refused", "Connections over the cap", self.refused.clone());
        registry.register("http_connections_cut", "Connections too slow or idle", self.cut.clone());
        registry.register_with_unit("http_sent", "Bytes of answers' bodies", Unit::Bytes, self.sent.clone());
        registry.register_collector(Box::new(Process { started: Instant::now() }));
    }

    /// Adds figures that their owner keeps.
    pub fn register(&self, name: &str, help: &str, metric: impl prometheus_client::registry::Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// Adds figures that are read whenever the page is asked for.
    pub fn register_collector(&self, collector: impl Collector) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register_collector(Box::new(collector));
    }

    /// Adds the backlog in the database, which is read whenever the page is asked for.
    pub fn register_backlog(&self, figures: BacklogFigures) {
        self.register_collector(figures.clone());
        let _ = self.backlog.set(figures); // one host has one database
    }

    /// Counts an answered request: how long it took, and how many bytes of body were sent.
    pub fn answered(&self, route: &Route, method: &Method, status: StatusCode, took: Duration, sent: u64) {
        let labels = RequestLabels { route: route.clone(), method: known_method(method), status: class(status) };
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&RouteLabels { route: route.clone() }).observe(took.as_secs_f64());
        self.sent.inc_by(sent);
    }
}

/// The method as a label. Methods are free text on the wire, so unusual ones share the name `OTHER`.
pub(crate) fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| method == known).unwrap_or("OTHER")
}

/// The class of a status as a label.
fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        500.. => "5xx",
        400.. => "4xx",
        300.. => "3xx",
        200.. => "2xx",
        _ => "1xx",
    }
}

/// Handles `GET /metrics`.
pub async fn show(State(metrics): State<Arc<Metrics>>) -> Result<Response, Problem> {
    if let Some(backlog) = metrics.backlog.get() {
        backlog.look().await;
    }
    let mut text = String::new();
    let registry = metrics.registry.lock().unwrap_or_else(PoisonError::into_inner);
    encode(&mut text, &registry).map_err(Error::internal)?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

/// Figures of the process, read when the page is asked for.
#[derive(Debug)]
struct Process {
    started: Instant,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut show = |name: &str, help: &str, unit: Option<&Unit>, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)
        };
        let uptime = self.started.elapsed().as_secs() as i64;
        show("process_uptime", "Time since the start", Some(&Unit::Seconds), uptime)?;
        if let Some(bytes) = resident_bytes() {
            show("process_resident_memory", "Memory in use", Some(&Unit::Bytes), bytes)?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            show("process_open_fds", "Open file descriptors", None, files.count() as i64)?;
        }
        Ok(())
    }
}

/// Resident memory of the process in bytes; `None` where the system does not tell (it does on Linux). The crate
/// `procfs` would be much for one number.
fn resident_bytes() -> Option<i64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as i64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    async fn text_of(metrics: Arc<Metrics>) -> String {
        let response = show(State(metrics)).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// The route of a request that matched this pattern, which axum alone can make.
    async fn route_of(pattern: &str) -> Route {
        let handler = |request: Request| async move { axum::Extension(Route::of(&request)) };
        let router = axum::Router::new().route(pattern, axum::routing::get(handler));
        let request = Request::get(pattern).body(axum::body::Body::empty()).unwrap();
        tower::ServiceExt::oneshot(router, request).await.unwrap().extensions_mut().remove().unwrap()
    }

    #[tokio::test]
    async fn an_answered_request_is_counted_by_route_method_and_class() {
        let metrics = Arc::new(Metrics::default());
        metrics.answered(&route_of("/v1/check").await, &Method::POST, StatusCode::OK, Duration::from_millis(3), 120);
        let text = text_of(metrics).await;
        let line = r#"berth_http_requests_total{route="/v1/check",method="POST",status="2xx"} 1"#;
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains(r#"berth_http_request_duration_seconds_bucket{le="0.005",route="/v1/check"} 1"#),
            "{text}"
        );
        assert!(text.contains("berth_http_sent_bytes_total 120"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[tokio::test]
    async fn others_register_their_own_families() {
        let metrics = Arc::new(Metrics::default());
        let checks: Counter = Counter::default();
        metrics.registry.lock().unwrap().register("checks", "Checks answered", checks.clone());
        checks.inc();
        assert!(text_of(metrics).await.contains("berth_checks_total 1"));
    }

    #[test]
    fn invented_methods_share_one_label() {
        assert_eq!(known_method(&Method::from_bytes(b"BREW").unwrap()), "OTHER");
        assert_eq!(known_method(&Method::PUT), "PUT");
    }
}

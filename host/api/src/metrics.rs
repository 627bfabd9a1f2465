//! The counters of the host, and `/metrics` in the OpenMetrics text format.

use crate::problem::Problem;
use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
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

/// The labels of an answered request. They all come from small sets, so that callers cannot make the memory grow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The matched route, such as `/v1/mini-apps/{id}`, or `unmatched`.
    pub route: String,
    /// The method, or `OTHER` for unusual ones.
    pub method: String,
    /// The class of the status, `1xx` to `5xx`.
    pub status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
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
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration, sent: u64) {
        let labels = RequestLabels {
            route: route.into(),
            method: known_method(method).into(),
            status: format!("{}xx", status.as_u16() / 100),
        };
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&RouteLabels { route: route.into() }).observe(took.as_secs_f64());
        self.sent.inc_by(sent);
    }
}

/// The method as a label. Methods are free text on the wire, so unusual ones share the name `OTHER`.
pub(crate) fn known_method(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "OTHER",
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

    #[tokio::test]
    async fn an_answered_request_is_counted_by_route_method_and_class() {
        let metrics = Arc::new(Metrics::default());
        metrics.answered("/v1/check", &Method::POST, StatusCode::OK, Duration::from_millis(3), 120);
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

//! Measures how soon events reach 1,000 webhooks: once when all receivers are well, and once when 50 of them hang. Both
//! are measured in one run, in turns, on one host with SQLite. The receivers are paths of one server in this process.
//!
//! `bench-events path/to/berth [webhooks] [hanging]`

use std::{
    collections::HashMap,
    env,
    error::Error,
    io::BufRead,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::Path, http::StatusCode, routing::post};
use berth_tests::bench::{Readings, percentile, say};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;
const EVENTS: usize = 10;
/// The pause between two events, so that each is measured by itself.
const GAP: Duration = Duration::from_millis(500);

/// A host that is killed when this value is dropped.
struct Berth {
    child: Child,
    url: String,
    token: String,
    _folder: tempfile::TempDir,
}

impl Drop for Berth {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(berth: &str) -> Result<Berth> {
    let folder = tempfile::tempdir()?;
    let mut child = Command::new(berth)
        .args(["serve", "--listen", "127.0.0.1:0", "--webhook-allow", "127.0.0.0/8", "--data-dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = child.stdout.take().ok_or("no stdout")?;
    let (mut url, mut token) = (None, None);
    let mut lines = std::io::BufReader::new(out).lines();
    while let Some(line) = lines.next().transpose()? {
        if let Some(address) = line.strip_prefix("Berth serves on ") {
            url = Some(address.to_owned());
        } else if line.trim().starts_with("berth_") {
            token = Some(line.trim().to_owned());
        }
        if let (Some(url), Some(token)) = (&url, &token) {
            let berth = Berth { child, url: url.clone(), token: token.clone(), _folder: folder };
            // What it still prints must find a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(berth);
        }
    }
    Err("the host ended before it was ready".into())
}

/// For each subject, which paths heard of it, and when.
type BySubject = HashMap<String, Vec<(usize, Instant)>>;

/// The events that have reached the receivers.
#[derive(Clone, Default)]
struct Arrivals(Arc<Mutex<BySubject>>);

impl Arrivals {
    fn note(&self, subject: &str, path: usize) {
        if let Ok(mut all) = self.0.lock() {
            all.entry(subject.to_owned()).or_default().push((path, Instant::now()));
        }
    }

    fn of(&self, subject: &str) -> Vec<(usize, Instant)> {
        self.0.lock().map(|all| all.get(subject).cloned().unwrap_or_default()).unwrap_or_default()
    }
}

/// Starts the server of all receivers, and returns its URL. What is sent to `/hang/…` is never answered.
async fn receivers(arrivals: Arrivals) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let good = move |Path(path): Path<usize>, body: Bytes| async move {
        let event: Value = serde_json::from_slice(&body).unwrap_or_default();
        arrivals.note(event["subject"].as_str().unwrap_or_default(), path);
        StatusCode::NO_CONTENT
    };
    let router = Router::new()
        .route("/good/{path}", post(good))
        .route("/hang/{path}", post(async || std::future::pending::<StatusCode>().await));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

struct Bench {
    berth: Berth,
    http: Client,
    arrivals: Arrivals,
    good: usize,
    next: usize,
}

impl Bench {
    async fn call(&self, method: reqwest::Method, path: &str, body: Value) -> Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.berth.url)).bearer_auth(&self.berth.token);
        let answer = request.json(&body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if status.is_success() {
            Ok(serde_json::from_str(&text).unwrap_or_default())
        } else {
            Err(format!("{path}: {status} {text}").into())
        }
    }

    async fn webhook(&self, url: String) -> Result<String> {
        let body = json!({"url": url, "scope": {"kind": "platform"}, "types": ["host_app.created"]});
        let made = self.call(reqwest::Method::POST, "/v1/webhooks", body).await?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes some events, and returns how many milliseconds each took to reach each webhook that is well.
    async fn delays(&mut self) -> Result<Vec<f64>> {
        let mut delays = Vec::new();
        for _ in 0..EVENTS {
            let id = format!("bench-{}", self.next);
            self.next += 1;
            self.call(reqwest::Method::POST, "/v1/host-apps", json!({"name": "b", "id": id})).await?;
            let told = Instant::now();
            while self.arrivals.of(&id).len() < self.good {
                if told.elapsed() > Duration::from_secs(60) {
                    return Err(format!("{} of {} got {id}", self.arrivals.of(&id).len(), self.good).into());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let after = |at: Instant| at.saturating_duration_since(told).as_secs_f64() * 1000.0;
            delays.extend(self.arrivals.of(&id).iter().map(|(_, at)| after(*at)));
            tokio::time::sleep(GAP).await;
        }
        Ok(delays)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = env::args().collect();
    let berth = arguments.get(1).ok_or("usage: bench-events path/to/berth [webhooks] [hanging]")?;
    let number = |place: usize, otherwise: usize| arguments.get(place).map_or(Ok(otherwise), |text| text.parse());
    let (webhooks, hanging) = (number(2, 1000)?, number(3, 50)?);
    let arrivals = Arrivals::default();
    let receivers = receivers(arrivals.clone()).await?;
    let mut bench = Bench { berth: serve(berth)?, http: Client::new(), arrivals, good: webhooks - hanging, next: 0 };
    for path in 0..bench.good {
        bench.webhook(format!("{receivers}/good/{path}")).await?;
    }
    let mut hung = Vec::new();
    for path in 0..hanging {
        hung.push(bench.webhook(format!("{receivers}/hang/{path}")).await?);
    }
    let (mut well, mut ill) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (enabled, rows) in [(false, &mut well), (true, &mut ill)] {
            for id in &hung {
                bench.call(reqwest::Method::PATCH, &format!("/v1/webhooks/{id}"), json!({"enabled": enabled})).await?;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
            rows.push(bench.delays().await?);
        }
    }
    for (name, part) in [("p50", 0.50), ("p99", 0.99)] {
        let of = |rows: &[Vec<f64>]| rows.iter().map(|row| percentile(row, part)).collect::<Vec<_>>();
        let mut readings = Readings::default();
        of(&ill).into_iter().zip(of(&well)).for_each(|(ours, beside)| readings.push(ours, beside));
        let bench = format!("delay of an event to {} webhooks beside none hanging, {name}", bench.good);
        say(readings.row(&bench, "ms", &format!("{hanging} webhooks hang")));
    }
    Ok(())
}

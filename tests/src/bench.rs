//! What benchmarks share: readings of ours beside those of a neighbour, and the line of JSON that each row ends with.

use std::{
    fs, io,
    net::TcpListener,
    process::{Child, Command},
};

use serde_json::{Value, json};

use crate::Pool;

/// Readings of ours and of what runs beside it, from the same rounds.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    ours: Vec<f64>,
    beside: Vec<f64>,
}

impl Readings {
    /// Adds the readings of a round.
    pub fn push(&mut self, ours: f64, beside: f64) {
        self.ours.push(ours);
        self.beside.push(beside);
    }

    /// The row of these readings: their medians, the median of the rounds' ratios, how far all of them spread, and where
    /// they were taken.
    pub fn row(&self, bench: &str, unit: &str, load: &str) -> Value {
        let ratios: Vec<_> = self.ours.iter().zip(&self.beside).map(|(ours, beside)| ours / beside).collect();
        json!({
            "bench": bench, "ours": rounded(median(&self.ours), 10.0), "beside": rounded(median(&self.beside), 10.0),
            "ratio": rounded(median(&ratios), 1000.0),
            "spread": {"ours": spread(&self.ours, 10.0), "beside": spread(&self.beside, 10.0), "ratio": spread(&ratios, 1000.0)},
            "unit": unit, "load": load, "commit": commit(), "kernel": read("/proc/sys/kernel/osrelease"),
            "clock": read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        })
    }
}

/// What a commit waits for on this database.
pub async fn durability(pool: &Pool) -> String {
    let Pool::Postgres(_) = pool else { return "synchronous full".into() };
    let settings = pool.texts(
        "SELECT name || ' ' || setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') ORDER BY name",
    );
    settings.await.join(", ")
}

/// Prints a row or what a round has read.
#[expect(clippy::print_stdout, reason = "the output of a benchmark is its purpose")]
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// The value in the middle; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value that `part` of all are below, such as 0.99; 0 of none.
pub fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

fn spread(values: &[f64], steps: f64) -> String {
    format!("{}..{}", rounded(percentile(values, 0.0), steps), rounded(percentile(values, 1.0), steps))
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

fn commit() -> String {
    let head = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    head.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

/// What the system says of itself; empty where it does not.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// A process beside the benchmark, which is killed when this value is dropped.
pub struct Server(pub Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address on loopback at which nobody listens yet.
///
/// # Errors
/// Those of the operating system.
pub fn free_addr() -> io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

//! Measures what the platform for policies adds to the policies themselves, without HTTP: a decision of `percentage` and
//! `standard-conditions` beside bare wasmtime calls of the same components, warm and on fresh instances; all auditors over
//! a mini-program of 8 MB beside the same checks run natively; and the start of a host with 1,000 installed policies beside
//! one without. Ours and what is beside take turns.
//!
//! `bench-policy path/to/berth [policies] [rounds] [decisions]`

mod audits;
mod bare;
mod decisions;
mod start;

use std::{env, error::Error, time::Duration};

use berth_tests::bench::{Readings, say};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// How much is measured.
struct Counts {
    /// The policies that are installed before the host starts.
    policies: usize,
    /// The rounds that count, after one that does not.
    rounds: usize,
    /// The decisions of a round, of each kind.
    decisions: usize,
}

impl Counts {
    fn of(arguments: &[String]) -> Result<Self> {
        let number = |at: usize, usual| arguments.get(at).map_or(Ok(usual), |text| text.parse());
        Ok(Self { policies: number(2, 1_000)?, rounds: number(3, 7)?, decisions: number(4, 20_000)? })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let Some(berth) = arguments.get(1) else {
        return Err("usage: bench-policy path/to/berth [policies] [rounds] [decisions]".into());
    };
    let counts = Counts::of(&arguments)?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    decisions::measure(&counts).await?;
    audits::measure(&counts).await?;
    start::measure(berth, &counts).await
}

/// A row whose readings come in rounds.
struct Row {
    name: &'static str,
    unit: &'static str,
    /// How it is asked, and what the goal is.
    load: String,
    readings: Readings,
}

impl Row {
    fn new(name: &'static str, unit: &'static str, load: impl Into<String>) -> Self {
        Self { name, unit, load: load.into(), readings: Readings::default() }
    }

    /// Notes a round. The first one warms up, and does not count.
    fn note(&mut self, round: usize, ours: f64, beside: f64) {
        let uncounted = if round == 0 { "   (warm-up, not counted)" } else { "" };
        let Self { name, unit, .. } = self;
        say(format!("{name:<20} ours {ours:>12.1} {unit}   beside {beside:>12.1} {unit}{uncounted}"));
        if round > 0 {
            self.readings.push(ours, beside);
        }
    }

    fn end(self) {
        say(self.readings.row(self.name, self.unit, &self.load));
    }
}

fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

//! `berth policy bench`: measures how fast a policy answers, and how much memory it needs.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{local::Local, test::cases_path, trial::Trial};
use crate::policy::{cases, trial};
use crate::{
    failure::{Done, Failure},
    paint::{Paint, bytes},
    session::Session,
    table::Cell,
};

/// The arguments of `berth policy bench`.
#[derive(Args, Debug)]
#[command(after_help = "\
Each case is asked on one thread again and again, as by a host: auditors and guards on fresh instances, grayscale policies on
one instance as often as `judgements_per_instance` in the limits of the case says. Cases whose config is refused are left out. With a debug build of berth itself the numbers are too high.")]
pub struct Bench {
    /// The file of the policy
    pub file: PathBuf,
    /// A folder of cases, or one file; `cases` beside the policy when absent
    #[arg(long)]
    pub cases: Option<PathBuf>,
    /// How many seconds each case is asked
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
}

/// The measurements of one case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    name: String,
    outcome: String,
    calls: usize,
    calls_per_second: u64,
    p50_micros: u64,
    p99_micros: u64,
    peak_memory: u64,
}

pub async fn run(args: Bench, session: &mut Session) -> Done {
    let local = Local::open(&args.file, session).await?;
    let mut items = Vec::new();
    for case in cases::load(&cases_path(&args.file, args.cases.as_deref()), local.policy.kind())? {
        let trial = Trial::of(&case, &local.policy).await?;
        if let Some(measured) = measure(case.name, &trial, Duration::from_secs(args.seconds)).await {
            items.push(serde_json::to_value(measured).unwrap_or_default());
        }
    }
    if items.is_empty() {
        return Err(Failure::usage(
            "The policy refuses the config of every case, so that there is nothing to measure.",
        ));
    }
    let head = ["CASE", "OUTCOME", "CALLS/S", "P50 µs", "P99 µs", "MEMORY"];
    session.out.list(items, head, "", row)
}

async fn measure(name: String, trial: &Trial, span: Duration) -> Option<Measured> {
    // The first call pays for what every later one finds ready.
    let first = trial.ask().await?;
    let mut peak_memory = first.peak_memory;
    let (start, mut micros) = (Instant::now(), Vec::new());
    while start.elapsed() < span || micros.is_empty() {
        let answer = trial.ask().await?;
        peak_memory = peak_memory.max(answer.peak_memory);
        micros.push(answer.elapsed.as_micros() as u64);
    }
    let seconds = start.elapsed().as_secs_f64();
    micros.sort_unstable();
    Some(Measured {
        name,
        outcome: trial::word(Some(&first)).to_string(),
        calls: micros.len(),
        calls_per_second: (micros.len() as f64 / seconds) as u64,
        p50_micros: percentile(&micros, 50),
        p99_micros: percentile(&micros, 99),
        peak_memory,
    })
}

/// The smallest value that `percent` % of the sorted values do not exceed. It is exact, as all values are known.
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

fn row(measured: Measured, _: &Paint) -> [Cell; 6] {
    [
        Cell::strong(measured.name),
        Cell::of(measured.outcome),
        Cell::of(measured.calls_per_second),
        Cell::of(measured.p50_micros),
        Cell::of(measured.p99_micros),
        bytes(measured.peak_memory).into(),
    ]
}

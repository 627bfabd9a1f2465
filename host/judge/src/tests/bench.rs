//! Measures how long a decision takes. Not a test: `cargo test -- --ignored --nocapture how_long` prints it.

use std::{sync::Arc, time::Instant};

use crate::testing::*;
use crate::*;
use berth_model::policy::*;

fn median(mut run: impl FnMut(), times: usize) -> f64 {
    let mut took: Vec<_> = (0..times)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / 1000.0
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[times / 2]
}

#[tokio::test]
#[ignore = "measures"]
#[expect(clippy::print_stdout, reason = "its purpose")]
async fn how_long_a_decision_takes() {
    let lab = super::child::lab(CompileLimits::default());
    let mut guests = vec![("by hand".to_owned(), Guest::gray().wasm(), empty())];
    if let Ok(path) = std::env::var("BERTH_BENCH_WASM") {
        let config = serde_json::from_str(&std::env::var("BERTH_BENCH_CONFIG").unwrap()).unwrap();
        guests.push((path.clone(), std::fs::read(path).unwrap(), config));
    }
    let nobody = Arc::new(NoCohorts) as Arc<dyn Cohorts>;
    for (name, wasm, config) in guests {
        let start = Instant::now();
        let policy = lab.engine.inspect(wasm).await.unwrap();
        println!("{name}: installed in {:?}", start.elapsed());
        let digest = policy.digest().clone();
        let binding = policy.bind_gray(&config, Limits::default_of(PolicyKind::Grayscale)).unwrap();
        println!("  first: {:?}", decide(&binding));
        let (device, task) = (device(), task());
        println!("  decide: {:.1} µs", median(|| drop(binding.decide(&device, &task, &nobody)), 5_000));
        drop((policy, binding));
        let again = Engine::new(EngineConfig::new(lab.folder.path().into(), Compiler::InProcess)).unwrap();
        let start = Instant::now();
        again.load(&digest, async { unreachable!("it is in the cache") }).await.unwrap();
        println!("  loaded from the cache in {:?}", start.elapsed());
    }
}

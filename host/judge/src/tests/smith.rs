//! Random uploads, none of which may end the process or be admitted.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use wasm_smith::{Config, Module};

use crate::testing::*;
use berth_base::error::Code;

/// The number of seeds; set `BERTH_SMITH_SEEDS=10000` for a long run.
fn seeds() -> u64 {
    std::env::var("BERTH_SMITH_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..length).map(|_| random.random()).collect()
}

#[tokio::test]
async fn f43_random_modules_are_refused() {
    let lab = Lab::new();
    for seed in 0..seeds() {
        let entropy = noise(seed, 4096);
        let module = Module::new(Config::default(), &mut arbitrary::Unstructured::new(&entropy)).unwrap().to_bytes();
        assert_eq!(lab.refusal(module).await.code, Code::PolicyInvalid, "seed {seed}");
    }
}

#[tokio::test]
async fn f43_random_bytes_are_refused() {
    let lab = Lab::new();
    for seed in 0..seeds() {
        let header: &[u8] = [b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"][seed as usize % 2];
        let upload = [header, &noise(seed, 512)].concat();
        assert_eq!(lab.refusal(upload).await.code, Code::PolicyInvalid, "seed {seed}");
    }
}

/// A valid policy with a few bytes changed is refused, or admitted and then harmless.
#[tokio::test]
async fn f43_a_policy_with_bytes_changed_is_refused_or_harmless() {
    let (lab, good) = (Lab::new(), Guest::gray().wasm());
    for seed in 0..seeds() {
        let mut random = StdRng::seed_from_u64(seed);
        let mut upload = good.clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(8..upload.len());
            upload[at] = random.random();
        }
        match lab.engine.inspect(upload).await {
            Err(refusal) => assert_eq!(refusal.code, Code::PolicyInvalid, "seed {seed}: {refusal:?}"),
            Ok(policy) => {
                let limits = crate::Limits::default_of(policy.kind());
                decide(&policy.bind_gray(&empty(), limits).unwrap());
            }
        }
    }
}

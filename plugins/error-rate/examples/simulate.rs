//! Simulates releases that are watched by `error-rate`, and prints how often they are stopped, and after how many devices.
//!
//! ```sh
//! cargo run --release -p berth-policy-error-rate --example simulate
//! ```
//!
//! A release is a day of 288 windows of 5 minutes. In each, 10 devices try the version in grayscale and 40 the online
//! version. A device on which its version is going to fail does so in one of the next windows. Beside `error-rate` stands
//! the usual test of two proportions, at the same level and asked as often.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example that prints a table")]

use berth_policy_error_rate::{AtRisk, Evidence};

const RELEASES: usize = 2_000;
const WINDOWS: usize = 288;
const GRAY: u64 = 10;
const ONLINE: u64 = 40;
const ALPHA: f64 = 0.01;
/// In percentage points, as in the policy.
const MIN_DIFFERENCE: f64 = 1.0;
const MIN_DEVICES: u64 = 50;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// One side of a release: the failures that fall into each window.
struct Side {
    coming: Vec<u64>,
    at_risk: u64,
    tried: u64,
    failed: u64,
}

impl Side {
    fn new(each: u64, share: f64, chance: &mut Chance) -> Self {
        let mut coming = vec![0; WINDOWS];
        for window in 0..WINDOWS {
            for _ in 0..each {
                if chance.next() < share {
                    // Half of the failures come in the window itself, a quarter in the next one, and so on.
                    let later = (-chance.next().ln() / std::f64::consts::LN_2) as usize;
                    coming.get_mut(window + later).into_iter().for_each(|count| *count += 1);
                }
            }
        }
        Self { coming, at_risk: 0, tried: 0, failed: 0 }
    }

    fn window(&mut self, number: usize, each: u64) -> AtRisk {
        self.tried += each;
        self.at_risk += each;
        let now = AtRisk { devices: self.at_risk, failed: self.coming[number] };
        self.at_risk -= now.failed;
        self.failed += now.failed;
        now
    }

    fn share(&self) -> f64 {
        self.failed as f64 / self.tried as f64
    }
}

/// After how many windows each of the two tests stops a release.
fn release(gray: f64, online: f64, chance: &mut Chance) -> [Option<usize>; 2] {
    let (mut ours, mut others) = (Side::new(GRAY, gray, chance), Side::new(ONLINE, online, chance));
    let (mut evidence, mut stopped) = (Evidence::default(), [None; 2]);
    for number in 0..WINDOWS {
        evidence.add(ours.window(number, GRAY), others.window(number, ONLINE));
        let matters = (ours.share() - others.share()) * 100.0 >= MIN_DIFFERENCE && ours.tried >= MIN_DEVICES;
        let says = [evidence.total() >= 1.0 / ALPHA, usual_test(&ours, &others)];
        for (stop, says) in stopped.iter_mut().zip(says) {
            if says && matters && stop.is_none() {
                *stop = Some(number + 1);
            }
        }
    }
    stopped
}

/// The test of two proportions: whether the difference is more than 2.326 standard errors, as one in a hundred is.
fn usual_test(gray: &Side, online: &Side) -> bool {
    let all = (gray.failed + online.failed) as f64 / (gray.tried + online.tried) as f64;
    let error = (all * (1.0 - all) * (1.0 / gray.tried as f64 + 1.0 / online.tried as f64)).sqrt();
    (gray.share() - online.share()) > 2.326 * error && error > 0.0
}

fn main() {
    println!(
        "| fails with the online version | fails in grayscale | stopped by `error-rate` | after devices: half, nine in ten | stopped by the usual test |"
    );
    println!("|---|---|---|---|---|");
    let same = [0.002, 0.01, 0.05, 0.2].map(|share| (share, share));
    let worse = [0.02, 0.03, 0.05, 0.1, 0.3, 1.0].map(|share| (0.01, share));
    for (online, gray) in same.into_iter().chain(worse) {
        let mut chance = Chance(2_026);
        let all: Vec<_> = (0..RELEASES).map(|_| release(gray, online, &mut chance)).collect();
        let share = |test: usize| all.iter().filter(|one| one[test].is_some()).count() as f64 * 100.0 / RELEASES as f64;
        let mut times: Vec<_> = all.iter().filter_map(|one| one[0]).collect();
        times.sort_unstable();
        let after = |tenths: usize| {
            // Of all releases, not of those that were stopped.
            times
                .get(RELEASES * tenths / 10 - 1)
                .map_or("–".to_owned(), |windows| (*windows as u64 * GRAY).to_string())
        };
        let devices = if gray > online { format!("{}, {}", after(5), after(9)) } else { String::new() };
        println!("| {} % | {} % | {:.1} % | {devices} | {:.1} % |", online * 100.0, gray * 100.0, share(0), share(1));
    }
}

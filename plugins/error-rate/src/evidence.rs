//! The evidence that a version fails more often: a number that stays small while it does not, however often one looks.

/// The odds ratios that are reckoned with: how many times the odds of failing are larger with the version in grayscale. Each
/// has the same weight, so that differences of any size are found, at the price of a factor of eight at the most.
const ODDS_RATIOS: [f64; 8] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0];

/// The devices at risk in one window: those that had tried the version and on which it had not failed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtRisk {
    /// How many there were.
    pub devices: u64,
    /// On how many of them the version failed in the window.
    pub failed: u64,
}

/// The evidence from all windows so far, for each odds ratio, as a logarithm.
#[derive(Clone, Debug, Default)]
pub struct Evidence([f64; ODDS_RATIOS.len()]);

impl Evidence {
    /// Adds a window. A window in which nothing failed, or in which only one of the versions was tried, says nothing.
    pub fn add(&mut self, gray: AtRisk, online: AtRisk) {
        let failed = gray.failed + online.failed;
        if failed == 0 || gray.devices == 0 || online.devices == 0 {
            return;
        }
        let shares = Shares::of(gray.devices, online.devices, failed);
        for (evidence, ratio) in self.0.iter_mut().zip(ODDS_RATIOS) {
            let ratio = ratio.ln();
            *evidence += gray.failed as f64 * ratio - shares.ln_mean_of_power(ratio);
        }
    }

    /// The evidence: how many times better than chance the hypothesis of a worse version has told what happened.
    pub fn total(&self) -> f64 {
        let greatest = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.0.iter().map(|one| (one - greatest).exp()).sum();
        (greatest + (sum / self.0.len() as f64).ln()).exp()
    }
}

/// How the failures of a window fall to the version in grayscale when all devices fail alike: the hypergeometric
/// distribution, as logarithms that lack a common summand.
struct Shares {
    least: u64,
    weights: Vec<f64>,
}

impl Shares {
    fn of(gray: u64, online: u64, failed: u64) -> Self {
        let (least, most) = (failed.saturating_sub(online), failed.min(gray));
        let mut weights = vec![0.0; (most - least + 1) as usize];
        for at in 1..weights.len() {
            let count = least + at as u64;
            let up = (gray - count + 1) as f64 * (failed - count + 1) as f64;
            let down = count as f64 * (online + count - failed) as f64;
            weights[at] = weights[at - 1] + (up / down).ln();
        }
        Self { least, weights }
    }

    /// The logarithm of the mean of `exp(ratio * count)` over the distribution of the count.
    fn ln_mean_of_power(&self, ratio: f64) -> f64 {
        let weighed = self.weights.iter().enumerate().map(|(at, weight)| weight + at as f64 * ratio);
        self.least as f64 * ratio + ln_sum(weighed) - ln_sum(self.weights.iter().copied())
    }
}

/// The logarithm of a sum whose summands are given by their logarithms.
fn ln_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let greatest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    greatest + logs.map(|log| (log - greatest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(windows: &[[u64; 4]]) -> f64 {
        let mut evidence = Evidence::default();
        for [devices, failed, others, others_failed] in windows.iter().copied() {
            evidence.add(AtRisk { devices, failed }, AtRisk { devices: others, failed: others_failed });
        }
        evidence.total()
    }

    /// The chance of each count of failures when the odds of failing are `ratio` times larger with the gray version: Fisher's
    /// noncentral hypergeometric distribution, by its definition.
    fn chances(gray: u64, online: u64, failed: u64, ratio: f64) -> Vec<(u64, f64)> {
        let choose = |n: u64, k: u64| (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>();
        let counts = failed.saturating_sub(online)..=failed.min(gray);
        let weights: Vec<_> = counts
            .map(|count| (count, choose(gray, count) * choose(online, failed - count) * ratio.powi(count as i32)))
            .collect();
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.into_iter().map(|(count, weight)| (count, weight / sum)).collect()
    }

    /// This is what makes looking often harmless: of a version that is no worse, no window is expected to add evidence.
    #[test]
    fn g13_a_window_of_a_version_that_is_no_worse_is_not_expected_to_add_evidence() {
        for (gray, online, failed) in [(1, 1, 1), (3, 2, 4), (10, 40, 7), (40, 10, 12), (5, 200, 3), (30, 30, 60)] {
            for (ratio, most) in [(1.0, 1.0), (0.9, 1.0), (0.5, 1.0), (0.01, 1.0)] {
                let mean: f64 = chances(gray, online, failed, ratio)
                    .into_iter()
                    .map(|(count, chance)| chance * evidence(&[[gray, count, online, failed - count]]))
                    .sum();
                assert!(mean <= most + 1e-9, "{gray} {online} {failed} {ratio}: {mean}");
                assert!(ratio < 1.0 || mean > most - 1e-9, "{gray} {online} {failed}: {mean}");
            }
            let worse: f64 = chances(gray, online, failed, 4.0)
                .into_iter()
                .map(|(count, chance)| chance * evidence(&[[gray, count, online, failed - count]]))
                .sum();
            assert!(worse >= 1.0 - 1e-9, "{gray} {online} {failed}: {worse}");
        }
    }

    #[test]
    fn g13_windows_that_say_nothing_add_nothing() {
        for silent in [[0, 0, 0, 0], [100, 0, 100, 0], [100, 9, 0, 0], [0, 0, 100, 9], [5, 5, 7, 7]] {
            assert!((evidence(&[silent]) - 1.0).abs() < 1e-9, "{silent:?}");
        }
    }

    #[test]
    fn g13_many_failures_are_reckoned_without_an_overflow() {
        assert!(evidence(&[[200_000, 100_000, 800_000, 400_000]]) < 1.0);
        assert!(evidence(&[[200_000, 150_000, 800_000, 400_000]]) > 1e300);
        assert!(evidence(&[[200_000, 50_000, 800_000, 400_000]]) >= 0.0);
    }
}

//! Suspends a release whose version fails on more devices than the online version, by more than chance explains (G13).
//!
//! A guard looks at every window, hundreds of times in a release. A usual test, repeated as often, finds a difference sooner
//! or later where there is none. This one may be repeated without end: of releases that are no worse than the online
//! version, at most the share `alpha` is ever stopped.
//!
//! **The test.** Each window is a table of two rows: the devices at risk (those that have tried a version and on which it has
//! not failed before) and those on which it failed. Given how many failed in all, how many of them had the version in
//! grayscale is hypergeometric when both fail alike, and Fisher's noncentral hypergeometric when the odds of failing are
//! ω times larger with it. The ratio of both likelihoods is ω^k / E[ω^K], and its mean is at most 1 while the version is no
//! worse; so the product over the windows, and the mean of such products for several ω, is a test martingale. By Ville's
//! inequality it ever reaches 1 / `alpha` with a chance of at most `alpha`, and that is when the guard speaks. As the number
//! of failures in each window is given, nothing has to be assumed of how many devices fail, and of how that changes by the
//! hour.
//!
//! Sources: J. Ville, *Étude critique de la notion de collectif*, 1939; N. Mantel, *Evaluation of survival data and two new
//! rank order statistics arising in its consideration*, 1966 (the tables); P. Grünwald, A. Ly, M. Pérez-Ortiz, J. ter Schure,
//! *The Safe Logrank Test: Error Control under Continuous Monitoring with Unlimited Horizon*, arXiv 2011.06931 (their product
//! as a test martingale); H. Robbins, *Statistical methods related to the law of the iterated logarithm*, 1970, and R. Johari,
//! P. Koomen, L. Pekelis, D. Walsh, *Always Valid Inference*, Operations Research 2022 (the mixture over alternatives).
//!
//! **Its config.** Besides `alpha`, a difference in the share of devices that is smaller than `min_difference` percentage
//! points never stops a release, be it ever so certain, and nothing is said before `min_devices` devices have tried each
//! version. Both can only make alarms rarer.
//!
//! **What it takes for granted.** That the devices of both sides fail alike but for the version. Conditions that choose old
//! phones for the grayscale choose what fails, too.

mod evidence;

use berth_policy::{Advice, Description, Guard, Health, Policy, Window, log, serde::Deserialize};

pub use evidence::{AtRisk, Evidence};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct ErrorRate {
    alpha: f64,
    min_difference: f64,
    min_devices: u64,
    then: Then,
}

/// What happens to a release that fails too often.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", rename_all = "lowercase")]
enum Then {
    Suspend,
    End,
}

impl Default for ErrorRate {
    fn default() -> Self {
        Self { alpha: 0.01, min_difference: 1.0, min_devices: 50, then: Then::Suspend }
    }
}

impl Policy for ErrorRate {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "error-rate",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Suspends a release that fails on more devices than the online version, by more than chance explains.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        if !(config.alpha > 0.0 && config.alpha <= 0.5) {
            return Err(format!("alpha is a chance above 0 and up to 0.5, and {} is not.", config.alpha));
        }
        if !(0.0..=100.0).contains(&config.min_difference) {
            return Err(format!("min_difference lies between 0 and 100, and {} does not.", config.min_difference));
        }
        Ok(config)
    }
}

impl Guard for ErrorRate {
    fn judge(&self, health: &Health) -> Result<Advice, String> {
        let (gray, online) = (Share::of(&health.gray), Share::of(&health.online));
        if gray.tried.min(online.tried) < self.min_devices {
            log::info(format!(
                "{} needs {} devices on each side: {gray}, online {online}",
                health.version, self.min_devices
            ));
            return Ok(Advice::CarryOn);
        }
        let (evidence, needed) = (evidence(&health.gray, &health.online).total(), 1.0 / self.alpha);
        let told = format!(
            "{} fails on {gray}, the online version on {online}; evidence {} of {needed:.0}",
            health.version,
            rounded(evidence)
        );
        if evidence < needed || gray.percent() - online.percent() < self.min_difference {
            log::info(&told);
            return Ok(Advice::CarryOn);
        }
        Ok(match self.then {
            Then::Suspend => Advice::Suspend(told),
            Then::End => Advice::End(told),
        })
    }
}

/// The evidence of all windows.
fn evidence(gray: &[Window], online: &[Window]) -> Evidence {
    let mut evidence = Evidence::default();
    for (gray, online) in at_risk(gray).zip(at_risk(online)) {
        evidence.add(gray, online);
    }
    evidence
}

/// The devices at risk in each window.
fn at_risk(windows: &[Window]) -> impl Iterator<Item = AtRisk> {
    windows.iter().scan(0_u64, |left, window| {
        *left = left.saturating_add(window.tried);
        let now = AtRisk { devices: *left, failed: window.failed.min(*left) };
        *left -= now.failed;
        Some(now)
    })
}

/// How many of the devices that have tried a version it failed on.
struct Share {
    tried: u64,
    failed: u64,
}

impl Share {
    fn of(windows: &[Window]) -> Self {
        let sum = |count: fn(&Window) -> u64| windows.iter().map(count).fold(0, u64::saturating_add);
        Self { tried: sum(|window| window.tried), failed: sum(|window| window.failed) }
    }

    fn percent(&self) -> f64 {
        if self.tried == 0 { 0.0 } else { self.failed as f64 * 100.0 / self.tried as f64 }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} devices ({:.1} %)", self.failed, self.tried, self.percent())
    }
}

/// A number for people: whole when it is large, and never longer than a line.
fn rounded(evidence: f64) -> String {
    match evidence {
        small if small < 10.0 => format!("{small:.1}"),
        large if large < 1e6 => format!("{large:.0}"),
        _ => "over 1000000".into(),
    }
}

berth_policy::guard!(ErrorRate);

#[cfg(test)]
mod tests;

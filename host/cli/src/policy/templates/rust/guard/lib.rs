//! Suspends a release on which too many devices fail.

use berth_policy::{Advice, Description, Guard, Health, Policy, Window, serde::Deserialize};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct {{Type}} {
    max_failed_percent: u64,
    min_devices: u64,
}

impl Default for {{Type}} {
    fn default() -> Self {
        Self { max_failed_percent: 5, min_devices: 50 }
    }
}

impl Policy for {{Type}} {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "{{name}}",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Suspends a release on which too many devices fail.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Guard for {{Type}} {
    fn judge(&self, health: &Health) -> Result<Advice, String> {
        let sum = |count: fn(&Window) -> u64| health.gray.iter().map(count).sum::<u64>();
        let (tried, failed) = (sum(|window| window.tried), sum(|window| window.failed));
        if tried < self.min_devices || failed * 100 <= tried * self.max_failed_percent {
            return Ok(Advice::CarryOn);
        }
        Ok(Advice::Suspend(format!("{failed} of {tried} devices fail, more than {} %", self.max_failed_percent)))
    }
}

berth_policy::guard!({{Type}});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_that_nobody_runs_goes_on() {
        let policy = {{Type}}::from_json("{}").unwrap();
        let health = Health {
            task_id: "gray_1".into(),
            mini_app_id: "mp-shop".into(),
            version: "1.1.0".into(),
            since: 1_700_000_000_000,
            now: 1_700_000_300_000,
            gray: vec![],
            online: vec![],
        };
        assert_eq!(policy.judge(&health), Ok(Advice::CarryOn));
    }
}

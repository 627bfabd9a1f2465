//! The config of the first-party policy `percentage`, as far as it takes to tell whether another one is as wide (G11).
//! Whether a config makes sense at all is for the policy to say.

use serde::Deserialize;
use serde_json::Value;

use super::words::{English, Phrases};

/// Name of the policy that admits a share of the devices.
pub const POLICY: &str = "percentage";

const HOUR: u64 = 3_600_000;
const EVERYBODY: f64 = 100.0;

/// The shares over time, in percent, and by which key devices get their buckets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    percent: Option<f64>,
    stages: Option<Vec<Stage>>,
    bucket_key: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    percent: f64,
    after_hours: u64,
}

impl Stage {
    fn in_words(self) -> String {
        English.stage(self.percent, self.after_hours)
    }
}

impl Plan {
    fn stages(&self) -> Vec<Stage> {
        let fixed = self.percent.map(|percent| Stage { percent, after_hours: 0 });
        fixed.into_iter().chain(self.stages.clone().unwrap_or_default()).collect()
    }

    /// The share at a time since the start, in milliseconds.
    fn at(&self, since: u64) -> f64 {
        let begun = |stage: &Stage| stage.after_hours.saturating_mul(HOUR) <= since;
        self.stages().into_iter().rfind(begun).map_or(0.0, |stage| stage.percent)
    }
}

/// What the config admits: `Share of the devices: 10 %, 50 % after 24 hours`. `None` when it is not one of this policy.
pub fn in_words_of(phrases: &dyn Phrases, config: &Value) -> Option<String> {
    let stages = Plan::deserialize(config).ok()?.stages();
    let stages: Vec<_> = stages.iter().map(|stage| phrases.stage(stage.percent, stage.after_hours)).collect();
    Some(phrases.share(&stages))
}

/// The stages of a config, none of them below `percent`, as an option names them: `20,50@24h`. `None` when it has no stage that
/// is above `percent` and later than the start.
pub fn raised(config: &Value, percent: f64) -> Option<String> {
    let stages = Plan::deserialize(config).ok()?.stages();
    stages.iter().find(|stage| stage.after_hours > 0 && stage.percent > percent)?;
    let stage = |Stage { percent: share, after_hours }: &Stage| match after_hours {
        0 => format!("{}", share.max(percent)),
        hours => format!("{}@{hours}h", share.max(percent)),
    };
    Some(stages.iter().map(stage).collect::<Vec<_>>().join(","))
}

/// The stages of a config that never come, as a task is over by then: `50 % after 240 hours`. `lasts` is how long the task is, in
/// milliseconds.
pub fn never_reached(config: &Value, lasts: u64) -> Vec<String> {
    let stages = Plan::deserialize(config).map(|plan| plan.stages()).unwrap_or_default();
    stages
        .into_iter()
        .filter(|stage| stage.after_hours.saturating_mul(HOUR) >= lasts.max(1))
        .map(Stage::in_words)
        .collect()
}

/// What the old config admits from now on and the new one does not, as a phrase; `None` when the new one is as wide, or
/// when either is not one of this policy. `since` is the time since the start of the task, in milliseconds.
pub fn lost(old: &Value, new: &Value, since: u64) -> Option<String> {
    let read = |config: &Value| Plan::deserialize(config).ok();
    let (old, new) = (read(old)?, read(new)?);
    let steps = [&old, &new].into_iter().flat_map(Plan::stages);
    let later = steps.map(|stage| stage.after_hours.saturating_mul(HOUR)).filter(|at| *at > since);
    let same_buckets = old.bucket_key == new.bucket_key;
    let mut moments: Vec<_> = std::iter::once(since).chain(later).collect();
    moments.sort_unstable();
    moments.into_iter().find_map(|at| {
        let (before, after) = (old.at(at), new.at(at));
        let when = if at == since { "now".to_owned() } else { format!("{} h after the start", at / HOUR) };
        if after < before {
            return Some(format!("{before} % of the devices {when}, which would be {after} %"));
        }
        let others = !same_buckets && after < EVERYBODY && before > 0.0;
        others.then(|| format!("the {before} % of the devices that its bucket key chooses {when}"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn g16_a_percentage_rises() {
        let lost = |old: Value, new: Value| lost(&old, &new, 0);
        assert_eq!(lost(json!({"percent": 10}), json!({"percent": 10})), None);
        assert_eq!(lost(json!({"percent": 10}), json!({"percent": 10.5})), None);
        let falls = lost(json!({"percent": 10}), json!({"percent": 5})).expect("falls");
        assert_eq!(falls, "10 % of the devices now, which would be 5 %");
    }

    #[test]
    fn g11_stages_that_never_come_are_told_and_are_raised_as_they_are_written() {
        let config = json!({"stages": [{"percent": 10, "after_hours": 0}, {"percent": 50, "after_hours": 24}]});
        assert_eq!(never_reached(&config, 24 * HOUR), ["50 % after 24 hours"]);
        assert!(never_reached(&config, 25 * HOUR).is_empty());
        assert_eq!(raised(&config, 20.0).as_deref(), Some("20,50@24h"));
        assert_eq!(raised(&config, 50.0), None, "one share is as wide");
        assert_eq!(raised(&json!({"percent": 10}), 5.0), None);
    }

    #[test]
    fn g16_stages_never_fall_below_the_old_ones_from_now_on() {
        let old = json!({"stages": [{"percent": 10, "after_hours": 0}, {"percent": 50, "after_hours": 24}]});
        let late = json!({"stages": [{"percent": 20, "after_hours": 0}, {"percent": 50, "after_hours": 48}]});
        let falls = lost(&old, &late, 0).expect("falls");
        assert_eq!(falls, "50 % of the devices 24 h after the start, which would be 20 %");
        assert_eq!(lost(&old, &json!({"percent": 50}), 0), None);
        let now = json!({"stages": [{"percent": 50, "after_hours": 20}]});
        assert_eq!(lost(&old, &now, 20 * HOUR), None, "what was before counts no more");
        assert!(lost(&old, &now, 19 * HOUR).is_some());
    }

    #[test]
    fn g16_other_buckets_are_other_devices() {
        let (one, other) = (json!({"percent": 10}), json!({"percent": 50, "bucket_key": "spring"}));
        assert!(lost(&one, &other, 0).expect("others").contains("bucket key"));
        assert_eq!(lost(&one, &json!({"percent": 100, "bucket_key": "spring"}), 0), None);
        assert_eq!(lost(&json!({"percent": 0}), &other, 0), None);
    }

    fn plan() -> impl Strategy<Value = Value> {
        prop::collection::vec((0u32..=100, 1u64..40), 1..4).prop_map(|steps| {
            let (mut percent, mut hours) = (0, 0);
            let stages: Vec<_> = steps
                .into_iter()
                .map(|(more, later)| {
                    (percent, hours) = ((percent + more).min(100), hours + later);
                    json!({"percent": percent, "after_hours": hours})
                })
                .collect();
            json!({ "stages": stages })
        })
    }

    proptest! {
        #[test]
        fn g16_at_no_later_time_a_wider_plan_admits_fewer(old in plan(), new in plan(), since in 0u64..100, at in 0u64..200) {
            let share = |config: &Value, at: u64| Plan::deserialize(config).expect("plan").at(at * HOUR);
            if lost(&old, &new, since * HOUR).is_none() && at >= since {
                prop_assert!(share(&new, at) >= share(&old, at));
            }
        }
    }
}

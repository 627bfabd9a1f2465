//! How many devices are admitted at what time.

use std::fmt;

use berth_policy::serde::Deserialize;

use crate::BUCKETS;

const HOUR: u64 = 3_600_000;

/// The config, which has exactly one of the first two members.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields)]
pub struct Config {
    percent: Option<f64>,
    stages: Option<Vec<Stage>>,
    /// What devices get their buckets by, instead of the id of the task.
    pub bucket_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields)]
struct Stage {
    percent: f64,
    after_hours: u32,
}

/// A share of the buckets, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// Whether the bucket is within the share.
    pub fn holds(self, bucket: u32) -> bool {
        bucket < self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(percent: f64) -> Result<Self, String> {
        let hundredths = percent * 100.0;
        if !(0.0..=f64::from(BUCKETS)).contains(&hundredths) {
            return Err(format!("A percentage lies between 0 and 100, and {percent} does not."));
        }
        // 0.07 * 100 is 7.000000000000001, so a little slack is needed; 0.001 is far outside of it.
        if (hundredths - hundredths.round()).abs() > 1e-6 {
            return Err(format!("{percent} has more than two decimals; the smallest step is 0.01 %."));
        }
        Ok(Self(hundredths.round() as u32))
    }
}

/// The shares over time. Times rise and shares never fall, so that admitted devices stay admitted.
#[derive(Debug)]
pub struct Plan(Vec<(u64, Share)>);

impl Plan {
    /// The share at `since_start` milliseconds after the start of the task; 0 % before the first stage.
    pub fn share(&self, since_start: u64) -> Share {
        let begun = |(after, _): &&(u64, Share)| *after <= since_start;
        self.0.iter().rev().find(begun).map_or(Share(0), |(_, share)| *share)
    }

    fn staged(stages: Vec<Stage>) -> Result<Self, String> {
        if stages.is_empty() {
            return Err("stages is empty: give at least one stage.".into());
        }
        let stage = |stage: Stage| Ok((u64::from(stage.after_hours) * HOUR, Share::try_from(stage.percent)?));
        let plan = stages.into_iter().map(stage).collect::<Result<Vec<_>, String>>()?;
        match plan.windows(2).find_map(|pair| disorder(pair[0], pair[1])) {
            Some(reason) => Err(reason),
            None => Ok(Self(plan)),
        }
    }
}

fn disorder(earlier: (u64, Share), later: (u64, Share)) -> Option<String> {
    let hours = later.0 / HOUR;
    if later.0 <= earlier.0 {
        return Some(format!("The stages are not in order of time: {hours} h follows {} h.", earlier.0 / HOUR));
    }
    let falls = later.1 < earlier.1;
    falls.then(|| {
        format!(
            "The stage at {hours} h lowers {} % to {} %: a stage may never take the version from a device.",
            earlier.1, later.1
        )
    })
}

impl TryFrom<Config> for Plan {
    type Error = String;

    fn try_from(config: Config) -> Result<Self, String> {
        match (config.percent, config.stages) {
            (Some(percent), None) => Ok(Self(vec![(0, percent.try_into()?)])),
            (None, Some(stages)) => Self::staged(stages),
            _ => Err("Give either percent or stages.".into()),
        }
    }
}

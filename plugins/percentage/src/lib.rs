//! Admits a share of the devices (G11).
//!
//! A device falls into one of 10,000 buckets:
//!
//! ```text
//! bucket = murmur3_32("{task_id}:{guid}", seed 0) % 10000        (UTF-8, MurmurHash3_x86_32)
//! ```
//!
//! and a task of 12.5 % admits the buckets below 1,250. So a device keeps its bucket for the whole task, raising the
//! percentage keeps the devices that were admitted, and, as the task's id is part of what is hashed, the first devices
//! of one release are not the first of the next. Anyone can compute it: `vectors.json` has task ids, guids, hashes and
//! buckets to test against.
//!
//! The config is `{"percent": 12.5}`, or stages by the hours since the task started:
//! `{"stages": [{"percent": 10, "after_hours": 0}, {"percent": 50, "after_hours": 24}, {"percent": 100, "after_hours": 72}]}`.
//! Before the first stage nobody is admitted.
//!
//! With `"bucket_key": "spring"` that text takes the place of the task's id in what is hashed: tasks with the same key
//! choose the same devices, so that a task that follows another one goes to those who had that, too.

mod plan;

use berth_policy::{Description, Device, Grayscale, Policy, Task, Verdict};

pub use berth_policy::bucket::{BUCKETS, bucket, murmur3_32};
pub use plan::{Config, Plan, Share};

/// The policy, made from its config.
pub struct Percentage {
    plan: Plan,
    bucket_key: Option<String>,
}

impl Policy for Percentage {
    type Config = Config;

    const DESCRIPTION: Description = Description {
        name: "percentage",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Admits a percentage of the devices, fixed or rising by stages; who is in stays in.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Config) -> Result<Self, String> {
        Ok(Self { bucket_key: config.bucket_key.clone(), plan: Plan::try_from(config)? })
    }
}

impl Grayscale for Percentage {
    fn decide(&self, device: &Device, task: &Task) -> Result<Verdict, String> {
        if device.guid.is_empty() {
            return Ok(Verdict::Refuse("The device did not tell its guid, so it has no bucket.".into()));
        }
        let share = self.plan.share(task.now.saturating_sub(task.started));
        let bucket = bucket(self.bucket_key.as_ref().unwrap_or(&task.id), &device.guid);
        if share.holds(bucket) {
            return Ok(Verdict::Admit);
        }
        Ok(Verdict::Refuse(format!("The device is in bucket {bucket} of {BUCKETS}, and now {share} % are admitted.")))
    }
}

berth_policy::grayscale!(Percentage);

#[cfg(test)]
mod tests;

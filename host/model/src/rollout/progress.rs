//! The progress of a gray task: how many distinct devices were offered the version, downloaded it, run it and failed
//! with it, in total and over time (G8).

use berth_base::clock::Millis;
use serde::{Deserialize, Serialize};

use super::GuardProgress;

/// The progress of a gray task, in distinct devices. Each device that was offered the version is in one state now:
/// `waiting`, `running` or `failed`, which add up to `offered`.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Devices that were offered the version; these count against the cap.
    pub offered: u64,
    /// How many of the offered devices have fetched the package: the last byte of it was sent to them, or they reported
    /// it. A device that had the package already runs the version without it.
    pub downloaded: u64,
    /// How many of the offered devices have neither been seen to run the version nor reported that it failed.
    pub waiting: u64,
    /// How many of the offered devices run the version, as far as is known: their last news is that they do.
    pub running: u64,
    /// On how many of the offered devices the version failed: their last news is that it did.
    pub failed: u64,
    /// How many of the failed devices are not offered the version any more, because it failed `max_failures` times.
    pub fell_back: u64,
    /// After how many failures of the version on a device it is not offered to the device any more; 0 for never.
    pub max_failures: u8,
    /// The cap of the task; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// Why the version failed, the reasons of most devices first, at most 20. Devices that run the version again count
    /// here as well.
    pub reasons: Vec<FailureReason>,
    /// How many further reasons there are.
    pub other_reasons: u64,
    /// Its guards, with what they have said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<GuardProgress>,
    /// When devices were offered the version, and when they first downloaded it, ran it and failed with it: at most 60
    /// buckets of equal length, oldest first. Buckets in which nothing happened are left out.
    pub over_time: Vec<Bucket>,
}

/// One reason why the version failed, with those who gave it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct FailureReason {
    /// The reason as reported, with `…` in place of long numbers and ids; empty when the devices gave none.
    pub reason: String,
    /// How many distinct devices gave it.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub devices: u64,
    /// How many failures they reported with it.
    #[cfg_attr(feature = "sql", sqlx(try_from = "berth_base::sql::Count"))]
    pub failures: u64,
    /// When it was last reported.
    #[cfg_attr(feature = "sql", sqlx(rename = "last_at"))]
    pub last: Millis,
}

/// The devices to which something happened for the first time in one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names are those of Progress")]
pub struct Bucket {
    /// When the stretch begins.
    pub from: Millis,
    pub offered: u64,
    pub downloaded: u64,
    pub running: u64,
    pub failed: u64,
}

impl Bucket {
    /// An empty one that begins at `from`.
    pub fn at(from: Millis) -> Self {
        Self { from, offered: 0, downloaded: 0, running: 0, failed: 0 }
    }
}

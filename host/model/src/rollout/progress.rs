//! The progress of a gray task: how many distinct devices were offered the version, downloaded it, run it and failed
//! with it, in total and over time (G8).

use berth_base::clock::Millis;
use serde::{Deserialize, Serialize};

/// The progress of a gray task, in distinct devices.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Devices that were offered the version; these count against the cap.
    pub offered: u64,
    /// How many of the offered devices fetched the package.
    pub downloaded: u64,
    /// How many of the offered devices were seen to run the version.
    pub running: u64,
    /// How many of the offered devices reported that the version failed.
    pub failed: u64,
    /// The cap of the task; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_users: Option<u64>,
    /// The same counts over time: at most 60 buckets of equal length, oldest first. Buckets in which nothing happened
    /// are left out.
    pub over_time: Vec<Bucket>,
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

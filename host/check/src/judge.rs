//! What checks need from policies. The engine that runs the policies is behind these traits.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, GrayTaskId, MiniAppId, PolicyBindingId},
    version::VersionNumber,
};
use berth_model::check::Device;
pub use berth_model::policy::Cohorts;
use berth_model::policy::{Acceptance, LimitOverrides};

/// A policy binding of a gray task, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeSpec {
    /// Id of the binding.
    pub id: PolicyBindingId,
    /// Digest of the policy's wasm component.
    pub digest: Digest,
    /// Name of the policy, for people.
    pub policy: String,
    /// The name by which the task means it.
    pub name: String,
    /// The config of the policy, which has been validated.
    pub config: Value,
    /// Whether the policy decides; `false` for a shadow policy.
    pub enforce: bool,
    /// Whether the device passes when the policy gives no judgement.
    pub open_on_error: bool,
    /// The limits that differ from the defaults.
    pub limits: LimitOverrides,
}

/// What a policy is told about the gray task that it judges for.
#[derive(Clone, Debug)]
pub struct TaskFacts<'a> {
    /// Id of the task.
    pub id: &'a GrayTaskId,
    /// The MiniApp whose version the task delivers.
    pub mini_app: &'a MiniAppId,
    /// The version in grayscale.
    pub version: &'a VersionNumber,
    /// The online version, which everyone else gets.
    pub online: &'a VersionNumber,
    /// The version that the device has; `None` when it did not name one.
    pub current: Option<&'a VersionNumber>,
    /// When the task starts.
    pub started: Millis,
    /// The moment of the check.
    pub now: Millis,
}

/// What one policy says about one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// The device may have the version.
    Admit,
    /// The device may not have the version; the reason is for people.
    Refuse(String),
    /// There is no judgement, because the policy failed, trapped or hit a limit.
    Broken {
        /// The way in which it broke.
        how: Breakage,
        /// The details, for people.
        why: String,
    },
}

/// Why a policy gave no judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Breakage {
    /// The policy said that it could not judge.
    Failed,
    /// The policy trapped: its code broke while it ran.
    Trapped,
    /// The policy hit a limit of time, memory or another resource.
    Limited,
}

/// Counts what a policy, enforced or shadow, has said on this host (G12).
#[derive(Default)]
pub struct Tally {
    admit: AtomicU64,
    refuse: AtomicU64,
    failed: AtomicU64,
    trapped: AtomicU64,
    limited: AtomicU64,
}

/// The values of a [`Tally`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of Opinion and Breakage")]
pub struct OpinionCounts {
    pub admit: u64,
    pub refuse: u64,
    pub failed: u64,
    pub trapped: u64,
    pub limited: u64,
}

impl Tally {
    /// Counts an opinion.
    pub fn count(&self, opinion: &Opinion) {
        let counter = match opinion {
            Opinion::Admit => &self.admit,
            Opinion::Refuse(_) => &self.refuse,
            Opinion::Broken { how: Breakage::Failed, .. } => &self.failed,
            Opinion::Broken { how: Breakage::Trapped, .. } => &self.trapped,
            Opinion::Broken { how: Breakage::Limited, .. } => &self.limited,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The current values, for metrics.
    pub fn counts(&self) -> OpinionCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        OpinionCounts {
            admit: read(&self.admit),
            refuse: read(&self.refuse),
            failed: read(&self.failed),
            trapped: read(&self.trapped),
            limited: read(&self.limited),
        }
    }
}

/// A policy that is ready to judge. It is called while a check waits, so it answers from memory and within its limits.
pub trait Judge: Send + Sync {
    /// Judges whether the device may have the version of the task.
    fn judge(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion;

    /// The same for somebody who wants to know what a device would get: nothing is counted, and no policy loses its turn by it.
    fn explain(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion {
        self.judge(device, task, cohorts)
    }

    /// Takes note that the policy, in shadow, admits a device or not, and that those that decide do. Ignored by default.
    fn shadowed(&self, _device: &Device, _pair: Pair, _now: Millis) {}
}

/// What a policy in shadow says of a device, beside what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Whether those that decide admit the device.
    pub decided: bool,
    /// Whether the policy in shadow would.
    pub shadow: bool,
}

/// Makes judges of bindings.
pub trait Judges: Acceptance {
    /// Makes a binding ready to judge. Called in the background, once for each binding and host.
    fn prepare<'a>(&'a self, binding: &'a JudgeSpec) -> BoxFuture<'a, Result<Arc<dyn Judge>>>;
}

/// Stands in for a policy that could not be made ready: it gives no judgement, so that `on_error` decides. Holds the
/// reason.
pub struct Unready(pub String);

impl Judge for Unready {
    fn judge(&self, _: &Device, _: &TaskFacts<'_>, _: &Arc<dyn Cohorts>) -> Opinion {
        Opinion::Broken { how: Breakage::Failed, why: self.0.clone() }
    }
}

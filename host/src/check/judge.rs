//! What the check needs of policies, and nothing more: the engine that runs them is behind these traits.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Device;
pub use crate::policy::Cohorts;
use crate::{
    clock::Millis,
    error::Result,
    ids::{Digest, GrayTaskId, MiniAppId, PolicyBindingId},
    policy::{LimitOverrides, registry::Acceptance},
    version::VersionNumber,
};

/// A policy bound to a task, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct BindingSpec {
    /// The binding.
    pub id: PolicyBindingId,
    /// Which component.
    pub digest: Digest,
    /// The policy's name, for people.
    pub policy: String,
    /// Its config; the host has validated it.
    pub config: Value,
    /// Whether it decides.
    pub enforce: bool,
    /// Whether a policy that could not judge lets the device pass.
    pub open_on_error: bool,
    /// Limits that differ from the defaults.
    pub limits: LimitOverrides,
}

/// What a policy is told of the task.
#[derive(Clone, Debug)]
pub struct TaskFacts<'a> {
    /// The task.
    pub id: &'a GrayTaskId,
    /// Whose version it is.
    pub mini_app: &'a MiniAppId,
    /// The version in grayscale.
    pub version: &'a VersionNumber,
    /// The version that everyone else gets.
    pub online: &'a VersionNumber,
    /// What the device runs now, when it said so.
    pub current: Option<&'a VersionNumber>,
    /// Start of the task.
    pub started: Millis,
    /// The moment of the check.
    pub now: Millis,
}

/// What one policy says of one device. Only the first two are judgements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// It may have the version.
    Admit,
    /// It may not, and why.
    Refuse(String),
    /// There is no judgement: the policy failed, trapped or hit a limit.
    Broken {
        /// How.
        how: Breakage,
        /// In words.
        why: String,
    },
}

/// Why there is no judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Breakage {
    /// The policy says that it could not judge.
    Failed,
    /// The policy broke.
    Trapped,
    /// The policy hit a limit.
    Limited,
}

/// What a policy said since the host started, shadow policies included (G12).
#[derive(Default)]
pub struct Tally {
    admit: AtomicU64,
    refuse: AtomicU64,
    failed: AtomicU64,
    trapped: AtomicU64,
    limited: AtomicU64,
}

/// A [`Tally`] as numbers.
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
    pub(super) fn count(&self, opinion: &Opinion) {
        let counter = match opinion {
            Opinion::Admit => &self.admit,
            Opinion::Refuse(_) => &self.refuse,
            Opinion::Broken { how: Breakage::Failed, .. } => &self.failed,
            Opinion::Broken { how: Breakage::Trapped, .. } => &self.trapped,
            Opinion::Broken { how: Breakage::Limited, .. } => &self.limited,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// As numbers, for metrics.
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

/// A policy that is ready to judge. Called on the path of a check: it answers from memory, within its limits.
pub trait Judge: Send + Sync {
    /// Judges one device.
    fn judge(&self, device: &Device, task: &TaskFacts<'_>, cohorts: &Arc<dyn Cohorts>) -> Opinion;
}

/// Makes judges of bindings.
pub trait Judges: Acceptance {
    /// Makes a binding ready. Called off the path of checks, once for each binding and host.
    fn prepare<'a>(&'a self, binding: &'a BindingSpec) -> BoxFuture<'a, Result<Arc<dyn Judge>>>;
}

/// Stands in for a policy that could not be made ready: it never judges, so `on_error` decides.
pub(super) struct Unready(pub String);

impl Judge for Unready {
    fn judge(&self, _: &Device, _: &TaskFacts<'_>, _: &Arc<dyn Cohorts>) -> Opinion {
        Opinion::Broken { how: Breakage::Failed, why: self.0.clone() }
    }
}
